/** Training runs as real processes, in a temporary folder that goes away with the test file. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import type { LoggedEvent } from "../../src/log/events.js";
import { lineReader } from "../../src/node/files/log-lines.js";
import { eventOf, readLog } from "../../src/node/runs/read-log.js";
import { type RunFolder, runFolder } from "../../src/node/runs/run-folder.js";
import type { RunInput } from "../../src/run/schema.js";
import { commandsIn } from "./commands.js";
import { commandOf, type Ended, end, eventually, type Running, type StartOptions, start } from "./processes.js";
import { tinyConfig, tinyCsv } from "./tiny.js";

/** The program under test. */
export const mainFile = fileURLToPath(new URL("../../src/node/main.js", import.meta.url));

/** A training run and its folder. */
export interface Training extends Running {
  /** The run folder, once the program has made it. */
  folder(): Promise<RunFolder>;
  /** Wait until an event of the group is in its log, behind the first `skip` ones. */
  event(group: number, what: string, matches: (event: LoggedEvent) => boolean, skip?: number): Promise<LoggedEvent>;
  /** Wait until it has said something. */
  said(pattern: RegExp): Promise<void>;
}

export type Options = Partial<StartOptions>;

/** Where the tests of one file run: the data, the configurations, the run folders and all their processes. */
export interface Workplace {
  path(...names: string[]): string;
  write(name: string, content: string | Uint8Array): Promise<string>;
  /** Write the tiny configuration with changes; gives its path. */
  config(name: string, changes?: Partial<RunInput>): Promise<string>;
  /** Start a program. */
  start(program: string, args: readonly string[], options?: Options): Running;
  /** Start `codistill <args>`. */
  codistill(args: readonly string[], options?: Options): Running;
  /**
   * Run `codistill <args>` to its end in the process that the file's commands share: for those that look at something or are refused,
   * which end as they would in a process of their own.
   */
  command(args: readonly string[]): Promise<Ended>;
  /** Start `codistill train <args>`, which makes its run folder in a folder of its own. */
  train(args: readonly string[], options?: Options): Training;
  /** Start `codistill train --resume <folder>`. */
  resume(folder: RunFolder, options?: Options): Training;
  /** A run of the tiny configuration over {@link FINISHED_STEPS} steps that has ended well. All tests of a file share it. */
  finished(): Promise<Finished>;
  /** A copy of its folder, for a test that changes it. */
  finishedCopy(): Promise<RunFolder>;
}

export const FINISHED_STEPS = 60;

/** A run that has ended well. */
export interface Finished {
  readonly pid: number;
  readonly folder: RunFolder;
  readonly ended: Ended;
}

/** Make a workplace for the test file that calls this; every process that was started in it is ended with it. */
export function workplace(): Workplace {
  const root = mkdtempSync(join(tmpdir(), "codistill-process-"));
  let numRuns = 0;
  const started: Running[] = [];
  const path = (...names: string[]) => join(root, ...names);
  writeFileSync(path("rows.csv"), tinyCsv());
  const commands = commandsIn(root);

  after(async () => {
    await commands.close();
    for (const running of started) await end(running);
    for (const name of readdirSync(root).filter((entry) => entry.startsWith("runs-"))) {
      for (const run of readdirSync(path(name))) await endGroups(runFolder(path(name, run)));
    }
    await rm(root, { recursive: true, force: true });
  });

  const startHere: Workplace["start"] = (program, args, options) => {
    const running = start(program, args, { cwd: root, ...options });
    started.push(running);
    return running;
  };
  const codistill: Workplace["codistill"] = (args, options) =>
    startHere(process.execPath, [mainFile, ...args], options);

  function training(running: Running, findFolder: () => string | null): Training {
    const folder = async () => runFolder(await eventually("the run folder", findFolder, running.output));
    return {
      ...running,
      folder,
      async event(group, what, matches, skip = 0) {
        const added = eventsAdded((await folder()).group(group).log);
        let numSeen = 0;
        const look = () => {
          for (const event of added()) if (numSeen++ >= skip && matches(event)) return event;
          return null;
        };
        return eventually(what, look, running.output);
      },
      async said(pattern) {
        await eventually(String(pattern), () => pattern.exec(running.output()), running.output);
      },
    };
  }

  const config: Workplace["config"] = async (name, changes = {}) => {
    await writeFile(path(name), JSON.stringify({ ...tinyConfig, ...changes }));
    return path(name);
  };
  const train: Workplace["train"] = (args, options) => {
    const runs = path(`runs-${numRuns++}`);
    const running = codistill(["train", ...args, "--runs", runs], options);
    return training(running, () => {
      const [name] = existsSync(runs) ? readdirSync(runs) : [];
      return name === undefined ? null : join(runs, name);
    });
  };
  let trained: Promise<Finished> | undefined;
  function finished(): Promise<Finished> {
    trained ??= (async () => {
      const run = train([await config("finished.json", { numSteps: FINISHED_STEPS })]);
      const ended = await run.ended;
      assert.equal(ended.code, 0, ended.shown);
      return { pid: run.pid, folder: await run.folder(), ended };
    })();
    return trained;
  }

  return {
    path,
    async write(name, content) {
      await writeFile(path(name), content);
      return path(name);
    },
    config,
    start: startHere,
    codistill,
    command: commands.run,
    train,
    resume(folder, options) {
      return training(codistill(["train", "--resume", folder.path], options), () => folder.path);
    },
    finished,
    async finishedCopy() {
      const { folder } = await finished();
      const copy = path(`runs-${numRuns++}`, basename(folder.path));
      cpSync(folder.path, copy, { recursive: true, preserveTimestamps: true });
      return runFolder(copy);
    },
  };
}

