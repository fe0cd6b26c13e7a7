/** A model that a run exported, served: by the command line, and by the code in docs/serving.md. */
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { test } from "node:test";
import { trainEvents } from "../../src/node/launch/run-events.js";
import { loadConfig } from "../../src/node/runs/load-config.js";
import { readLog } from "../../src/node/runs/read-log.js";
import { runFolder } from "../../src/node/runs/run-folder.js";
import type { EvaluateResult } from "../../src/node/table/evaluate.js";
import { fold, rootKey, uniform } from "../../src/runtime/random.js";
import { mainFile, workplace } from "./fixture.js";
import { resultOf } from "./results.js";
import { tinyConfig } from "./tiny.js";

const place = workplace();
/** Some ten chunks of DuckDB. */
const NUM_ROWS = 20_000;

/** With features of every kind: of a time, of text and of numbers, some of them missing, some of expressions. */
const config = {
  name: "served",
  data: {
    ...tinyConfig.data,
    categorical: {
      ...tinyConfig.data.categorical,
      weekday: "dayofweek(date)",
      pair: "concat(city, '|', kind)",
      decile: "case when size < 0.1 then 0 when size < 0.9 then 1 when size is not null then 2 end",
    },
    numeric: { logSize: "sign(size) * ln(1 + abs(size) * 1e1)", days: "epoch(date) / 86400" },
  },
};

interface Row {
  readonly date: string;
  readonly city: string;
  readonly kind: string;
  readonly hour: string;
  readonly size: number | null;
}

/** Rows of which a tenth has something missing, and a tenth a name that training never saw. */
function rawRows(): Row[] {
  const draw = (name: string) => uniform(fold(rootKey(3), name), NUM_ROWS);
  const draws = { date: draw("date"), city: draw("city"), kind: draw("kind"), hour: draw("hour"), size: draw("size") };
  const rare = draw("rare");
  return Array.from({ length: NUM_ROWS }, (_, i) => {
    const pick = (name: keyof typeof draws, values: readonly string[]) =>
      values[Math.floor((draws[name][i] ?? 0) * values.length)] ?? "";
    const luck = rare[i] ?? 0;
    const day = new Date(Date.UTC(1999, 0, 1 + Math.floor((draws.date[i] ?? 0) * 2000)));
    return {
      date: luck < 0.02 ? "" : day.toISOString().slice(0, 10),
      city:
        luck < 0.04
          ? ""
          : pick("city", ["Lima", "Oslo", "Rome", "Bonn", "Kyiv", "Bern", "Cork", "Pisa", "São Paulo, SP"]),
      kind: luck > 0.98 ? 'zeppelin "LZ 129"' : luck > 0.96 ? "" : pick("kind", ["bus", "train", "plane"]),
      hour: pick("hour", ["h1", "h16", "h23", "h99"]),
      size: luck > 0.9 && luck < 0.95 ? null : (draws.size[i] ?? 0) * 3 - 1,
    };
  });
}

const quoted = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

