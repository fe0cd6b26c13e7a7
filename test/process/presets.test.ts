/** Click logs in Criteo's own form: trained by a preset, and served from files without a header. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/node/runs/load-config.js";
import { configOfKind } from "../../src/run/kinds/kinds.js";
import { fold, rootKey, uniform } from "../../src/runtime/random.js";
import { workplace } from "./fixture.js";

const place = workplace();
const NUM_ROWS = 3000;

/** Label, 13 counts with long tails, 26 names in hexadecimal; a tenth of all values is missing. */
function criteoRows(seed: number): string {
  const draw = (name: string) => uniform(fold(rootKey(seed), name), NUM_ROWS);
  const columns = Array.from({ length: 39 }, (_, i) => ({ value: draw(`value ${i}`), isThere: draw(`there ${i}`) }));
  const luck = draw("luck");
  const rows = Array.from({ length: NUM_ROWS }, (_, row) => {
    const cells = columns.map(({ value, isThere }, i) => {
      const u = value[row] ?? 0;
      if ((isThere[row] ?? 0) < 0.1) return "";
      return i < 13 ? String(Math.floor(Math.exp(8 * u)) - 2) : (0xa0000000 + Math.floor(u ** 3 * 500)).toString(16);
    });
    const logit = 3 * ((columns[0]?.value[row] ?? 0) - 0.5) + 4 * ((columns[13]?.value[row] ?? 0) - 0.5);
    return [Number((luck[row] ?? 0) < 1 / (1 + Math.exp(-logit))), ...cells].join("\t");
  });
  return `${rows.join("\n")}\n`;
}

test("the criteo preset reads, trains and serves files without a header", async () => {
  await place.write("clicks.tsv", criteoRows(1));
  const small = ["--set", "numSteps=60", "--set", "validationInterval=30", "--set", "model.hidden=[32,16]"];
  small.push("--set", 'optimizer={"kind":"adam","learningRate":0.01}');
  small.push("--set", "numGroups=1");
  const run = place.train(["--data", "clicks.tsv", "--preset", "criteo", ...small]);
  const { code, stdout, shown } = await run.ended;
  assert.equal(code, 0, shown);
  assert.match(stdout, /^I1 +BIGINT +numeric .*long tail: /m, shown);
  assert.match(stdout, /^C1 +VARCHAR +categorical /m, shown);
  const config = configOfKind(await loadConfig(place.path("codistill.config.ts")), "table", "this");
  assert.deepEqual(config.model.hidden, [2560, 1024, 256]);
  assert.equal(config.optimizer.kind, "adagrad");
  assert.equal(config.data.columns?.length, 40);
  assert.equal(Object.keys(config.data.categorical).filter((name) => name.startsWith("C")).length, 26);

  const { model } = await run.folder();
  await place.write("new.tsv", criteoRows(2));
  const predicted = await place.command(["predict", model.onnx, "new.tsv", "--out", "predicted.csv"]);
  assert.equal(predicted.code, 0, predicted.shown);
  assert.match(predicted.stdout, /^3,000 rows with prediction, probability_1/, predicted.shown);
  const evaluated = await place.command(["evaluate", model.onnx, "new.tsv", "--json"]);
  const { rows, metrics } = JSON.parse(evaluated.stdout);
  assert.equal(rows, NUM_ROWS);
  assert.ok(metrics.auc > 0.6, evaluated.shown);

  const wrong = await place.command(["train", "--data", "clicks.tsv", "--preset", "critea"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--preset must be wide or criteo, got "critea"\. Did you mean criteo\?/);
  await place.write("short.tsv", "1\t2\t3\n0\t1\t2\n");
  const short = await place.command(["train", "--data", "short.tsv", "--preset", "criteo"]);
  assert.equal(short.code, 2, short.shown);
  assert.match(short.stderr, /must name every column of the files, which have 3, got 40 names: label, I1, /);
});