/** Reads the events that a log has got since the last call: some runs write thousands while a test waits for one. */
function eventsAdded(log: string): () => Generator<LoggedEvent> {
  const lines = lineReader(log);
  return function* added() {
    for (const line of lines.added()) {
      const event = eventOf(line);
      if (event) yield event;
    }
  };
}

/** Everything that a group has logged. */
export function eventsOf(folder: RunFolder, group: number): LoggedEvent[] {
  return readLog(folder.group(group).log);
}

/** The log files of a run: its own, then each group's. */
export function logsOf(folder: RunFolder): string[] {
  const names = existsSync(folder.path) ? readdirSync(folder.path).filter((name) => /^group-\d+$/.test(name)) : [];
  return [folder.log, ...names.map((name) => join(folder.path, name, "log.jsonl"))];
}

type EventOf<Name extends LoggedEvent["event"]> = Extract<LoggedEvent, { readonly event: Name }>;

/** The events of one kind. */
export function ofKind<Name extends LoggedEvent["event"]>(events: readonly LoggedEvent[], name: Name): EventOf<Name>[] {
  return events.filter((event): event is EventOf<Name> => event.event === name);
}

/** The first event of a kind that a group has logged, behind the first `skip` events; waits until it is there. */
export function nextEvent<Name extends LoggedEvent["event"]>(
  { output }: Running,
  folder: RunFolder,
  group: number,
  name: Name,
  skip = 0,
): Promise<EventOf<Name>> {
  return eventually(name, () => ofKind(eventsOf(folder, group).slice(skip), name)[0] ?? null, output);
}

/** The process of a group that was started last. */
export async function pidOf(training: Training, group: number): Promise<number> {
  await training.event(group, `the start of group ${group}`, ({ event }) => event === "group-start");
  return ofKind(eventsOf(await training.folder(), group), "group-start").at(-1)?.pid ?? 0;
}

/** The processes of a run's groups that are there: those that its logs name and whose command line names its folder. */
export function groupsRunning(folder: RunFolder): number[] {
  const pids = ofKind(logsOf(folder).flatMap(readLog), "group-start").map(({ pid }) => pid);
  return pids.filter((pid) => {
    const command = commandOf(pid);
    // A resumed run's groups are given its folder as a relative path; its last two parts are in both.
    return (
      command.includes("group-main") && command.includes(join(basename(dirname(folder.path)), basename(folder.path)))
    );
  });
}

/** What the kernel says of a process in this file; nothing once it has ended. */
export function kernelFile(pid: number, name: string): string {
  try {
    return readFileSync(join("/proc", String(pid), name), "utf8");
  } catch {
    return "";
  }
}

/** The processes that were started by `codistill train` with this folder: of a launcher all ranks. */
export function trainingIn(folder: RunFolder): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const args = kernelFile(pid, "cmdline").split("\0");
      return args[1] === mainFile && args.includes(folder.path);
    });
}

/** Wait until no process of a run's groups is left. */
export async function allGone(folder: RunFolder, output: () => string): Promise<void> {
  await eventually("the end of all groups", () => (groupsRunning(folder).length === 0 ? true : null), output);
}

async function endGroups(folder: RunFolder): Promise<void> {
  for (const pid of groupsRunning(folder)) process.kill(pid, "SIGKILL");
  await allGone(folder, () => "");
}