test("plain ONNX Runtime on raw rows gives what predict gives, and predict what the run was scored with", async () => {
  const folder = runFolder(place.path("run"));
  const stop = new AbortController().signal;
  const run = trainEvents({
    config: await loadConfig(await place.config("served.json", config), ["numSteps=60"]),
    folder: folder.path,
    cacheFolder: place.path("cache"),
    stop,
  });
  const told: string[] = [];
  for (let next = await run.next(); ; next = await run.next()) {
    if (next.done) {
      assert.deepEqual(JSON.parse(JSON.stringify(next.value?.groups)), resultOf(folder).groups);
      break;
    }
    told.push(next.value.event);
  }
  assert.deepEqual(getEventListeners(stop, "abort"), [], "nobody listens to the signal of a run that has ended");
  const logged = [readLog(folder.log), ...[0, 1].map((group) => readLog(folder.group(group).log))].flat();
  assert.deepEqual(told.toSorted(), logged.map(({ event }) => event).toSorted());
  const model = folder.model.onnx;

  const rows = rawRows();
  const lines = rows.map((row) => [row.date, quoted(row.city), quoted(row.kind), row.hour, row.size ?? ""].join(","));
  await place.write("raw.csv", `date,city,kind,hour,size\n${lines.join("\n")}\n`);
  const predicted = await place.codistill(["predict", model, "raw.csv", "--out", "predicted.csv"]).ended;
  assert.equal(predicted.code, 0, predicted.shown);
  assert.match(predicted.stdout, /^20,000 rows with prediction, probability_true in predicted\.csv, \d+\.\d s$/m);
  await place.write("odd.csv", "date,city,kind,hour,size\n2025-01-03,nowhere,bus,4,1e6\n2025-01-03,,bus,4,\n");
  const odd = await place.command(["predict", model, "odd.csv", "--out", "odd-predicted.csv", "--json"]);
  assert.equal(odd.code, 0, odd.shown);
  const { unlike } = JSON.parse(odd.stdout);
  const unlikeOf = (column: string) => unlike.find(({ columns }: { columns: string[] }) => columns.join() === column);
  const { unseen, example, missing } = unlikeOf("city");
  assert.deepEqual([unseen, example, missing], [1, "nowhere", 1]);
  assert.deepEqual([unlikeOf("size").outside, unlikeOf("size").highest], [1, "1000000"]);
  assert.match(
    odd.stderr,
    /^note {4}city: 1 row \(50 %\) have a name that training had never or too seldom, as "nowhere"/m,
  );
  // To a device that is full: told once, with what to do about it.
  if (existsSync("/dev/full")) {
    const args = ["-c", 'exec "$0" "$@" > /dev/full', process.execPath, mainFile, "predict", model, "raw.csv"];
    const { code, stderr, shown } = await place.start("sh", args).ended;
    assert.equal(code, 2, shown);
    const lines = stderr.split("\n").filter((line) => line.startsWith("codistill: "));
    assert.equal(lines.length, 1, shown);
    assert.match(lines[0] ?? "", /predict: standard output takes no more .*not whole\. Give --out/, shown);
  }
  const [head, ...appended] = readFileSync(place.path("predicted.csv"), "utf8").trim().split("\n");
  assert.equal(head, "date,city,kind,hour,size,prediction,probability_true");
  assert.equal(appended.length, NUM_ROWS);
  for (const [i, line] of appended.entries()) {
    assert.ok(line.startsWith(`${lines[i]},`), `row ${i} is ${line}, was ${lines[i]}`);
  }
  const probs = appended.map((line) => Number(line.slice(line.lastIndexOf(",") + 1)));
  for (const [i, line] of appended.entries()) {
    assert.equal(line.split(",").at(-2), String((probs[i] ?? 0) >= 0.5), `row ${i}`);
  }
  assert.ok(new Set(probs.map((p) => p.toFixed(3))).size > 100, "the predictions differ");

  // The code in the docs, with these rows in place of its own.
  const docs = readFileSync(new URL("../../../docs/serving.md", import.meta.url), "utf8");
  const [, snippet = ""] = /<!-- snippet: node -->\n```js\n(.*?)```/s.exec(docs) ?? [];
  const feeding = `JSON.parse((await import("node:fs")).readFileSync("rows.json", "utf8"))`;
  const code_ = snippet
    .replace(/^const rows = .*$/m, `const rows = ${feeding};`)
    .replace('"model.onnx"', JSON.stringify(model));
  assert.ok(code_.includes(feeding) && code_.includes(JSON.stringify(model)), snippet);
  await place.write("rows.json", JSON.stringify(rows.map(({ date, ...row }) => ({ ...row, date: date || null }))));
  await place.write("serve.mjs", code_);
  symlinkSync(new URL("../../../node_modules", import.meta.url), place.path("node_modules"));
  const served = await place.start(process.execPath, ["serve.mjs"]).ended;
  assert.equal(served.code, 0, served.shown);
  const others = JSON.parse(served.stdout) as number[];
  assert.equal(others.length, NUM_ROWS);
  for (const [i, p] of others.entries()) {
    assert.ok(Math.abs(p - (probs[i] ?? Number.NaN)) <= 1e-6, `row ${i}: ${p} and ${probs[i]}`);
  }

  // The same of Python, where there is one that can.
  const python = process.env.CODISTILL_PYTHON;
  if (python !== undefined) {
    const [, pythonSnippet = ""] = /<!-- snippet: python -->\n```python\n(.*?)```/s.exec(docs) ?? [];
    const program = pythonSnippet.replace('"new.csv"', '"raw.csv"').replace('"model.onnx"', JSON.stringify(model));
    await place.write("serve.py", `${program}\nimport json\nprint(json.dumps(probability.tolist()))\n`);
    const inPython = await place.start(python, ["serve.py"]).ended;
    assert.equal(inPython.code, 0, inPython.shown);
    for (const [i, p] of (JSON.parse(inPython.stdout) as number[]).entries()) {
      assert.ok(Math.abs(p - (probs[i] ?? Number.NaN)) <= 1e-6, `row ${i} in Python: ${p} and ${probs[i]}`);
    }
  }

  const where = tinyConfig.data.split.test;
  const asked = ["--by", "kind", "--cost-fp", "1", "--cost-fn", "3", "--importance-rows=500", "--importance-repeats=2"];
  const evaluated = await place.codistill(["evaluate", model, "rows.csv", "--where", where, ...asked, "--json"]).ended;
  assert.equal(evaluated.code, 0, evaluated.shown);
  const { rows: numRows, metrics, estimates, slices, ...beside } = JSON.parse(evaluated.stdout);
  const [first] = resultOf(folder).groups;
  assert.equal(numRows, resultOf(folder).testRows);
  for (const [own, tested] of [
    [metrics.loss, first?.testLoss],
    [metrics.auc, first?.testAuc],
    [metrics.accuracy, first?.testAccuracy],
    [metrics.calibrationError, first?.testCalibrationError],
  ]) {
    assert.ok(Math.abs(own - tested) < 1e-6, `${own}, and ${tested} in the run's result. ${evaluated.shown}`);
  }
  assert.ok(estimates.loss.low < metrics.loss && metrics.loss < estimates.loss.high);
  assert.deepEqual(slices.map(({ name }: { name: string }) => name).sort(), ["bus", "plane", "train"]);
  const { reliability, thresholds, importance } = beside as Pick<
    EvaluateResult,
    "reliability" | "thresholds" | "importance"
  >;
  assert.equal(
    reliability.reduce((sum, bin) => sum + bin.rows, 0),
    numRows,
  );
  // All columns of the file but the label; that of the date is read by the SQL of two features.
  assert.equal(importance?.rows, 500);
  const columns = importance?.columns.map(({ column }) => column) ?? [];
  assert.deepEqual(columns.toSorted(), ["city", "date", "hour", "kind", "size"]);
  assert.ok((importance?.columns[0]?.rise.low ?? 0) > 0, evaluated.shown);

  // The threshold of the least cost decides in predict as it was counted.
  const { threshold = Number.NaN, truePositives = 0, falsePositives = 0 } = thresholds?.least ?? {};
  const args = ["predict", model, "rows.csv", "--threshold", String(threshold), "--out", "decided.jsonl"];
  const decided = await place.codistill(args).ended;
  assert.equal(decided.code, 0, decided.shown);
  const tested = readFileSync(place.path("decided.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const numYes = tested.filter(({ date, prediction }) => date >= "2001-05-11" && prediction === "true").length;
  assert.equal(numYes, truePositives + falsePositives);
});
