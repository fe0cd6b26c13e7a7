/** The law of workers, for workers in processes of their own. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isFull } from "../../../test/fixtures/full.js";
import { launched, mpiLaunchers } from "../../../test/fixtures/mpi-launchers.js";
import { digestOf, trainedBy } from "../../../test/fixtures/worker-runs.js";
import { mostTeachers, workerLearnerNames } from "../../../test/fixtures/worker-steps.js";

const program = fileURLToPath(new URL("../../../test/fixtures/crew-process.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "codistill-crew-"));
after(() => rmSync(folder, { recursive: true }));

const cases = workerLearnerNames.map((name) => ({ name, numTeachers: mostTeachers(name) }));
const shapes = isFull
  ? ([
      [2, 1],
      [3, 2],
      [4, 1],
    ] as const)
  : ([[3, 2]] as const);

for (const launcher of mpiLaunchers) {
  for (const [workers, accumulate] of shapes) {
    test(`${workers} processes of ${launcher.name} with ${accumulate} batches each take the steps of one worker, to the bit`, async () => {
      const named = cases.map(({ name, numTeachers }) => `${name}:${numTeachers}`);
      const { code, shown } = await launched(launcher, workers, [program, folder, String(accumulate), ...named]);
      assert.equal(code, 0, shown);
      const left = JSON.parse(readFileSync(join(folder, "left.json"), "utf8")) as {
        digest: string;
        metrics: unknown;
      }[];
      for (const [i, { name, numTeachers }] of cases.entries()) {
        const { state, metrics } = await trainedBy(name, { workers: 1, accumulate: workers * accumulate, numTeachers });
        assert.deepEqual(left[i]?.metrics, JSON.parse(JSON.stringify(metrics)), name);
        assert.equal(left[i]?.digest, digestOf(state), name);
      }
    });
  }
}
