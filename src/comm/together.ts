/** What workers do together by the calls of their communicator. */
import { ConfigError, codeOf, messageOf } from "../errors.js";
import type { Communicator } from "./communicator.js";

/** Seconds between two looks at whether all have done their part. */
const LOOK_SECONDS = 0.2;

/** The plain data that worker `root` gives, at all workers. */
export async function broadcastJson<T>(comm: Communicator, root: number, given?: T): Promise<T> {
  const own = new TextEncoder().encode(given === undefined ? "" : JSON.stringify(given));
  const length = Float64Array.of(own.length);
  await comm.broadcast(new Uint8Array(length.buffer), root);
  const bytes = comm.rank === root ? own : new Uint8Array(length[0] as number);
  await comm.broadcast(bytes, root);
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}

/**
 * The result of this worker's part of some work, once all workers have done theirs: each waits for the others as long as they are
 * alive. A worker whose part fails breaks the communicator for all, with what it failed of.
 */
export async function together<T>(comm: Communicator, part: () => Promise<T>): Promise<T> {
  let isDone = 0;
  const own = part().finally(() => {
    isDone = 1;
  });
  try {
    for (let numDone = 0; numDone < comm.size; ) {
      await Promise.race([own, new Promise((resolve) => setTimeout(resolve, 1000 * LOOK_SECONDS))]);
      const sum = Float64Array.of(isDone);
      await comm.allReduce(sum);
      numDone = sum[0] as number;
    }
    return await own;
  } catch (error) {
    comm.abort(messageOf(error), codeOf(error) ?? undefined);
    throw error;
  }
}

/** What must be the same at all workers, by what it is called. */
export type Facts = Readonly<Record<string, string>>;

/**
 * Check that all workers have the facts of worker 0. `names` are what the workers are called, by rank.
 *
 * Throws {@link ConfigError} at all of them when one has others, with the name and the fact of both.
 */
export async function agree(comm: Communicator, facts: Facts, names: readonly string[]): Promise<void> {
  const leaders = await broadcastJson(comm, 0, comm.rank === 0 ? facts : undefined);
  await together(comm, async () => {
    const other = Object.keys({ ...leaders, ...facts }).find((what) => leaders[what] !== facts[what]);
    if (other === undefined) return;
    const [theirs = "none", own = "none"] = [leaders[other], facts[other]];
    throw new ConfigError(
      `all workers of a group must have the same ${other}: ${names[0]} has ${theirs}, and ${names[comm.rank]} has ${own}`,
    );
  });
}

/** A text of every worker, by rank. */
export async function everyText(comm: Communicator, own: string): Promise<readonly string[]> {
  const all: string[] = [];
  for (let root = 0; root < comm.size; root++)
    all.push(await broadcastJson(comm, root, comm.rank === root ? own : undefined));
  return all;
}
