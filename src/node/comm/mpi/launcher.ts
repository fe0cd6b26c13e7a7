/** Who started this process, told by its environment: the library of MPI must be that of the launcher. */
import { ConfigError } from "../../../errors.js";

export type LauncherKind = "openmpi" | "pmix" | "hydra" | "slurm" | "none";

/** How this process was started. */
export interface Launcher {
  readonly kind: LauncherKind;
  /** What it is called, for people. */
  readonly name: string;
  /** How many processes it started, and which of them this is; null where it does not say. */
  readonly size: number | null;
  readonly rank: number | null;
  /** Libraries of MPI that go with it, by the names under which the system finds them; the first that is there is taken. */
  readonly libraries: readonly string[];
}

const OPEN_MPI = ["libmpi.so.40"];
const MPICH = ["libmpich.so.12", "libmpi.so.12", "libmpi_abi.so.0"];

type Environment = Readonly<Record<string, string | undefined>>;

interface Known {
  readonly name: string;
  readonly isIn: (env: Environment) => boolean;
  readonly size: string;
  readonly rank: string;
  readonly libraries: readonly string[];
}

/** In the order in which they are looked for: `srun` sets variables of its own beside those of PMIx and PMI. */
const known: { readonly [K in Exclude<LauncherKind, "none">]: Known } = {
  openmpi: {
    name: "mpirun of Open MPI",
    isIn: (env) => env.OMPI_COMM_WORLD_SIZE !== undefined,
    size: "OMPI_COMM_WORLD_SIZE",
    rank: "OMPI_COMM_WORLD_RANK",
    libraries: OPEN_MPI,
  },
  pmix: {
    name: "srun --mpi=pmix",
    isIn: (env) => env.PMIX_RANK !== undefined,
    size: "SLURM_NTASKS",
    rank: "PMIX_RANK",
    libraries: [...OPEN_MPI, ...MPICH],
  },
  hydra: {
    name: "mpiexec of MPICH, or srun --mpi=pmi2",
    isIn: (env) => env.PMI_RANK !== undefined,
    size: "PMI_SIZE",
    rank: "PMI_RANK",
    libraries: MPICH,
  },
  slurm: {
    name: "srun without --mpi",
    isIn: (env) => Number(env.SLURM_NTASKS) > 1 && env.SLURM_PROCID !== undefined && env.SLURM_STEP_ID !== undefined,
    size: "SLURM_NTASKS",
    rank: "SLURM_PROCID",
    libraries: [],
  },
};

/** How this process was started. */
export function launcherOf(env: Environment): Launcher {
  const numberOf = (name: string) => (/^\d+$/.test(env[name] ?? "") ? Number(env[name]) : null);
  for (const [kind, { name, isIn, size, rank, libraries }] of Object.entries(known) as [keyof typeof known, Known][]) {
    if (isIn(env)) return { kind, name, size: numberOf(size), rank: numberOf(rank), libraries };
  }
  return { kind: "none", name: "no launcher", size: null, rank: null, libraries: [...OPEN_MPI, ...MPICH] };
}

/**
 * Throws {@link ConfigError} where a launcher started several processes and the library, which was made for another one, takes
 * each of them for the only one; or where there is no way for them to find each other.
 */
export function checkPairing(launcher: Launcher, library: string, size: number, rank: number): void {
  if (launcher.size === null || launcher.size === size) return;
  throw new ConfigError(
    `workers: the launcher and the library of MPI must be of one family: ${launcher.name} started ${launcher.size} processes, and ` +
      `${library} sees ${size}, of which this is number ${rank}. Start with the launcher of that library, or name the library ` +
      "of the launcher by its path.",
  );
}
