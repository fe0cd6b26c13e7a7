/** The workers of a group on threads of its process: they share the params, and each has gradients of its own. */
import { parentPort, type Worker } from "node:worker_threads";
import type { Communicator } from "../../comm/communicator.js";
import type { Cursor } from "../../data/stream.js";
import type { Engine } from "../../engine/engine.js";
import { messageOf } from "../../errors.js";
import type { NamedArrays } from "../../runtime/array.js";
import { type Closable, closable } from "../../runtime/closable.js";
import { type Crew, leadOf } from "../../train/crew.js";
import { type FollowerOptions, follow } from "../../train/follower.js";
import type { Learner } from "../../train/graphs.js";
import { numSums } from "../../train/stepper.js";
import { type ThreadBoard, type ThreadCommunicatorOptions, threadBoard, threadCommunicator } from "./threads.js";

export interface ThreadCrewOptions extends ThreadCommunicatorOptions {
  /** The leader's engine, and one over the same state tensors that takes the updates. */
  readonly engine: Engine;
  readonly updater: Engine;
  readonly learner: Learner;
  /** How many workers there are, the leader among them. */
  readonly size: number;
  /** Start the thread of a worker, which calls {@link followOnThread}. */
  readonly start: (rank: number, board: ThreadBoard) => Worker;
  /** Where the batches of the leader's next step begin. */
  readonly cursor: () => Cursor;
}

/** State tensors that a worker is to take: the leader sends them ahead of the order. */
interface Gift {
  readonly gift: NamedArrays;
}

/** Seconds in which the workers of a broken communicator end by themselves: those that do not are stuck. */
const END_SECONDS = 10;

/**
 * Start the workers of a group beside this thread, which leads. A worker that fails or ends breaks the communicator for all, with
 * what it died of. Closed, it tells the workers to end, and waits until they have.
 */
export function threadCrew({
  engine,
  updater,
  learner,
  size,
  start,
  cursor,
  ...options
}: ThreadCrewOptions): Crew & Closable {
  const board = threadBoard(size, numSums(learner));
  const comm = threadCommunicator(board, 0, options);
  const given = new Set<string>();
  const lead = leadOf(comm);
  let numGifts = 0;
  let isClosing = false;
  const workers = Array.from({ length: size - 1 }, (_, i) => {
    const worker = start(i + 1, board);
    worker.on("error", (error) => comm.abort(`worker ${i + 1} of ${size} failed: ${messageOf(error)}`));
    worker.on("exit", (code) => {
      if (!isClosing) comm.abort(`worker ${i + 1} of ${size} has ended with code ${code}`);
    });
    return worker;
  });
  const crew: Crew = {
    comm,
    updater,
    cursor,
    lead,
    // What the leader changes in shared memory, all have.
    async give(names) {
      const unknown = names.filter((name) => !given.has(name));
      if (unknown.length === 0) return;
      const gift = await engine.share(unknown);
      for (const worker of workers) worker.postMessage({ gift } satisfies Gift);
      await lead({ kind: "take", gift: numGifts++ }, async () => {});
      for (const name of unknown) given.add(name);
    },
  };
  return closable(crew, async () => {
    isClosing = true;
    const ended = workers.map(
      (worker) => worker.threadId < 0 || new Promise((resolve) => worker.once("exit", resolve)),
    );
    let timer: NodeJS.Timeout | undefined;
    // Where the communicator is broken, the workers know it and end by themselves, but for one that is stuck.
    await lead({ kind: "end" }, async () => {}).catch(() => {
      timer = setTimeout(() => workers.map((worker) => worker.terminate()), 1000 * END_SECONDS);
    });
    await Promise.all(ended);
    clearTimeout(timer);
    await comm.close();
  });
}

/**
 * Follow the leader of a crew, on a thread that {@link threadCrew} had started, with what `open` gives; where that fails all are told.
 * `work` is what following is: to take each step together, unless another way is given.
 */
export async function followOnThread(
  comm: Communicator,
  open: () => Promise<Omit<FollowerOptions, "comm" | "take">>,
  work: typeof follow = follow,
): Promise<void> {
  const gifts: NamedArrays[] = [];
  let arrived: () => void = () => {};
  const port = parentPort;
  if (!port) throw new Error("internal: a worker follows its leader on a thread of its own");
  port.on("message", ({ gift }: Gift) => {
    gifts.push(gift);
    arrived();
  });
  try {
    const options = await open();
    await work({
      ...options,
      comm,
      async take() {
        while (gifts.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
        await options.engine.adopt(gifts.shift() as NamedArrays);
      },
    });
  } catch (error) {
    comm.abort(`worker ${comm.rank} of ${comm.size} failed: ${messageOf(error)}`);
    throw error;
  } finally {
    // Its thread then ends.
    port.close();
  }
}
