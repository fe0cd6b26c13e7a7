import assert from "node:assert/strict";
import { test } from "node:test";
import { isFull } from "../../../../test/fixtures/full.js";
import { launched, missingLaunchers, mpiLaunchers, ranksOf } from "../../../../test/fixtures/mpi-launchers.js";
import { communicatorSuite } from "../../../../test/suites/communicator.suite.js";

/** Tests of a change must have both; elsewhere those that are installed are tested. */
const isRequired = process.env.CODISTILL_REQUIRE_MPI === "1";

test("launchers of both families are installed", { skip: !isRequired && missingLaunchers.length > 0 }, () => {
  assert.deepEqual(missingLaunchers, [], "apt-get install openmpi-bin mpich");
});

for (const launcher of mpiLaunchers) {
  communicatorSuite(
    launcher.name,
    async (jobs, size) => (await ranksOf(launcher, size, jobs)).map(({ results = [] }) => results),
    isFull ? [1, 2, 3, 4] : [3],
  );

  test(`of a process that stops before it ends MPI, ${launcher.name}, the others do not wait for ever`, async () => {
    const library = new URL("./communicator.js", import.meta.url).href;
    const program = `import("${library}").then(async ({ mpiCommunicator }) => {
      const comm = await mpiCommunicator({ timeoutSeconds: 2 });
      await comm.barrier();
      if (comm.rank === 1) process.kill(process.pid, "SIGSTOP");
      await comm.close().catch(({ message }) => console.log(message));
      process.kill(process.pid, "SIGKILL");
    })`;
    const { code, shown } = await launched(launcher, 2, ["--eval", program]);
    assert.notEqual(code, 0, shown);
    assert.match(shown, /the work of worker 0 is done, and what it saved is whole, but MPI has not ended within 2 s/);
  });

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
