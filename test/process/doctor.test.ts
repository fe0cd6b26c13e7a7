/** What doctor says under the launchers of MPI: one process of them speaks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { launched, missingLaunchers, mpiLaunchers } from "../fixtures/mpi-launchers.js";

const main = fileURLToPath(new URL("../../src/node/main.js", import.meta.url));

test(
  "launchers of both families are installed",
  {
    skip: process.env.CODISTILL_REQUIRE_MPI !== "1" && missingLaunchers.length > 0,
  },
  () => assert.deepEqual(missingLaunchers, [], "apt-get install openmpi-bin mpich"),
);

for (const launcher of mpiLaunchers) {
  test(`of two processes of ${launcher.name} the first says what launcher and library there are`, async () => {
    const { code, shown } = await launched(launcher, 2, [main, "doctor"]);
    assert.equal(code, 0, shown);
    assert.equal(shown.match(/process \d of 2/g)?.join(), "process 0 of 2", shown);
    assert.match(shown, new RegExp(`^ok +MPI +${launcher.name}`, "m"));
    for (const line of shown.split("\n")) assert.ok(line.length <= 80, line);
  });
}
