import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { isFull } from "../fixtures/full.js";
import type { RaceData, RaceOutcome } from "./racer.js";

const [numRaces, numRacers] = [isFull ? 1000 : 200, 2];

test(`in ${numRaces} races for one group each has one winner, and no two starts of a group are one`, async (t) => {
  const root = await mkdtemp(join(tmpdir(), "claims-"));
  const workerData: RaceData = {
    root,
    numRaces,
    numRacers,
    arrived: new Int32Array(new SharedArrayBuffer(2 * numRaces * Int32Array.BYTES_PER_ELEMENT)),
  };
  const workers = Array.from(
    { length: numRacers },
    () => new Worker(new URL("./racer.js", import.meta.url), { workerData }),
  );
  t.after(async () => {
    await Promise.all(workers.map((worker) => worker.terminate()));
    await rm(root, { recursive: true });
  });
  const outcomes = await Promise.all(
    workers.map(async (worker) => (await once(worker, "message"))[0] as RaceOutcome[]),
  );
  for (let race = 0; race < numRaces; race++) {
    const all = outcomes.map((ofRacer) => ofRacer[race]);
    assert.equal(all.filter((outcome) => outcome?.hasGroup).length, 1, `race ${race}`);
    assert.deepEqual(all.map((outcome) => outcome?.incarnation).sort(), [1, 2], `race ${race}`);
  }
});
