import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../../errors.js";
import { checkPairing, type LauncherKind, launcherOf } from "./launcher.js";

const cases: readonly [env: Record<string, string>, kind: LauncherKind, size: number | null, rank: number | null][] = [
  [{ OMPI_COMM_WORLD_SIZE: "4", OMPI_COMM_WORLD_RANK: "2", PMIX_RANK: "2" }, "openmpi", 4, 2],
  [{ PMIX_RANK: "1", SLURM_NTASKS: "2", SLURM_PROCID: "1", SLURM_STEP_ID: "0" }, "pmix", 2, 1],
  [{ PMI_RANK: "0", PMI_SIZE: "3" }, "hydra", 3, 0],
  [{ PMI_RANK: "0", PMI_SIZE: "3", SLURM_NTASKS: "3", SLURM_PROCID: "0", SLURM_STEP_ID: "0" }, "hydra", 3, 0],
  [{ SLURM_NTASKS: "2", SLURM_PROCID: "1", SLURM_STEP_ID: "0" }, "slurm", 2, 1],
  // The shell of an allocation, and a batch script, are no step of their own.
  [{ SLURM_NTASKS: "2", SLURM_PROCID: "0" }, "none", null, null],
  [{ OMPI_COMM_WORLD_SIZE: "x", OMPI_COMM_WORLD_RANK: "" }, "openmpi", null, null],
  [{}, "none", null, null],
];

test("who started a process is told by its environment", () => {
  for (const [env, kind, size, rank] of cases) {
    const launcher = launcherOf(env);
    assert.deepEqual([launcher.kind, launcher.size, launcher.rank], [kind, size, rank], JSON.stringify(env));
  }
});

test("processes of which each takes itself for the only one are refused, with the launcher and the library", () => {
  const launcher = launcherOf({ PMI_RANK: "1", PMI_SIZE: "2" });
  checkPairing(launcher, "MPICH Version: 4.0.2", 2, 1);
  assert.throws(
    () => checkPairing(launcher, "Open MPI v4.1.4", 1, 0),
    (error) =>
      error instanceof ConfigError &&
      /mpiexec of MPICH.* started 2 processes, and Open MPI v4\.1\.4 sees 1.*path/s.test(error.message),
  );
});
