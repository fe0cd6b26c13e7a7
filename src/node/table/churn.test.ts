/** The churn of two served models, beside the same computed from the predictions of each. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type DrawnModel, writeDrawnModel } from "../../../test/fixtures/drawn-models.js";
import { commandsIn } from "../../../test/process/commands.js";
import { ConfigError, DataError } from "../../errors.js";
import { churnLines } from "../../report/churn.js";
import { normal, rootKey, uniform } from "../../runtime/random.js";
import { churn } from "./churn.js";
import { predictRows } from "./predict-rows.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-churn-"));
after(() => rmSync(folder, { recursive: true }));

const NUM_ROWS = 500;
const colours = uniform(rootKey(1), NUM_ROWS);
const sizes = normal(rootKey(2), NUM_ROWS);
const rows = Array.from({ length: NUM_ROWS }, (_, i) => ({
  colour: ["red", "green", "blue"][Math.floor((colours[i] ?? 0) * 3)] ?? "",
  size: Math.round(4000 * (sizes[i] ?? 0)) / 1000,
}));
const data = join(folder, "rows.csv");
writeFileSync(data, ["colour,size", ...rows.map(({ colour, size }) => `${colour},${size}`)].join("\n"));
const options = { cacheFolder: join(folder, "cache") };

const model = (name: string, described: DrawnModel, seed: number) =>
  writeDrawnModel(join(folder, `${name}.onnx`), described, seed);

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-5, `${a} ${b}`);

for (const { kind, classes, others } of [
  { kind: "binary", classes: ["no", "yes"], others: ["yes", "no"] },
  { kind: "multiclass", classes: ["a", "b", "c"], others: ["c", "a", "b"] },
] as const) {
  test(`${kind} models are compared by the names of classes, whatever their order`, async () => {
    const [first, second] = [model("first", { kind, classes }, 3), model("second", { kind, classes: others }, 4)];
    const [own, other] = [await predictRows(first, rows), await predictRows(second, rows)];
    const result = await churn(first, second, data, options);
    const changed = own.filter(({ prediction }, i) => prediction !== other[i]?.prediction);
    assert.ok(changed.length > 0 && changed.length < NUM_ROWS);
    assert.deepEqual([result.models, result.rows, result.task], [[first, second], NUM_ROWS, kind]);
    near(result.churn.value, changed.length / NUM_ROWS);
    assert.ok(result.churn.low < result.churn.value && result.churn.value < result.churn.high);
    for (const { from, to, rows: count } of result.changed) {
      const same = own.filter(({ prediction }, i) => prediction === from && other[i]?.prediction === to);
      assert.equal(count, same.length, `${from} to ${to}`);
    }
    assert.equal(
      result.changed.reduce((sum, one) => sum + one.rows, 0),
      changed.length,
    );
    const distances = own.map(({ probabilities }, i) =>
      classes.reduce(
        (sum, name) => sum + Math.abs((probabilities?.[name] ?? 0) - (other[i]?.probabilities?.[name] ?? 0)) / 2,
        0,
      ),
    );
    near(result.distance, distances.reduce((sum, one) => sum + one, 0) / NUM_ROWS);
    assert.equal((await churn(first, first, data, options)).churn.value, 0);
  });
}

test("the churn of numbers is the mean of their differences, in the unit of the label", async () => {
  const [first, second] = [model("one", { kind: "regression" }, 3), model("two", { kind: "regression" }, 4)];
  const [own, other] = [await predictRows(first, rows), await predictRows(second, rows)];
  const differences = own.map(({ prediction }, i) => Math.abs(Number(prediction) - Number(other[i]?.prediction)));
  const { churn: found, distance, changed } = await churn(first, second, data, options);
  near(found.value, differences.reduce((sum, one) => sum + one, 0) / NUM_ROWS);
  near(distance, found.value);
  assert.ok(found.low < found.value && found.value < found.high);
  assert.deepEqual(changed, []);
});

/** The rows with a label beside them, which says what `labelOf` gives. */
function labelled(name: string, labelOf: (i: number) => string): string {
  const path = join(folder, name);
  const lines = rows.map(({ colour, size }, i) => `${colour},${size},${labelOf(i)}`);
  writeFileSync(path, ["colour,size,y", ...lines].join("\n"));
  return path;
}

/** The share of pairs of a yes and a no in which the yes has the higher probability, ties counting half. */
function area(yes: readonly number[], no: readonly number[]): number {
  const won = yes.map((a) => no.reduce((sum, b) => sum + Number(a > b) + Number(a === b) / 2, 0));
  return won.reduce((sum, one) => sum + one, 0) / (yes.length * no.length);
}

