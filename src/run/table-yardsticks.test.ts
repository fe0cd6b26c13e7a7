import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { tinyConfig } from "../../test/fixtures/tiny-run.js";
import { type Rows, recordLayout, tableRows } from "../data/records.js";
import type { LabelStatistics, Preprocessing } from "../data/table.js";
import { fold, rootKey, uniform } from "../runtime/random.js";
import type { TableRunInput } from "./input/run.js";
import { remarksOnTable, rivalRemarks, teacherRemarks } from "./table-remarks.js";
import { tableYardsticks } from "./table-yardsticks.js";
import { configuredTask } from "./task.js";

interface Row {
  readonly size: number;
  readonly colour: number;
  readonly label: number;
}

const features = {
  vocabularies: { colour: ["red", "green", "blue"] },
  numeric: { size: { mean: 0, std: 1 } },
};

/** Rows with a size from 0 to 1 and one of three colours, by a rule. */
function rowsOf(seed: number, count: number, label: (size: number, colour: number) => number, isInt = false): Rows {
  const layout = recordLayout({
    categorical: { colour: "colour" },
    numeric: { size: "size" },
    ...(isInt && { task: "multiclass" }),
  });
  const [sizes, colours] = [uniform(fold(rootKey(seed), 1), count), uniform(fold(rootKey(seed), 2), count)];
  const words = new Int32Array(3 * count);
  const floats = new Float32Array(words.buffer);
  for (let i = 0; i < count; i++) {
    const row: Row = { size: sizes[i] ?? 0, colour: 1 + Math.floor(3 * (colours[i] ?? 0)), label: 0 };
    words[3 * i] = row.colour;
    floats[3 * i + 1] = row.size;
    (isInt ? words : floats)[3 * i + 2] = label(row.size, row.colour);
  }
  return tableRows(layout, words);
}

/** The yardsticks of a task, on as many rows in each split. */
async function yardsticksOf(
  given: TableRunInput["task"],
  labels: LabelStatistics | undefined,
  label: (size: number, colour: number) => number,
  isInt = false,
) {
  const { task: config } = tinyConfig({ task: given });
  const preprocessing: Preprocessing = { ...features, ...(labels && { labels }) };
  const [train, validation, test] = [1, 2, 3].map((seed) => rowsOf(seed, 20_000, label, isInt)) as [Rows, Rows, Rows];
  return tableYardsticks({ preprocessing, train, validation, test }, configuredTask(config, labels), config);
}

const near = (found: number | null | undefined, right: number, within = 0.02) =>
  assert.ok(Math.abs((found ?? Number.NaN) - right) < within, `${found} is not within ${within} of ${right}`);
const entropy = (p: number) => -p * Math.log(p) - (1 - p) * Math.log(1 - p);

describe("what a model of a table is held against", () => {
  test("of yes and no: their shares, and a number whose period no line follows", async () => {
    const found = await yardsticksOf("binary", undefined, (size) => Math.floor(4 * size) % 2);
    assert.deepEqual(
      found.map(({ name }) => name),
      ["shares of the classes", "size alone"],
    );
    near(found[0]?.testLoss, Math.log(2));
    near(found[0]?.testAuc, 0.5, 1e-9);
    near(found[1]?.testAuc, 1, 0.03);
    assert.ok((found[1]?.testLoss ?? 1) < 0.1);
  });

  test("of classes: names, and the mean over weights where the loss has them", async () => {
    const counts: LabelStatistics = { kind: "classes", classes: ["a", "b", "c"], counts: [1, 1, 1] };
    const byColour = (_: number, colour: number) => (colour === 3 ? 2 : colour - 1);
    const plain = await yardsticksOf("multiclass", counts, byColour, true);
    assert.equal(plain[1]?.name, "colour alone");
    near(plain[0]?.testLoss, Math.log(3));
    near(plain[1]?.testLoss, 0);
    const two: LabelStatistics = { kind: "classes", classes: ["a", "b"], counts: [9, 1] };
    const rare = (size: number) => Number(size > 0.9);
    const weighted = await yardsticksOf({ kind: "multiclass", classWeights: { a: 1, b: 9 } }, two, rare, true);
    near(weighted[0]?.testLoss, Math.log(2));
    near(weighted[0]?.testLogLoss, Math.log(2));
    const unweighted = await yardsticksOf("multiclass", two, rare, true);
    near(unweighted[0]?.testLoss, entropy(0.1));
    near(unweighted[1]?.testLoss, 0);
  });

  test("of numbers: their mean and that of each part, in the scale in which they are learned", async () => {
    const plain: LabelStatistics = { kind: "numbers", mean: 2, std: Math.sqrt(2 / 3) };
    const found = await yardsticksOf("regression", plain, (_, colour) => colour);
    assert.deepEqual(
      found.map(({ name }) => name),
      ["mean of the labels", "colour alone"],
    );
    near(found[0]?.testLoss, 1);
    near(found[0]?.testRmse, Math.sqrt(2 / 3));
    near(found[1]?.testR2, 1);
    const logs: LabelStatistics = { kind: "numbers", mean: 2, std: 1, logUnit: 10 };
    const long = await yardsticksOf({ kind: "regression", scale: "log" }, logs, (_, c) => 10 * Math.expm1(c));
    near(long[0]?.testMae, (10 * (Math.exp(3) - Math.exp(2) + Math.exp(2) - Math.exp(1))) / 3, 3);
    near(long[1]?.testLoss, 0);
  });

  test("no feature is named that is worse than the constant", async () => {
    const coin = uniform(rootKey(9), 60_000);
    let at = 0;
    const found = await yardsticksOf("binary", undefined, () => Number((coin[at++] ?? 0) < 0.3));
    assert.equal(found.length, 1);
    near(found[0]?.testLoss, entropy(0.3));
  });

  test("of few validation rows: no feature whose gain is chance, and those that do as well beside the best", async () => {
    const { task: config } = tinyConfig({ task: "binary" });
    const found = (rows: readonly [number, number], label: (size: number, colour: number) => number) => {
      const [train, validation] = [rowsOf(1, rows[0], label), rowsOf(2, rows[1], label)];
      const table = { preprocessing: features, train, validation, test: rowsOf(3, 500, label) };
      return tableYardsticks(table, configuredTask(config, undefined), config);
    };
    const coins = uniform(rootKey(5), 10_000);
    let at = 0;
    let numNamed = 0;
    // Labels that no feature tells: the least loss of a feature is below the constant's in many a table.
    for (let trial = 0; trial < 40; trial++)
      numNamed += Number((await found([60, 12], () => Number((coins[at++] ?? 0) < 0.5))).length > 1);
    assert.ok(numNamed <= 4, `a feature is named in ${numNamed} of 40 tables`);
    // Both tell half of it.
    const both = (size: number, colour: number) => Number((colour === 1 ? 1 : 0) + Number(size > 2 / 3) > 0);
    const [, few] = await found([2000, 100], both);
    assert.ok(few);
    assert.deepEqual([few.name, ...(few.rivals ?? [])].map((name) => name.replace(" alone", "")).toSorted(), [
      "colour",
      "size",
    ]);
    const [, clear] = await found([2000, 100], (_, colour) => Number(colour === 1));
    assert.deepEqual([clear?.name, clear?.rivals], ["colour alone", undefined]);
  });

  test("a missing number and a name that was never seen have an answer of their own", async () => {
    const label = (size: number) => (Number.isNaN(size) ? 1 : 0);
    const rows = (seed: number) => {
      const made = rowsOf(seed, 2000, () => 0);
      const words = made.read(Uint32Array.from({ length: 2000 }, (_, i) => i));
      const floats = new Float32Array(words.buffer);
      for (let i = 0; i < 2000; i++) {
        if (i % 4 === 0) floats[3 * i + 1] = Number.NaN;
        if (i % 5 === 0) words[3 * i] = 0;
        floats[3 * i + 2] = label(floats[3 * i + 1] as number);
      }
      return tableRows(made.layout, words);
    };
    const { task: config } = tinyConfig({ task: "binary" });
    const table = { preprocessing: features, train: rows(1), validation: rows(2), test: rows(3) };
    const found = await tableYardsticks(table, configuredTask(config, undefined), config);
    assert.equal(found[1]?.name, "size alone");
    near(found[1]?.testAuc, 1, 1e-9);
  });
});

