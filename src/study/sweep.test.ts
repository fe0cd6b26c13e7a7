import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError } from "../errors.js";
import { applyOverrides, resolveConfig } from "../run/config.js";
import { chosenArms } from "./arms.js";
import { type ArmFigures, figuresOf } from "./figures.js";
import type { Measured } from "./outcome.js";
import { sweepOf, valuesIn } from "./sweep.js";
import { adviceOf, gainSentences, sweepLines } from "./sweep-figures.js";
import { settingNames, settingOf } from "./sweeps.js";

const table = {
  name: "rides",
  data: { source: "rides.csv", label: "late", numeric: { km: "km" }, split: { kind: "rows" } },
  model: { kind: "mlp", hidden: [8] },
  optimizer: { kind: "adam", learningRate: 1e-3 },
  numSteps: 1000,
  globalBatchSize: 32,
  numGroups: 4,
};
const text = { ...table, data: { kind: "text", source: "books/*.txt" }, model: { kind: "lstm", width: 8, hidden: 8 } };
const images = { ...table, data: { kind: "images", source: "images/*/*.png", size: 28 }, model: { kind: "cnn" } };

function planOf(over: string, values: readonly string[] = [], given: object = table, names?: readonly string[]) {
  const setting = settingOf(over, values.length > 0);
  const resolve = (options: readonly string[]) => resolveConfig(applyOverrides(given, options));
  const wanted = names ?? setting.arms;
  const arms =
    wanted[0] === "as-it-is" ? [{ name: "as-it-is", what: "", options: [] }] : chosenArms(wanted, [], resolve([]), 0);
  const plan = sweepOf(over, setting, values.length > 0 ? values : setting.values, arms, resolve);
  const configOf = (name: string) => resolve(plan.arms.find((arm) => arm.name === name)?.options ?? []);
  return { ...plan, configOf };
}

describe("settings", () => {
  test("every value of each is a configuration that can be trained, of tables, of text and of images", () => {
    for (const over of settingNames) {
      for (const given of [table, images, ...(over === "labelNoise" ? [] : [text])]) {
        const { arms, study, configOf, reference } = planOf(over, [], given);
        for (const { name } of arms) configOf(name);
        assert.equal(study.lines[0]?.arms.length, study.values.length, over);
        assert.ok(study.why.length > 40 && study.what !== "", over);
        assert.ok(
          arms.some(({ name }) => name === reference),
          `${over}: ${reference}`,
        );
      }
    }
  });

  test("differ in what they say and in nothing else", () => {
    const { configOf, reference, study } = planOf("exchangeInterval", ["10", "50"]);
    assert.equal(reference, "codistilled-50");
    assert.deepEqual(study.beside, ["single"]);
    const [ten, fifty] = [configOf("codistilled-10"), configOf("codistilled-50")];
    assert.deepEqual(ten, { ...fifty, algorithm: { ...fifty.algorithm, publishInterval: 10, exchangeInterval: 10 } });
    const noisy = planOf("labelNoise", ["0", "0.2"]);
    assert.deepEqual(
      noisy.study.lines.map(({ arms }) => arms),
      [
        ["single-0", "single-0-2"],
        ["codistilled-0", "codistilled-0-2"],
      ],
    );
    assert.equal(noisy.reference, "codistilled-0");
  });

  test("an age of teachers shares one interval that divides all values", () => {
    const intervalOf = (values: readonly string[]) => {
      const { configOf, arms } = planOf("staleness", values);
      const all = arms.filter(({ name }) => name !== "single").map(({ name }) => configOf(name).algorithm);
      return new Set(all.map((one) => "exchangeInterval" in one && one.exchangeInterval));
    };
    assert.deepEqual([...intervalOf(["0", "50", "250"])], [10]);
    assert.deepEqual([...intervalOf(["0", "4", "50"])], [2]);
    assert.deepEqual([...intervalOf(["1", "50"])], [1]);
  });

  test("topologies fetch as many bytes", () => {
    const { configOf } = planOf("topology");
    const intervals = ["ring", "pairs", "all"].map((one) => {
      const { algorithm } = configOf(`codistilled-${one}`);
      return "exchangeInterval" in algorithm && algorithm.exchangeInterval;
    });
    // Of four groups three teach each other one where all teach all.
    assert.deepEqual(intervals, [50, 50, 150]);
  });

  test("the reference is the value that the configuration has, however it is typed", () => {
    assert.equal(planOf("burnIn").reference, "codistilled-50");
    assert.equal(planOf("weight", ["4", "1.0"]).reference, "codistilled-1-0");
    assert.equal(planOf("shards").reference, "codistilled-1-1");
    const { reference, arms } = planOf("optimizer.learningRate", ["0.01", "1e-3"]);
    assert.equal(reference, "as-it-is-1e-3");
    assert.deepEqual(
      arms.map(({ options }) => options),
      [["optimizer.learningRate=0.01"], ["optimizer.learningRate=1e-3"]],
    );
    const { arms: lists } = planOf("model.hidden", valuesIn("[64],[128,64]"));
    assert.deepEqual(
      lists.map(({ name, options }) => [name, ...options]),
      [
        ["as-it-is-64", "model.hidden=[64]"],
        ["as-it-is-128-64", "model.hidden=[128,64]"],
      ],
    );
  });

  test("wrong ones are refused, each with its sentence", () => {
    for (const [run, pattern] of [
      [() => settingOf("stalenes", true), /must be of exchangeInterval, .*got "stalenes"; did you mean staleness\?/],
      [() => settingOf("optimizer.learningRate", false), /is a path of the configuration, whose values must be given/],
      [() => planOf("weight", ["1", "1"]), /--over weight: 1 is there twice/],
      [
        () => planOf("weight", ["1"], table, ["single"]),
        /is a setting of codistillation, and none of the arms \(single\)/,
      ],
      [() => planOf("groups", ["2"], table, ["twice-the-batch"]), /arm twice-the-batch is one group on all data/],
      [() => planOf("shards", ["2"]), /a value has the share of each group.*got "2"/],
      [() => planOf("topology", ["ring", "star"]), /topologies at equal traffic are ring, pairs and all/],
      [() => planOf("labelNoise", ["0.1"], table, ["anchored"]), /arm in-use is of one model in use/],
    ] as const) {
      assert.throws(run, (error) => error instanceof ConfigError && pattern.test(error.message), pattern.source);
    }
  });
});

