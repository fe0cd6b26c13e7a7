/** Which family of MPI a launcher is of, by what it says of itself. */
import { spawnSync } from "node:child_process";
import type { MpirunFamily } from "./plan.js";

/** How long a launcher may take to say its version. */
const TIMEOUT_MS = 10_000;

/** The family that a launcher's version tells; null where it is not known. */
export function familyOfText(version: string): MpirunFamily | null {
  if (/open[ -]?(?:mpi|rte)|prrte/i.test(version)) return "openmpi";
  return /hydra|mpich|intel\(r\) mpi|mvapich/i.test(version) ? "mpich" : null;
}

/** The family of a launcher; null when it is not there, or says nothing of it. */
export function mpirunFamily(command: string): MpirunFamily | null {
  const { stdout, stderr, error } = spawnSync(command, ["--version"], { encoding: "utf8", timeout: TIMEOUT_MS });
  return error ? null : familyOfText(`${stdout}\n${stderr}`);
}
