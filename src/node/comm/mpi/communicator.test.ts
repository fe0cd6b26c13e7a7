import assert from "node:assert/strict";
import { test } from "node:test";
import { isFull } from "../../../../test/fixtures/full.js";
import { missingLaunchers, mpiLaunchers, ranksOf } from "../../../../test/fixtures/mpi-launchers.js";
import { communicatorSuite } from "../../../../test/suites/communicator.suite.js";
import type { JobName } from "../../../../test/suites/communicator-jobs.js";

/** Jobs that leave the communicator whole: one start of the processes does them all. */
const together = [
  "place",
  "sums",
  "sums of a part of the memory",
  "sums at one worker",
  "sums of float64",
  "what is not finite",
  "broadcasts",
  "many in a row",
] as const satisfies readonly JobName[];

/** Tests of a change must have both; elsewhere those that are installed are tested. */
const isRequired = process.env.CODISTILL_REQUIRE_MPI === "1";

test("launchers of both families are installed", { skip: !isRequired && missingLaunchers.length > 0 }, () => {
  assert.deepEqual(missingLaunchers, [], "apt-get install openmpi-bin mpich");
});

for (const launcher of mpiLaunchers) {
  const done = new Map<number, ReturnType<typeof ranksOf>>();
  const asked = new Set<string>();
  communicatorSuite(
    launcher.name,
    async (job, size) => {
      const at = (together as readonly JobName[]).indexOf(job);
      const isFirst = !asked.has(`${job} ${size}`);
      asked.add(`${job} ${size}`);
      if (at < 0 || !isFirst) return (await ranksOf(launcher, size, [job])).map(({ results }) => results?.[0]);
      const ranks = done.get(size) ?? ranksOf(launcher, size, together);
      done.set(size, ranks);
      return (await ranks).map(({ results }) => results?.[at]);
    },
    isFull ? [1, 2, 3, 4] : [3],
  );

  const skip = missingLaunchers.length > 0;
  test(`the library of another family than the launcher, ${launcher.name}, is refused with both`, {
    skip,
  }, async () => {
    const others: Readonly<Record<string, string>> = { "Open MPI": "libmpich.so.12", MPICH: "libmpi.so.40" };
    const ranks = await ranksOf(launcher, 2, ["place"], { MPI_LIBRARY: others[launcher.name] });
    for (const { failed, code } of ranks) {
      assert.equal(code, "CONFIG");
      assert.match(failed ?? "", /mpi\w* of (Open MPI|MPICH).* started 2 processes, and (MPICH|Open MPI).* sees 1/);
    }
  });
}
