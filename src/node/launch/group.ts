/** The work of a group's process; `group-main.ts` loads this file once it listens to its parent. */
import { writeSync } from "node:fs";
import { mostLetterBytes } from "../../async-sgd/letters.js";
import type { Engine } from "../../engine/engine.js";
import { CodistillError, codeOf, messageOf } from "../../errors.js";
import type { TrainEvent } from "../../log/events.js";
import { withoutSecrets } from "../../report/secrets.js";
import { runGroup } from "../../run/group.js";
import type { RunConfig } from "../../run/schema.js";
import type { CrewLeader } from "../../run/start.js";
import { sharersOf } from "../../run/workers.js";
import type { Leader } from "../comm/process-crew.js";
import { makeOwnFolder } from "../files/plain-files.js";
import { threadedEngine } from "../ort/threaded-engine.js";
import { readInit } from "../runs/init-weights.js";
import { logWriter } from "../runs/log.js";
import { type Ownership, takeOver } from "../runs/ownership.js";
import { ownIdentity } from "../runs/process-identity.js";
import { lastStepOf, readEvents } from "../runs/read-log.js";
import { readRunFile } from "../runs/run-file.js";
import { type RunFolder, runFolder } from "../runs/run-folder.js";
import { readScope } from "../runs/scope.js";
import { readTeachers } from "../runs/text-teachers.js";
import { directoryStore } from "../stores/directory-store.js";
import { openStore } from "../stores/stores.js";
import { asyncServers, startWorkerThreads } from "./async-workers.js";
import { errorLine } from "./error-line.js";
import { codeOfTraining, REFUSED } from "./exit-codes.js";
import { hasBegun, showLife, stopOrder } from "./group-orders.js";
import { livingEngine } from "./life-signs.js";
import { patienceOf } from "./patience.js";
import { openGroupSpec } from "./prepare.js";
import { recordOf } from "./replay.js";
import { startWorkers } from "./worker.js";

/** Which group trains, where, and with how many threads. */
interface Place {
  readonly folder: RunFolder;
  readonly groupIndex: number;
  readonly threads: number;
  /** The folder that the group alone writes to, and its log there. */
  readonly own: string;
  readonly logPath: string;
}

/** Train the group that these arguments name (the run folder, its index, its threads), and set the exit code. */
export async function trainGroup([path = "", index = "", threads = ""]: readonly string[]): Promise<void> {
  const folder = runFolder(path);
  const groupIndex = Number(index);
  const { path: own, log: logPath } = folder.group(groupIndex);
  try {
    makeOwnFolder(own);
    // Taken over before anything in the folder is read: from here on, unfinished writes of an older process are void.
    await train({ folder, groupIndex, threads: Number(threads), own, logPath }, takeOver(own), {
      stop: stopOrder,
      hasBegun,
    });
  } catch (error) {
    endWith(error);
  } finally {
    if (process.connected) process.disconnect();
  }
}

/**
 * Train a group in this process, which leads workers in others: until its last step, or until `stop` is aborted.
 *
 * Throws what training throws; the group's log has its message then.
 */
export async function trainLed(
  { folder, groupIndex, threads }: Pick<Place, "folder" | "groupIndex" | "threads">,
  leader: Leader,
  stop: AbortSignal,
): Promise<void> {
  const { path: own, log: logPath } = folder.group(groupIndex);
  makeOwnFolder(own);
  await train({ folder, groupIndex, threads, own, logPath }, takeOver(own), { stop, hasBegun: () => {}, leader });
}

/** What a group obeys and tells, and the workers that it leads in other processes. */
interface Control {
  readonly stop: AbortSignal;
  readonly hasBegun: () => void;
  readonly leader?: Leader;
}

