/**
 * What starts a run on some machines: every group is a job of its own, with the command that is here, and shares the store with the
 * others and nothing else. The files in `targets/` say how a batch system, a launcher or a cluster is told to run that command.
 */
import { join } from "node:path";

/** A run that is to be started. All paths are absolute. */
export interface Plan {
  readonly name: string;
  /** The configuration file, and what overrides options of it. */
  readonly config: string;
  readonly overrides: readonly string[];
  readonly numGroups: number;
  /** Workers of each group. */
  readonly workers: number;
  /** Processes of each group, where its workers are processes: one more than workers where a process does nothing but lead them. */
  readonly processes: number;
  /** Threads of each group; null where neither the configuration nor a flag says it. */
  readonly threads: number | null;
  /** What the configuration says of both, overridden. */
  readonly configured: { readonly workers: number; readonly threads: number | null };
  /** How often a group that died is started again. */
  readonly restarts: number;
  readonly store: string;
  /** Where the run folders of groups are. */
  readonly runs: string;
  /** The folder in which commands run. */
  readonly folder: string;
  /** Where prepared data is kept; null for the default, in `folder`. */
  readonly cache: string | null;
  /** The words that start codistill. */
  readonly program: readonly string[];
  /** Machines for the groups; none for this one. */
  readonly hosts: readonly string[];
  /** Processors of this machine. */
  readonly cores: number;
  /** The launcher of MPI, and whether it is Open MPI's or MPICH's. */
  readonly mpirun: { readonly command: string; readonly family: MpirunFamily };
  /** By which protocol tasks of Slurm find each other. */
  readonly mpi: "pmix" | "pmi2";
  /** What Kubernetes runs, and the volume that groups share: the claim of it (null: one is made) and where it lies in a container. */
  readonly image: string;
  readonly claim: string | null;
  readonly mount: string;
  /** More options for mpirun, sbatch or ssh. */
  readonly options: readonly string[];
}

export type MpirunFamily = "openmpi" | "mpich";

/** A process that `--run` starts and looks after. */
export interface Job {
  /** The group that it trains; null for all groups. */
  readonly group: number | null;
  readonly command: readonly string[];
  readonly runFolder: string;
  /** What makes it save and end: a signal, or the end of its standard input. */
  readonly stop: "SIGTERM" | "SIGUSR1" | "end of input";
}

/** What trains a run on a target. */
export interface Launch {
  /** Files to be written where the lines are run. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** Commands for a shell, each with what it does. */
  readonly lines: readonly { readonly does: string; readonly words: readonly string[] }[];
  /** The jobs behind the lines, where codistill can start them itself. */
  readonly jobs: readonly Job[];
  /** What must be true of the machines, and what the user may want to know. */
  readonly notes: readonly string[];
}

/** The run folder of a group. */
export function groupFolder({ runs, name }: Plan, group: number): string {
  return join(runs, `${name}-${group}`);
}

/** What a target makes of the threads and the workers of a group; without it, what the configuration says. */
export interface CommandOptions {
  readonly threads?: number | null | undefined;
  readonly workers?: number | undefined;
}

/**
 * The command that trains a group, the same for its first start and for every later one: it makes the run folder, and goes on with
 * it when it is there. `group` may be text of a shell instead of a number, where `word` makes words of a shell from texts.
 */
export function groupCommand(
  plan: Plan,
  group: number | string,
  { threads = null, workers }: CommandOptions = {},
  word: (text: string) => string = (text) => text,
): string[] {
  const { config, store, runs, name } = plan;
  return [
    ...[...plan.program, "train", config, ...overridesOf(plan, { threads, workers })].map(word),
    ...["--store", store, "--group"].map(word),
    String(group),
    word("--folder"),
    `${word(join(runs, `${name}-`))}${group}`,
    ...cacheFlag(plan).map(word),
  ];
}

/** The command that trains all groups on one machine. */
export function runCommand(plan: Plan, options: CommandOptions): string[] {
  const { program, config, runs, name } = plan;
  const folder = ["--folder", join(runs, name)];
  return [...program, "train", config, ...overridesOf(plan, options), ...folder, ...cacheFlag(plan)];
}

function overridesOf({ overrides, configured }: Plan, { threads, workers }: CommandOptions): string[] {
  const all = [
    ...overrides,
    ...((workers ?? configured.workers) === configured.workers ? [] : [`workers=${workers}`]),
    ...((threads ?? configured.threads) === configured.threads ? [] : [`threads=${threads}`]),
  ];
  return all.flatMap((override) => ["--set", override]);
}

function cacheFlag({ cache }: Plan): string[] {
  return cache === null ? [] : ["--cache", cache];
}
