/**
 * The processes that a launcher of MPI started together: the workers of one group. Each runs the same command; that of rank 0
 * leads, and the others follow it.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { mostLetterBytes } from "../../async-sgd/letters.js";
import type { GradientOptions } from "../../async-sgd/worker.js";
import type { Communicator } from "../../comm/communicator.js";
import { agree, everyText, type Facts, together } from "../../comm/together.js";
import { prefetched } from "../../data/prefetched.js";
import { codeOf, DataError, messageOf, WorkerError } from "../../errors.js";
import { algorithmOf } from "../../run/algorithms.js";
import { valuesOf } from "../../run/config-diff.js";
import type { RunConfig } from "../../run/schema.js";
import { stepsKey, streamKey } from "../../run/start.js";
import { isAsynchronous } from "../../run/workers.js";
import { nextOrder } from "../../train/crew.js";
import { version } from "../../version.js";
import { type MpiCommunicator, mpiCommunicator } from "../comm/mpi/communicator.js";
import { launcherOf } from "../comm/mpi/launcher.js";
import { followInProcess, type Leader, leaderOf } from "../comm/process-crew.js";
import { threadedEngine } from "../ort/threaded-engine.js";
import { workWith } from "./async-workers.js";
import { readerOf } from "./kinds.js";
import { patienceOf } from "./patience.js";

/** How long the end of MPI may take after a failure. */
const END_MS = 10_000;

/** This process among those of its launcher. */
export interface Ranks {
  readonly comm: MpiCommunicator;
  /** What people call each of them: its rank and its machine. */
  readonly names: readonly string[];
  /** The ranks of those on this machine. */
  readonly here: readonly number[];
}

/** How many processes the launcher of this one started; 1 where there is no launcher. */
export function numRanks(): number {
  return launcherOf(process.env).size ?? 1;
}

/**
 * Do some work as one of the ranks. A failure of one ends the work of all, and is told once; this process then ends at once, as a
 * thread of it may wait for others for ever. `report` gives the exit code of an error, and says it to people where it `isTold` here.
 *
 * Throws {@link ConfigError} when there is no library of MPI, or it does not go with the launcher.
 */
export async function asRank(
  work: (ranks: Ranks) => Promise<void>,
  report: (error: unknown, isTold: boolean) => number,
): Promise<void> {
  const { startSeconds, silentSeconds } = patienceOf(process.env);
  const own = hostname();
  let hosts: readonly string[] = [];
  const nameOf = (rank: number) => `worker ${rank}${rank in hosts ? ` on ${hosts[rank]}` : ""}`;
  const begun = mpiCommunicator({ timeoutSeconds: silentSeconds, startSeconds, nameOf });
  const mpi = await begun.catch((error: unknown) => {
    if (!(error instanceof WorkerError)) throw error;
    report(error, true);
    return endInLibrary();
  });
  const abort: Communicator["abort"] = (reason, code) => mpi.abort(`${nameOf(mpi.rank)}: ${reason}`, code);
  try {
    hosts = await everyText(mpi, own);
    const here = hosts.flatMap((host, rank) => (host === own ? [rank] : []));
    await work({ comm: { ...mpi, abort }, names: hosts.map((_, rank) => nameOf(rank)), here });
    await mpi.close();
  } catch (error) {
    abort(messageOf(error), codeOf(error) ?? undefined);
    const closed = mpi.close().then(
      () => mpi.givenUpBy() !== null,
      () => false,
    );
    const isOver = await Promise.race([closed, setTimeout(END_MS, false)]);
    const code = report(error, mpi.rank === 0 || mpi.givenUpBy() === null);
    if (isOver) process.exit(code);
    endInLibrary();
  }
}

/** End this process, which waits inside a library and ends by no other way; its launcher then ends the others. */
function endInLibrary(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("internal: this process goes on after SIGKILL");
}

/** Check that all ranks are about to train the same run by the same code; worker 0 has the configuration that is right. */
export async function agreeOn(config: RunConfig, { comm, names }: Ranks): Promise<void> {
  await agree(comm, { ...codeFacts(), ...valuesOf(config) }, names);
}