/** Figures of a sweep of three values over five seeds, with these offsets of the losses. */
function linesOf(offsets: readonly number[], noise = 0.0005) {
  const { study, reference, arms } = planOf("exchangeInterval", ["10", "50", "250"]);
  const seeds = [1, 2, 3, 4, 5];
  const outcomes = arms.flatMap(({ name }) => {
    const place = study.lines[0]?.arms.indexOf(name) ?? -1;
    return seeds.map((seed) => {
      const loss = 0.5 + (offsets[place] ?? 0.02) + 0.01 * seed + noise * Math.sin(7 * seed + 3 * place);
      const rest = { step: 1, curve: [], seconds: 1, bytes: 0 };
      return { arm: name, seed, test: { testLoss: loss }, meanTestLoss: loss, ...rest };
    });
  });
  const measured: Measured = { task: "binary", lossName: "log loss", outcomes, apart: [], refined: [] };
  const figures: ArmFigures[] = figuresOf(measured, {
    ...{ arms: arms.map(({ name }) => name), seeds, reference, target: { kind: "reference" }, passes: {} },
  });
  return { study, lines: sweepLines(study, figures, reference) };
}

describe("advice", () => {
  test("is given where intervals are apart", () => {
    const { study, lines } = linesOf([-0.004, 0, 0.006]);
    const [line] = lines;
    assert.ok(line);
    assert.equal(line.reference, "50");
    const [take, worse] = adviceOf(line, study);
    assert.match(
      take ?? "",
      /take exchangeInterval 10\. These are better in test loss than exchangeInterval 50: 10 by -0\.00[34]/,
    );
    assert.match(worse ?? "", /worse in test loss than exchangeInterval 50: 250 by \+0\.00[56]/);
    const [gain, chance] = gainSentences(line, study);
    assert.match(gain ?? "", /codistilled is better than single at exchangeInterval 10 \(.*\), 50 \(.*\), 250 \(/);
    assert.equal(chance, "Of 3 intervals one in twenty leaves out 0 by chance alone.");
  });

  test("is not given where they hold 0", () => {
    const { study, lines } = linesOf([0.0001, 0, -0.0001], 0.002);
    const sentences = lines.flatMap((line) => adviceOf(line, study));
    assert.equal(sentences.length, 1);
    assert.match(
      sentences[0] ?? "",
      /not told apart from exchangeInterval 50: .* nothing here is a reason to change it/,
    );
  });
});
