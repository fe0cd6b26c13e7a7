/** The command that says how a run is started on a target, and starts it there. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, InvalidArgumentError } from "commander";
import { ConfigError } from "../../errors.js";
import { counted } from "../../report/format.js";
import { runsLines } from "../../report/runs.js";
import { processesOf } from "../../run/workers.js";
import { makeFolder, readRegular, writeOwn } from "../files/plain-files.js";
import { hostsOf } from "../jobs/hosts.js";
import { mpirunFamily } from "../jobs/mpirun-family.js";
import type { Launch, Plan } from "../jobs/plan.js";
import { foldedLine, quotedWords, shellLine } from "../jobs/shell.js";
import { type JobEnd, nameOf, supervise } from "../jobs/supervise.js";
import { type TargetFlag, targetFor, targetNames } from "../jobs/targets.js";
import { FAILED, REFUSED, stopOnSignals } from "../launch/exit-codes.js";
import { listedRun } from "../runs/list-runs.js";
import { loadConfig } from "../runs/load-config.js";
import { checkJoin } from "../runs/scope.js";
import { locatedStore } from "../stores/stores.js";
import { wholeNumber } from "./flags.js";
import { say } from "./output.js";
import { SET } from "./run-commands.js";

export interface LaunchFlags {
  readonly target: string;
  readonly groups?: number;
  readonly workers?: number;
  readonly threads?: number;
  readonly set: readonly string[];
  readonly store?: string;
  readonly runs: string;
  readonly hosts?: string;
  readonly mpirun?: string;
  readonly mpi?: "pmix" | "pmi2";
  readonly image?: string;
  readonly claim?: string;
  readonly mount?: string;
  readonly program?: string;
  readonly option?: readonly string[];
  readonly out?: string;
  readonly run?: boolean;
  readonly json?: boolean;
  readonly cache?: string;
}

/** Add the arguments and flags of `codistill launch`. */
export function withLaunchFlags(command: Command): Command {
  return command
    .description("print the files and lines that train a run here, by MPI, Slurm, ssh or Kubernetes; --run starts it")
    .argument("<config>", "configuration, as for train")
    .requiredOption("--target <target>", `where it runs: ${targetNames}`)
    .option("--groups <number>", "in place of the configuration's numGroups", positive)
    .option("--workers <number>", "workers of each group, in place of the configuration's", positive)
    .option("--threads <number>", "threads of each group, which its workers share", positive)
    .option(...SET)
    .option("--store <store>", "what groups share; a folder beside the run folders by default")
    .option("--runs <folder>", "where run folders are made", "runs")
    .option("--hosts <list>", "mpirun, ssh: the machines, as a,b,c or a file with one a line")
    .option("--mpirun <command>", "mpirun: the launcher, as mpirun.mpich; mpirun by default")
    .option("--mpi <kind>", "slurm: pmix, as for Open MPI, or pmi2, as for MPICH; pmix by default", mpiKind)
    .option("--image <image>", "k8s: the image of a container that has codistill")
    .option("--claim <name>", "k8s: the claim of the volume that groups share; one is made by default")
    .option(
      "--mount <folder>",
      "k8s: where the volume lies, here and in containers; the configuration's folder by default",
    )
    .option("--program <words>", "what starts codistill there, where it is not what runs here")
    .option(
      "--option <option>",
      "one more option of mpirun, sbatch or ssh, as --option=--time=2:00:00 (repeatable)",
      listed,
    )
    .option("--out <folder>", "write the files there; without it they are printed")
    .option("--run", "local, mpirun, ssh: start the groups, start those that died again, and wait")
    .option("--json", "files, lines and notes as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  codistill launch codistill.config.ts --target mpirun --workers 4 --run\n  codistill launch codistill.config.ts --target slurm --workers 8 --option=--time=2:00:00 --out jobs\n  codistill launch codistill.config.ts --target ssh --hosts node1,node2 --store /shared/flights",
    );
}

/** Print what starts a run on its target, or start it. */
export async function launchCommand(path: string, flags: LaunchFlags, cacheFolder: string): Promise<void> {
  const target = targetFor(flags.target, givenFlags(flags));
  if (flags.run && flags.json)
    throw new ConfigError("--run starts the run, and --json prints how it is started; give one of them");
  const plan = await planOf(path, flags, cacheFolder);
  const launch = target.launch(plan);
  if (flags.run) return runHere(plan, launch);
  if (flags.out !== undefined) writeFiles(flags.out, launch);
  const { files, lines, notes } = launch;
  const started = lines.map(({ does, words }) => ({ does, line: shellLine(words) }));
  if (flags.json) say(JSON.stringify({ target: flags.target, files, lines: started, notes }, null, 2));
  else say(launchText(launch, flags.out).join("\n"));
}

const targetFlags = [
  "store",
  "hosts",
  "mpirun",
  "mpi",
  "image",
  "claim",
  "mount",
  "program",
  "option",
  "out",
  "run",
] as const satisfies readonly TargetFlag[];

function givenFlags(flags: LaunchFlags): TargetFlag[] {
  return targetFlags.filter((flag) => flags[flag] !== undefined);
}

