/** From data and a label to a trained model, without a configuration. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { loadConfig } from "../../src/node/runs/load-config.js";
import { evaluate } from "../../src/node/table/evaluate.js";
import { configOfKind } from "../../src/run/kinds/kinds.js";
import { workplace } from "./fixture.js";
import type { Ended } from "./processes.js";
import { resultOf } from "./results.js";

const place = workplace();
const data = ["--data", "rows.csv", "--label", "late"];

function checkRefused({ code, stdout, stderr, shown }: Ended, ...patterns: readonly RegExp[]): void {
  assert.equal(code, 2, shown);
  assert.doesNotMatch(stderr, /\n\s+at /, shown);
  for (const pattern of patterns) assert.match(`${stdout}${stderr}`, pattern, shown);
}

test("data and a label are enough to train, and the configuration that says how is left behind", async () => {
  const short = ["--set", "numSteps=60", "--set", "validationInterval=20"];
  const run = place.train([...data, "--time", "date", ...short]);
  const { code, stdout, shown } = await run.ended;
  assert.equal(code, 0, shown);
  assert.match(stdout, /^label +late: binary, two different values; yes is "(true|1)" /m, shown);
  assert.match(stdout, /^split +by time: validation from 2001-04-\d\d, test from 2001-05-\d\d: /m, shown);
  assert.match(stdout, /^hour +VARCHAR +categorical +24 +0\.\d\d +24 different values$/m, shown);
  assert.match(stdout, /^size +DOUBLE +numeric +[\d,]+ +0\.\d\d +\d.* to 0\.9\d+$/m, shown);
  assert.match(stdout, /^time +about \d+:\d\d of training on this machine$/m, shown);
  assert.match(stdout, /^config +codistill\.config\.ts, to go on from$/m, shown);
  const folder = await run.folder();
  const written = await loadConfig(place.path("codistill.config.ts"), ["numSteps=60", "validationInterval=20"]);
  const { version: _, ...trained } = JSON.parse(readFileSync(folder.config, "utf8"));
  assert.deepEqual(trained, JSON.parse(JSON.stringify(written)), shown);
  assert.ok(
    resultOf(folder).groups.every(({ testAuc = 0 }) => testAuc > 0.5),
    shown,
  );
});

test("classes and numbers are trained as what they are, and a configuration that is there is left alone", async () => {
  const before = readFileSync(place.path("codistill.config.ts"), "utf8");
  const cases = [
    ["kind", "codistill.config-2.ts", /^label +kind: multiclass, 3 different names$/m],
    ["size", "codistill.config-3.ts", /^label +size: regression, numbers with fractions/m],
  ] as const;
  for (const [label, file, said] of cases) {
    const flags = ["--data", "rows.csv", "--label", label, "--ignore", "date,city"];
    const short = ["--set", "numSteps=20", "--set", "numGroups=1"];
    const run = place.train([...flags, ...short]);
    const { code, stdout, shown } = await run.ended;
    assert.equal(code, 0, shown);
    assert.match(stdout, said, shown);
    assert.match(stdout, /group 0 +\d.* shipped$/m, shown);
    assert.match(
      stdout,
      new RegExp(`^config +${file}, to go on from; codistill\\.config\\.ts says something else, and stays`, "m"),
      shown,
    );
    const { task, data: own } = configOfKind(await loadConfig(place.path(file)), "table", "this");
    assert.equal(task.kind, label === "kind" ? "multiclass" : "regression");
    assert.ok(!("city" in own.categorical));
    if (task.kind === "regression") await checkIntervals((await run.folder()).model.onnx);
  }
  assert.equal(readFileSync(place.path("codistill.config.ts"), "utf8"), before);
});

/** The intervals of a model of numbers, in evaluate and in predict. */
async function checkIntervals(model: string): Promise<void> {
  const { coverage = [] } = await evaluate(model, place.path("rows.csv"), { cacheFolder: place.path("cache") });
  assert.deepEqual(
    coverage.map(({ level }) => level),
    [0.5, 0.8, 0.9, 0.95],
  );
  for (const { level, held } of coverage) assert.ok(Math.abs(held.value - level) < 0.05, `${held.value} of ${level}`);
  const predicted = await place.command(["predict", model, "rows.csv", "--interval", "90%"]);
  assert.equal(predicted.code, 0, predicted.shown);
  const [head = "", ...lines] = predicted.stdout.trim().split("\n");
  assert.ok(head.endsWith(",prediction,prediction_low,prediction_high"), head);
  const sizeAt = head.split(",").indexOf("size");
  const isHeld = lines.map((line) => {
    const cells = line.split(",");
    const [low, high] = cells.slice(-2).map(Number) as [number, number];
    return low <= Number(cells[sizeAt]) && Number(cells[sizeAt]) <= high;
  });
  const share = isHeld.filter(Boolean).length / lines.length;
  assert.ok(Math.abs(share - (coverage[2]?.held.value ?? 0)) < 1e-3, `${share}`);
}

test("describe shows the same and leaves nothing behind", async () => {
  const { code, stdout, shown } = await place.codistill(["describe", ...data, "--json"]).ended;
  assert.equal(code, 0, shown);
  const { columns, rows, configuration, seconds } = JSON.parse(stdout);
  assert.deepEqual(
    columns.map(({ role }: { readonly role: string }) => role),
    ["time", "categorical", "categorical", "categorical", "numeric", "label"],
  );
  assert.equal(rows.train + rows.validation + rows.test, 6000);
  assert.equal(configuration.data.numeric.size, "case when isfinite(size) then size end");
  assert.ok(seconds > 0);
  const { stdout: text } = await place.command(["describe", ...data, "--ignore", "date", "--write", "x.ts"]);
  assert.equal(text, "");
  assert.ok(!existsSync(place.path("x.ts")));
});

test("describe without a label is a first look at the columns", async () => {
  const [look, refused] = await Promise.all([
    place.command(["describe", "--data", "rows.csv"]),
    place.command(["describe", "--data", "rows.csv", "--positive", "yes"]),
  ]);
  assert.equal(look.code, 0, look.shown);
  assert.match(look.stdout, /^column +type +role +values +missing +holds$/m);
  assert.match(look.stdout, /^city +VARCHAR +categorical +\d+ .* %/m);
  assert.match(look.stdout, /^next +name a column to predict/m);
  checkRefused(refused, /--positive \(yes\) says how a label is learned, and there is none\. Name the column/);
});

test("mistakes are refused before anything is made", async () => {
  const refusals: readonly (readonly [readonly string[], ...RegExp[]])[] = [
    [["--data", "rows.csv"], /train: data and a label make a configuration, and --label is missing, as in --data/],
    [["a.config.ts", ...data], /make a new configuration; leave a\.config\.ts out/],
    [[...data, "--ignore", "ctiy"], /--ignore: must be a column of the table, got "ctiy".*Did you mean city\?/],
    [[...data, "--task", "clases"], /--task must be binary, multiclass, regression, got "clases"/],
  ];
  const ended = await Promise.all(refusals.map(([flags]) => place.command(["train", ...flags])));
  for (const [i, [, ...patterns]] of refusals.entries()) checkRefused(ended[i] as Ended, ...patterns);
  assert.ok(!existsSync(place.path("runs")));
});
