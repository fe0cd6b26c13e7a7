/** Data that is larger than the memory it is given. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { openDuckdb } from "../../src/node/sources/duckdb.js";
import { isFull } from "../fixtures/full.js";
import { workplace } from "./fixture.js";
import { isPeakKnown, watchPeaks } from "./peak-memory.js";
import { resultOf } from "./results.js";

const place = workplace();
const NUM_ROWS = 3_400_000;
const NUM_COLUMNS = 20;
/** Megabytes that are given: less than the CSV has, and less than the training rows take. */
const GIVEN = 256;
/** What a process holds beside that: Node.js, ONNX Runtime and DuckDB, their code, their heaps, the buffers of threads. */
const BESIDE = { main: 500, group: 250 };
const skip = isFull
  ? !isPeakKnown && "the peak of a process is told by /proc alone"
  : "takes minutes: npm test -- --full process/memory";

before(async () => {
  if (skip) return;
  const db = await openDuckdb(place.path("spill"), { writes: [place.path("large.csv")] });
  const columns = Array.from({ length: NUM_COLUMNS }, (_, i) => `(i * ${7919 + 2 * i}) % ${1000 + i} as x${i}`);
  await db.run(`copy (select ${columns.join(", ")}, i % 3 = 0 or x0 > 900 as late, i % 100 as part
    from range(${NUM_ROWS}) t(i)) to '${place.path("large.csv")}'`);
  await db.close();
});

test("a table larger than the memory given trains within it, to the bits that it has with more", { skip }, async () => {
  const numeric = Object.fromEntries(Array.from({ length: NUM_COLUMNS }, (_, i) => [`x${i}`, `x${i}`]));
  const config = {
    name: "large",
    data: {
      source: "large.csv",
      label: "late",
      categorical: {},
      numeric,
      split: { train: "part < 95", validation: "part = 95", test: "part = 96" },
    },
    model: { kind: "mlp", hidden: [16] } as const,
    numGroups: 2,
    numSteps: 60,
    globalBatchSize: 512,
    validationInterval: 30,
    // What a teacher is by when is not the same twice.
    algorithm: { burnInSteps: 20, distillWeight: 0 },
  };
  const file = await place.config("large.config.json", config as never);
  const run = place.train([file], { env: { CODISTILL_MEMORY: `${GIVEN}MB` } });
  const { peaks, stop } = watchPeaks(run.pid);
  const { code, shown } = await run.ended;
  stop();
  assert.equal(code, 0, shown);
  const folder = await run.folder();

  const [, cache = ""] = /"cache":\s*"([^"]+)"/.exec(readFileSync(folder.data, "utf8")) ?? [];
  const trainBytes = statSync(join(place.path("."), cache, "train.bin")).size;
  assert.ok(statSync(place.path("large.csv")).size > GIVEN * 1e6 && trainBytes > GIVEN * 1e6, `${trainBytes}`);
  assert.equal(peaks.size, 3, "the main process and two groups");
  for (const [pid, peak] of peaks) {
    const most = 1e6 * (pid === run.pid ? GIVEN + BESIDE.main : GIVEN / 2 + BESIDE.group);
    assert.ok(peak > 50e6 && peak <= most, `${pid} held ${peak} bytes, at most ${most} are stated. ${shown}`);
  }

  const roomy = place.train([file], { env: { CODISTILL_MEMORY: "2GB" } });
  const other = await roomy.ended;
  assert.equal(other.code, 0, other.shown);
  const losses = (of: typeof folder) =>
    resultOf(of).groups.map(({ testLoss, validationLoss }) => [testLoss, validationLoss]);
  assert.deepEqual(losses(folder), losses(await roomy.folder()));
  assert.ok(losses(folder).length === 2 && losses(folder).flat().every(Number.isFinite), shown);
});
