import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../errors.js";
import { applyOverrides, resolveConfig } from "../run/config.js";
import { armNames, chosenArms, parseArm } from "./arms.js";
import { costOf, passesOfRun } from "./cost.js";

const given = {
  name: "rides",
  data: { source: "rides.csv", label: "late", numeric: { km: "km" }, split: { kind: "rows" } },
  model: { kind: "mlp", hidden: [8] },
  optimizer: { kind: "adam", learningRate: 1e-3 },
  numSteps: 100,
  globalBatchSize: 32,
};
const config = resolveConfig(given);
const configOf = (options: readonly string[], base: object = given) => resolveConfig(applyOverrides(base, options));

test("every named arm is a configuration that can be trained, of tables, of text and of images", () => {
  const text = {
    ...given,
    data: { kind: "text", source: "books/*.txt" },
    model: { kind: "lstm", width: 8, hidden: 8 },
  };
  const images = {
    ...given,
    data: { kind: "images", source: "images/*/*.png", size: 28 },
    model: { kind: "cnn" },
  };
  for (const base of [given, text, images]) {
    const names = base === images ? armNames.filter((name) => name !== "anchored") : armNames;
    for (const { options } of chosenArms(names, [], resolveConfig(base))) configOf(options, base);
  }
  assert.throws(
    () => chosenArms(["single", "anchored"], [], resolveConfig(images)),
    /arm anchored: stays close to a model in use, which networks of images cannot yet/,
  );
});

test("arms change what they say", () => {
  const arms = chosenArms(["single", "twice-the-batch", "codistilled", "unigram-smoothing"], [], config);
  const [single, twice, codistilled, smoothed] = arms.map(({ options }) => configOf(options));
  assert.deepEqual([single?.algorithm.kind, single?.numGroups], ["plain", 2]);
  assert.deepEqual([twice?.numGroups, twice?.globalBatchSize], [1, 64]);
  assert.deepEqual([codistilled?.algorithm.kind, codistilled?.numGroups], ["codistill", 2]);
  assert.deepEqual(smoothed?.task, { kind: "binary", labelSmoothing: { amount: 0.1, prior: "unigram" } });
  const alone = resolveConfig({ ...given, numGroups: 1, algorithm: { kind: "plain" } });
  const [arm] = chosenArms(["codistilled", "single"], [], alone);
  assert.deepEqual(arm?.options, ["numGroups=2", "data.regime=disjoint", 'algorithm={"kind":"codistill"}']);
});

test("an arm has the data that it says, whatever the configuration gives its groups", () => {
  for (const regime of ["disjoint", "all", "same"]) {
    const base = { ...given, numGroups: 1, data: { ...given.data, regime } };
    for (const arm of chosenArms(armNames, [], resolveConfig(base))) {
      if (arm.ensembleOf !== undefined) continue;
      const { numGroups, data } = configOf(arm.options, base);
      const wanted = { "codistilled-all": "all", "same-data": "same" }[arm.name] ?? "disjoint";
      assert.deepEqual(
        [arm.name, numGroups, data.regime],
        [arm.name, numGroups, numGroups === 1 ? "all" : wanted],
        `in a configuration of ${regime}`,
      );
    }
  }
});

test("an ensemble brings the arm that it is the mean of", () => {
  const names = (list: readonly string[]) => chosenArms(list, [], config).map(({ name }) => name);
  assert.deepEqual(names(["ensemble"]), ["single", "ensemble"]);
  assert.deepEqual(names(["ensemble", "single"]), ["ensemble", "single"]);
  assert.deepEqual(names(["single", "anchored"]), ["single", "in-use", "anchored"]);
});

test("an arm of one's own", () => {
  assert.deepEqual(parseArm("slow:--set optimizer.learningRate=0.001 --set name=a b"), {
    name: "slow",
    what: "optimizer.learningRate=0.001, name=a b",
    options: ["optimizer.learningRate=0.001", "name=a b"],
  });
  assert.deepEqual(parseArm('soft:--set=task={"kind":"binary","labelSmoothing":0.2}').options, [
    'task={"kind":"binary","labelSmoothing":0.2}',
  ]);
});

