/** The process of one group: `group-main.js <run folder> <group index> <threads>`. */
import { CodistillError, messageOf, StoreError } from "../errors.js";
import { runGroup } from "../run/group.js";
import type { RunConfig } from "../run/schema.js";
import { directoryStore } from "./directory-store.js";
import { FAILED, REFUSED } from "./exit-codes.js";
import { readInit } from "./init-weights.js";
import { logWriter } from "./log.js";
import { makeOwnFolder } from "./plain-files.js";
import { openWorkload } from "./prepare.js";
import { lastStepOf, readEvents } from "./read-log.js";
import { recordOf } from "./replay.js";
import { readRunFile } from "./run-file.js";
import { runFolder } from "./run-folder.js";
import { readScope } from "./scope.js";
import { threadedEngine } from "./threaded-engine.js";

const [path = "", index = "", threads = ""] = process.argv.slice(2);
const folder = runFolder(path);
const groupIndex = Number(index);
const config = readRunFile(folder.config) as RunConfig;
const { path: own, log: logPath } = folder.group(groupIndex);
makeOwnFolder(own);
const log = logWriter(logPath);

// The parent says when to stop; if it is gone, nobody is left to train for. A terminal's Ctrl-C reaches parent and
// groups alike, and the parent passes it on.
const stop = new AbortController();
process.on("SIGINT", () => {});
process.on("SIGHUP", () => {});
process.on("SIGTERM", () => stop.abort());
process.on("message", () => stop.abort());
process.on("disconnect", () => stop.abort());
if (!process.connected) stop.abort();

const scope = readScope(folder, config.numGroups);
const { init, device = "cpu" } = config;
const engine = threadedEngine({ threads: Number(threads), device });
try {
  const replay = scope.replayOf === undefined ? undefined : await recordOf(scope.replayOf, groupIndex);
  await runGroup({
    config,
    groupIndex,
    workload: await openWorkload(config, folder, groupIndex),
    ...(init && { readInit: () => readInit(init, folder.path) }),
    engine,
    threads: Number(threads),
    store: directoryStore(scope.store),
    files: directoryStore(own),
    log,
    stop: stop.signal,
    processId: process.pid,
    ...(replay && { replay }),
  });
} catch (error) {
  // A defect of ours shows its stack; what the user can mend shows its message.
  process.stderr.write(
    `${error instanceof CodistillError || !(error instanceof Error) ? messageOf(error) : error.stack}\n`,
  );
  const step = lastStepOf(readEvents(logPath, ["step", "group-start"]));
  log({ event: "group-end", group: groupIndex, step, reason: "failed", message: messageOf(error), seconds: 0 });
  // A store that failed may work again; what else the user has to mend would be refused again.
  process.exitCode = error instanceof CodistillError && !(error instanceof StoreError) ? REFUSED : FAILED;
} finally {
  await engine.close();
  if (process.connected) process.disconnect();
}