test("a model that tells less than one feature alone, or nothing, is told so with both figures and what may help", () => {
  const beside = [
    { name: "shares of the classes", testLoss: 0.69 },
    { name: "size alone", testLoss: 0.29 },
  ];
  const remark = (testLoss: number, yardsticks = beside) =>
    remarksOnTable({ testLoss }, "log loss", yardsticks).join("\n");
  assert.match(
    remark(0.5),
    /^one feature alone tells more of the label than the model: log loss 0\.5000, and 0\.2900 by size alone\. .*numSteps/,
  );
  assert.equal(remark(0.305), "", "within a twentieth of what the feature gains");
  assert.equal(remark(0.2), "");
  const byChance = [beside[0], { name: "size alone", testLoss: 0.686 }] as typeof beside;
  assert.match(
    remark(0.7, byChance),
    /no better than one answer/,
    "a feature that gains next to nothing does not count",
  );
  const [constant] = beside;
  assert.match(
    remark(0.7, constant && [constant]),
    /^the model is no better than one answer to all rows: log loss 0\.7000, and 0\.6900 by the shares of the classes\. .*optimizer\.learningRate/,
  );
  assert.match(remark(Number.NaN), /one feature alone/);
  assert.match(remark(Number.NaN, constant && [constant]), /no better than one answer/);
  assert.equal(remark(0.68, constant && [constant]), "");
});

test("teachers that tell less than one answer are told of, and those that are the wrong way round, with the cure", () => {
  const constant = [{ name: "shares of the classes", testLoss: 0.69 }];
  const remark = (testLoss: number, testAuc?: number, task: "binary" | "regression" = "binary") =>
    teacherRemarks(
      {
        task,
        lossName: "log loss",
        teachers: { testLoss, ...(testAuc !== undefined && { testAuc }), distance: 0.1, churn: 0.1 },
      },
      constant,
    ).join("\n");
  assert.match(
    remark(1.35, 0.19),
    /^the teachers are no better than one answer to all rows: log loss 1\.3500, and 0\.6900 by the shares of the classes\. .*wrong way round \(AUC 0\.1900\).*Give 1 - p.*--positive/,
  );
  assert.match(remark(1.35, 0.6), /Check that they predict this label; .*teacherWeight/);
  assert.match(remark(1.35, undefined, "regression"), /Check that they predict this label, in its unit; /);
  assert.equal(remark(0.5, 0.8), "");
  assert.equal(remark(0.68, 0.49), "", "a teacher that is better than the constant");
  assert.deepEqual(teacherRemarks({ task: "binary" }, constant), []);
});

test("chance that decides which feature is the best is told, with the others", () => {
  const best = { name: "km alone", testLoss: 0.5, rivals: ["date", "zone", "fare", "age"] };
  assert.deepEqual(rivalRemarks([{ name: "shares of the classes", testLoss: 0.69 }, best], 150), [
    "which feature alone tells most is within chance: on 150 validation rows date, zone, fare, and 1 more did as well as km alone",
  ]);
});