/**
 * The threads of this rank: its part of those of the group on this machine, which the group has for itself unless the configuration
 * says otherwise. A leader of asynchronous SGD validates with all of them, while its workers wait.
 */
export function threadsOfRank(config: RunConfig, { comm, here }: Ranks): number {
  const { threads = availableParallelism() } = config;
  if (!isAsynchronous(config)) return Math.max(1, Math.floor(threads / here.length));
  return comm.rank === 0 ? threads : Math.max(1, Math.floor(threads / here.filter((rank) => rank > 0).length));
}

/** Lead the workers, from rank 0. */
export function leadRanks({ comm }: Ranks): Leader {
  return leaderOf(comm, patienceOf(process.env).silentSeconds / 4);
}

/** Let the workers open the data of a group, and wait until all have. */
export async function openAtRanks({ comm, lead }: Leader, group: number, data: string): Promise<void> {
  await lead({ kind: "open", group, data }, () => together(comm, async () => {}));
}

/**
 * Follow the worker of rank 0, until it says that this is the end. Prepares the data here, unless the cache has it.
 *
 * Throws {@link DataError} when the data here is not the leader's, and what {@link FollowerOptions} say.
 */
export async function followRanks(config: RunConfig, ranks: Ranks, cacheFolder: string): Promise<void> {
  // The leader alone heeds signals, which a launcher gives to all.
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2"]) process.on(signal, () => {});
  const { comm, names } = ranks;
  const order = await nextOrder(comm);
  if (order.kind === "end") return;
  if (order.kind !== "open") throw new Error(`internal: a worker opens its data before it is told to ${order.kind}`);
  const { learner, stream } = await together(comm, async () => {
    const reader = await readerOf(config);
    const { signal } = new AbortController();
    const { folder, spec } = await reader.prepare(config, { cacheFolder, onProgress: () => {}, signal });
    if (spec.digest !== order.data)
      throw new DataError(
        `all workers of a group must read the same data: ${names[0]} has data of digest ${order.data}, and ${names[comm.rank]} of ${spec.digest}. ` +
          "Copy it anew, or let all read it in one place.",
      );
    return reader.open(config, folder, order.group);
  });
  const { accumulate } = config;
  const key = stepsKey(config, order.group);
  const threads = threadsOfRank(config, ranks);
  const batches = streamKey(config, order.group);
  if (isAsynchronous(config))
    return workByLetters(ranks, { learner, stream: stream(batches), key, accumulate }, threads);
  const engine = threadedEngine({ threads });
  const own = prefetched(stream(batches, undefined, { index: comm.rank, count: comm.size }), accumulate);
  const { follow } = algorithmOf(config);
  await followInProcess({ comm, engine, learner, stream: own, key, accumulate }, follow).finally(() => engine.close());
}

/** Compute gradients while the leader's mail is open, until it says that this is the end. */
async function workByLetters(
  { comm, names }: Ranks,
  options: Omit<GradientOptions, "engine">,
  threads: number,
): Promise<void> {
  for (let order = await nextOrder(comm); order.kind !== "end"; order = await nextOrder(comm)) {
    if (order.kind !== "mail") throw new Error(`internal: a worker of asynchronous SGD is told to ${order.kind}`);
    const mail = comm.openMail(mostLetterBytes(options.learner.model));
    await workWith(names[comm.rank] as string, mail, threadedEngine({ threads }), async () => options);
  }
}

/** What computes: the version of this package with the content of its files, and that of the engine. */
function codeFacts(): Facts {
  const source = fileURLToPath(new URL("../..", import.meta.url));
  const hash = createHash("sha256");
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".js") && !file.endsWith(".test.js"),
  );
  for (const file of files.sort()) hash.update(file).update(readFileSync(join(source, file)));
  const engine = createRequire(import.meta.url)("onnxruntime-node/package.json") as { readonly version: string };
  return {
    "version of codistill": `${version} (files ${hash.digest("hex").slice(0, 12)})`,
    "version of onnxruntime-node": engine.version,
  };
}