test("wrong arms are refused, each with its sentence", () => {
  for (const [text, pattern] of [
    ["slow", /--arm is a name and what it sets.*got "slow"/],
    ["slow:numSteps=3", /--arm is a name and what it sets/],
    ["slow:--set numSteps", /--arm is a name and what it sets/],
    [":--set numSteps=3", /--arm is a name and what it sets/],
    ["../x:--set numSteps=3", /lower-case letters, digits and dashes, as it names folders, got "\.\.\/x"/],
    ["single:--set numSteps=3", /single is an arm that --arms knows already/],
  ] as const) {
    assert.throws(
      () => parseArm(text),
      (error) => error instanceof ConfigError && pattern.test(error.message),
      text,
    );
  }
  for (const [names, pattern] of [
    [["sinle", "codistilled"], /must be of single.*got "sinle"; did you mean single\?/],
    [["bogus", "single"], /got "bogus"\. One of your own is written as --arm "name:--set path=value"\.$/],
    [["single"], /two arms or more, got single/],
    [[], /two arms or more, got none/],
    [["single", "single"], /single is there twice/],
    [["toString", "single"], /got "toString"/],
  ] as const) {
    assert.throws(
      () => chosenArms(names, [], config),
      (error) => error instanceof ConfigError && pattern.test(error.message),
    );
  }
  const numbers = resolveConfig({ ...given, task: "regression" });
  assert.throws(
    () => chosenArms(["single", "uniform-smoothing"], [], numbers),
    /arm uniform-smoothing: .*Leave the arm out/,
  );
});

test("a model costs the groups that it owes something to", () => {
  const batch = 32;
  const costs = ["single", "twice-the-batch", "codistilled"].map((name) => {
    const [arm] = chosenArms([name, "ensemble"], [], config).filter((one) => one.name === name);
    return costOf(configOf(arm?.options ?? []), { isEnsemble: false, batch });
  });
  assert.deepEqual(
    costs.map(({ machines }) => machines),
    [1, 2, 2],
  );
  assert.deepEqual(
    costs.map(({ examples }) => examples(100)),
    [3200, 6400, 6400],
  );
  // The teacher of each of two groups sees the second half of the examples.
  assert.deepEqual(
    costs.map(({ passes }) => passes(100)),
    [9600, 19200, 19200 + 3200],
  );
  assert.equal(costs[2]?.passes(100, [[{ step: 50, numTeachers: 0 }], [{ step: 50, numTeachers: 0 }]]), 19200);
  // A teacher from step 90 on in one group, and in two steps of the other.
  const late = [
    [{ step: 90, numTeachers: 1 }],
    [
      { step: 60, numTeachers: 1 },
      { step: 62, numTeachers: 0 },
    ],
  ];
  assert.equal(costs[2]?.passes(100, late), 19200 + 32 * 10 + 32 * 2);
  assert.equal(costs[2]?.passes(61, late), 61 * 192 + 32);
  const others = chosenArms(["control-own", "control-random", "control-shuffled", "mutual", "diloco"], [], config);
  const costsOfOthers = others.map(({ options }) => costOf(configOf(options), { isEnsemble: false, batch }));
  assert.deepEqual(
    costsOfOthers.map(({ machines }) => machines),
    [1, 1, 2, 2, 2],
  );
  assert.deepEqual(
    costsOfOthers.map(({ passes }) => passes(100)),
    [9600 + 1600, 9600 + 1600, 19200 + 3200, 19200, 19200],
  );
  const ensemble = costOf(configOf(["numGroups=2", 'algorithm={"kind":"plain"}']), { isEnsemble: true, batch });
  assert.deepEqual([ensemble.machines, ensemble.passes(100)], [2, 19200]);
  assert.equal(passesOfRun(configOf(["numGroups=2", 'algorithm={"kind":"plain"}']), batch), 19200);
});