test("where files have labels of yes and no, the areas under the ROC curves are compared, by the names of classes", async () => {
  const classes = ["no", "yes"];
  const first = model("auc-one", { kind: "binary", classes }, 3);
  const second = model("auc-two", { kind: "binary", classes: ["yes", "no"] }, 4);
  const luck = uniform(rootKey(5), NUM_ROWS);
  const own = await predictRows(first, rows);
  const other = await predictRows(second, rows);
  const probability = (one: (typeof own)[number] | undefined) => one?.probabilities?.yes ?? Number.NaN;
  // Rows without a label, and of a class that the models do not know, do not count.
  const labelOf = (i: number) =>
    i % 10 === 0 ? "" : i % 50 === 1 ? "maybe" : (luck[i] ?? 0) < probability(own[i]) ? "yes" : "no";
  const { auc, churn: share, notes } = await churn(first, second, labelled("labelled.csv", labelOf), options);
  assert.deepEqual(share, (await churn(first, second, data, options)).churn);
  const at = (label: string) => rows.flatMap((_, i) => (labelOf(i) === label ? [i] : []));
  const [yes, no] = [at("yes"), at("no")];
  assert.deepEqual([auc?.rows, auc?.positives, notes], [yes.length + no.length, yes.length, []]);
  const areaOf = (of: typeof own) =>
    area(
      yes.map((i) => probability(of[i])),
      no.map((i) => probability(of[i])),
    );
  near(auc?.first.value ?? 0, areaOf(own));
  near(auc?.second.value ?? 0, areaOf(other));
  const { value = 0, low = 0, high = 0, pValue = 1 } = auc?.difference ?? {};
  near(value, areaOf(other) - areaOf(own));
  // The labels are drawn by the first model, so that the second is worse.
  assert.ok(low < value && value < high && high < 0 && pValue < 0.05, JSON.stringify(auc));
  const same = await churn(first, first, labelled("labelled.csv", labelOf), options);
  assert.deepEqual(same.auc?.difference, { value: 0, low: 0, high: 0, pValue: 1 });

  const text = churnLines({ ...(await churn(first, second, labelled("labelled.csv", labelOf), options)) }).join("\n");
  assert.match(
    text,
    /AUC: 0\.\d{4} of the first, 0\.\d{4} of the second; the second is worse: -0\.\d{4} \(95 % interval -0\.\d{4} to -0\.\d{4}\), p [<=] 0\.\d+, by DeLong's test on 4\d\d rows/,
  );
  assert.match(churnLines(same).join("\n"), /the two are not told apart: \+0\.0000 .*, p = 1, by/);
});

test("labels that cannot be compared are left out, and said to be", async () => {
  const [first, second] = [model("f", { kind: "binary" }, 3), model("s", { kind: "binary" }, 4)];
  const without = await churn(first, second, data, options);
  assert.deepEqual([without.auc, without.notes], [null, []]);
  const others = await churn(
    first,
    second,
    labelled("others.csv", () => "perhaps"),
    options,
  );
  assert.equal(others.auc, null);
  assert.match(others.notes.join(), /areas under the ROC curve are not compared: .*perhaps/);
  const alike = await churn(
    first,
    second,
    labelled("alike.csv", () => "yes"),
    options,
  );
  assert.equal(alike.auc, null);
  assert.match(alike.notes.join(), /two rows of either label or more, and of 500 labelled rows 500 are yes/);
  const empty = await churn(
    first,
    second,
    labelled("unlabelled.csv", () => ""),
    options,
  );
  assert.deepEqual([empty.auc, empty.notes], [null, []]);
  const numbers = [model("n", { kind: "regression" }, 3), model("m", { kind: "regression" }, 4)] as const;
  assert.equal((await churn(...numbers, labelled("numbers.csv", String), options)).auc, null);
});

test("models of different labels, and data without rows, are refused with what to do", async () => {
  const of = (name: string, described: DrawnModel) => model(name, described, 5);
  const binary = of("binary", { kind: "binary", classes: ["no", "yes"] });
  const refused = (second: string, message: RegExp) =>
    assert.rejects(
      churn(binary, second, data, options),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
  await refused(
    of("number", { kind: "regression" }),
    /one task, and \S+binary.onnx is of the task binary, \S+number.onnx of regression/,
  );
  await refused(
    of("other", { kind: "binary", classes: ["no", "maybe"] }),
    /same classes.*2 \(no, yes\).*2 \(no, maybe\)/,
  );
  const empty = join(folder, "empty.csv");
  writeFileSync(empty, "colour,size\n");
  await assert.rejects(churn(binary, binary, empty, options), DataError);
});

test("the command says how many decisions changed, and exits with 1 when they are more than allowed", async () => {
  const classes = ["no", "yes"];
  const [first, second] = [
    model("before", { kind: "binary", classes }, 3),
    model("after", { kind: "binary", classes }, 4),
  ];
  const run = commandsIn(folder);
  const args = ["churn", first, second, "--data", "rows.csv", "--cache", "cache"];
  const share = (await churn(first, second, data, options)).churn.value;
  const [over, under] = [
    await run.run([...args, "--max-churn", "0.1%"]),
    await run.run([...args, "--max-churn", "100%", "--json"]),
  ];
  const numbers = [model("then", { kind: "regression" }, 3), model("now", { kind: "regression" }, 4)];
  const percent = await run.run(["churn", ...numbers, "--data", "rows.csv", "--cache", "cache", "--max-churn", "2%"]);
  await run.close();
  assert.equal(over.code, 1, over.shown);
  assert.match(over.stdout, /before.onnx and \S+after.onnx on 500 rows/, over.shown);
  assert.match(over.stdout, new RegExp(`rows that they decide differently: ${(100 * share).toFixed(1)} %`), over.shown);
  assert.match(over.stderr, /is more than --max-churn 0\.1 % allows/, over.shown);
  assert.equal(under.code, 0, under.shown);
  assert.equal(JSON.parse(under.stdout).churn.value, share);
  assert.equal(percent.code, 2, percent.shown);
  assert.match(percent.stderr, /an amount in its unit.*Leave the % out/, percent.shown);
});