async function planOf(path: string, flags: LaunchFlags, cacheFolder: string): Promise<Plan> {
  const { groups, workers, threads } = flags;
  const overrides = [...flags.set, ...(groups === undefined ? [] : [`numGroups=${groups}`])];
  const configured = await loadConfig(path, overrides);
  const config = await loadConfig(path, [
    ...overrides,
    ...(workers === undefined ? [] : [`workers=${workers}`]),
    ...(threads === undefined ? [] : [`threads=${threads}`]),
  ]);
  const { name, numGroups } = config;
  const runs = resolve(flags.runs);
  const store = locatedStore(flags.store ?? join(runs, `${name}-store`));
  checkJoin(numGroups, { store });
  const file = resolve(path);
  const mpirun = flags.mpirun ?? "mpirun";
  const isCacheChosen = flags.cache !== undefined || process.env.CODISTILL_CACHE !== undefined;
  const plan: Plan = {
    name,
    config: file,
    overrides,
    numGroups,
    workers: config.workers,
    processes: processesOf(config),
    threads: config.threads ?? null,
    configured: { workers: configured.workers, threads: configured.threads ?? null },
    restarts: config.restarts,
    store,
    runs,
    folder: process.cwd(),
    cache: isCacheChosen ? resolve(cacheFolder) : null,
    program: programOf(flags),
    hosts: flags.hosts === undefined ? [] : hostsOf(flags.hosts),
    cores: availableParallelism(),
    // Where there is no launcher here, the lines are for other machines.
    mpirun: { command: mpirun, family: (flags.target === "mpirun" && mpirunFamily(mpirun)) || "openmpi" },
    mpi: flags.mpi ?? "pmix",
    image: flags.image ?? "",
    claim: flags.claim ?? null,
    mount: resolve(flags.mount ?? dirname(file)),
    options: flags.option ?? [],
  };
  refuseControls(plan);
  return plan;
}

/** What runs here, by its paths: npx in between would not pass signals on. In a container, what the image has. */
function programOf({ target, program }: LaunchFlags): readonly string[] {
  if (program !== undefined) return program.trim().split(/\s+/);
  if (target === "k8s") return ["codistill"];
  return [process.execPath, fileURLToPath(new URL("../main.js", import.meta.url))];
}

/** Throws {@link ConfigError} for characters that no line can show: what is printed must be what is run. */
function refuseControls(plan: Plan): void {
  for (const [name, value] of Object.entries(plan)) {
    const texts = [value].flat().filter((text) => typeof text === "string");
    const bad = texts.find((text) => /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/u.test(text));
    if (bad !== undefined)
      throw new ConfigError(
        `${name}: lines to be run have no control characters in them, got ${JSON.stringify(bad)}. Rename it, or leave it out.`,
      );
  }
}

/** Write the files of a launch. One that is there already may have been changed by hand, and stays. */
function writeFiles(folder: string, { files }: Launch): void {
  for (const { name, text } of files) {
    const path = join(folder, name);
    if (existsSync(path) && Buffer.from(readRegular(path)).toString("utf8") !== text)
      throw new ConfigError(
        `--out: ${path} is there and differs from what would be written. Remove it, or name another folder.`,
      );
  }
  makeFolder(folder);
  for (const { name, text } of files) writeOwn(join(folder, name), "replace", text);
}

/** What is printed: lines that a shell takes as they are, all else as comments; files are printed as they are. */
function launchText({ files, lines, jobs, notes }: Launch, out: string | undefined): string[] {
  const shown = files.flatMap(({ name, text }) =>
    out === undefined ? [`# The file ${name}:`, "", text] : [`# wrote ${join(out, name)}`],
  );
  const paths = new Map(files.map(({ name }) => [name, out === undefined ? name : join(out, name)]));
  const commands = lines.flatMap(({ does, words }) => [
    `# ${does}:`,
    foldedLine(quotedWords(words.map((word) => paths.get(word) ?? word))),
    "",
  ]);
  const started = jobs.length > 0 ? ["# All of it from one terminal, with restarts: the same command with --run."] : [];
  return [...shown, ...commands, ...notes.map((note) => `# Note: ${note}.`), ...started];
}

/** Start the jobs, wait until they have ended, and say how they have. */
async function runHere({ restarts }: Plan, { jobs, notes }: Launch): Promise<void> {
  const stop = stopOnSignals();
  for (const note of notes) say(`note: ${note}`);
  const asked = () => say("stopping: groups save and end; a second signal ends them at once");
  stop.signal.addEventListener("abort", asked, { once: true });
  const ends = await supervise(jobs, { restarts, stop: stop.signal, say });
  say(`\n${summary(ends).join("\n")}`);
  if (ends.some(({ how }) => how === "failed")) process.exitCode = FAILED;
  else if (ends.some(({ how }) => how === "refused")) process.exitCode = REFUSED;
  else if (stop.signal.aborted) stop.hasSaved();
}

function summary(ends: readonly JobEnd[]): string[] {
  const runs = ends.map(({ job }) => listedRun(relative("", job.runFolder))).filter((run) => run !== null);
  const bad = ends.filter(({ how }) => how !== "finished");
  const again = ends.filter(({ starts }) => starts > 1);
  return [
    ...(runs.length > 0 ? runsLines(runs) : []),
    ...again.map(({ job, starts }) => `${nameOf(job)} was started ${counted(starts, "time")}`),
    ...(bad.length === 0
      ? ["all have finished"]
      : [...bad.map(({ job, how }) => `${nameOf(job)}: ${how}`), "the same command goes on where they are"]),
  ];
}

function positive(text: string): number {
  const number = wholeNumber(text);
  if (number < 1) throw new InvalidArgumentError("must be 1 or more");
  return number;
}

function mpiKind(text: string): string {
  if (text !== "pmix" && text !== "pmi2") throw new InvalidArgumentError(`must be pmix or pmi2, got "${text}"`);
  return text;
}

function listed(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}