async function train(
  { folder, groupIndex, threads, own, logPath }: Place,
  ownership: Ownership,
  { stop, hasBegun, leader }: Control,
): Promise<void> {
  const mayChange = () => leaveToNewer(ownership, own, groupIndex);
  const write = logWriter(logPath);
  let lastStep: number | undefined;
  const log = (event: TrainEvent) => {
    mayChange();
    write(event);
    if (event.event === "step" || event.event === "group-start") lastStep = event.step;
    if (event.event === "group-start") hasBegun();
  };
  const config = readRunFile(folder.config) as RunConfig;
  const scope = readScope(folder, config.numGroups);
  const { init, device = "cpu" } = config;
  const workers = leader ? 1 : sharersOf(config);
  // The threads of a group are shared out among its workers; the update has them all, as the others wait for it.
  const each = Math.max(1, Math.floor(threads / workers));
  const { silentSeconds } = patienceOf(process.env);
  const living = (one: Engine) => livingEngine(one, silentSeconds, showLife);
  const engine = living(threadedEngine({ threads: each, device }));
  const updater = workers > 1 ? living(threadedEngine({ threads })) : engine;
  let crew: ReturnType<typeof startWorkers> | undefined;
  const startThreads = (own: CrewLeader) => {
    crew = startWorkers(
      { size: workers, engine, updater, path: folder.path, groupIndex, threads: each, silentSeconds },
      own,
    );
    return crew;
  };
  const startCrew = leader ? (own: CrewLeader) => leader.crew({ engine, ...own }) : startThreads;
  const more: Engine[] = [];
  const startEngine = () => {
    const one = living(threadedEngine({ threads: each, device }));
    more.push(one);
    return one;
  };
  let servers: ReturnType<typeof asyncServers> | undefined;
  try {
    const replay = scope.replayOf === undefined ? undefined : await recordOf(scope.replayOf, groupIndex);
    const spec = await openGroupSpec(config, folder, groupIndex);
    const eachAlone = Math.max(1, Math.floor(threads / config.workers));
    const place = { path: folder.path, groupIndex, threads: eachAlone };
    servers = asyncServers({
      openMail: async () =>
        leader?.openMail(mostLetterBytes(spec.learner.model)) ?? startWorkerThreads(config.workers, place),
      living,
    });
    await runGroup({
      config,
      groupIndex,
      spec,
      ...(init && { readInit: () => readInit(init, folder.path, spec.meaning) }),
      readTeachers: () => readTeachers(config, folder.path),
      engine,
      threads,
      store: await openStore(scope.store, mayChange),
      files: directoryStore(own, mayChange),
      log,
      stop,
      process: ownIdentity(),
      ...(replay && { replay }),
      isJoined: scope.joined !== undefined,
      ...(sharersOf(config) > 1 && { startCrew }),
      startServers: servers.start,
      startEngine,
    });
  } catch (error) {
    // A failure before the group's start is logged at the last step of the starts before it.
    const step = lastStep ?? lastStepOf(readEvents(logPath, ["step", "group-start"]));
    log({
      event: "group-end",
      group: groupIndex,
      step,
      reason: "failed",
      code: codeOf(error),
      message: errorLine(error, "its stack is in errors.txt"),
      seconds: 0,
    });
    throw error;
  } finally {
    await Promise.all([crew?.close(), servers?.close()]);
    await Promise.all([engine, ...more].map((one) => one.close()));
    if (updater !== engine) await updater.close();
  }
}

/** End a process that was suspended and wakes up after a later start of its group; it changes nothing. */
function leaveToNewer({ start, isNewest }: Ownership, own: string, groupIndex: number): void {
  if (isNewest()) return;
  writeSync(
    2,
    `a group runs once at a time: this process is start number ${start} of group ${groupIndex} in ${own}, and a later one ` +
      "has been made, or the folder has been removed. This one ends and changes nothing there any more.\n",
  );
  process.exit(REFUSED);
}

function endWith(error: unknown): void {
  // A defect shows its stack; an error that the user can mend shows its message.
  const text = error instanceof CodistillError || !(error instanceof Error) ? messageOf(error) : error.stack;
  process.stderr.write(`${withoutSecrets(text ?? "")}\n`);
  process.exitCode = codeOfTraining(error);
}
