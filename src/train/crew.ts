/** The workers of a group: worker 0 leads, and says what all do next; the others do it. */
import type { Communicator } from "../comm/communicator.js";
import type { Cursor } from "../data/stream.js";
import type { Engine } from "../engine/engine.js";

/** What all workers do next. */
export type Order =
  /** Take a step together: each on its own part of the batches from the cursor on, with teachers of these groups. */
  | {
      readonly kind: "step";
      readonly step: number;
      readonly cursor: Cursor;
      readonly teachers: readonly number[];
      readonly distillWeight: number;
      /** Those of the optimizer. */
      readonly scalars: Readonly<Record<string, number>>;
    }
  /** Have state tensors of the leader under the same names. */
  | { readonly kind: "take"; readonly names: readonly string[] }
  | { readonly kind: "end" };

/** The leader's side of a group of workers. */
export interface Crew {
  readonly comm: Communicator;
  /** An engine over the leader's state tensors that may use the threads of all workers, which wait while it computes. */
  readonly updater: Engine;
  /** Let all workers have state tensors of the leader's engine. What the leader writes to them later, they have too. */
  give(names: readonly string[]): Promise<void>;
  /** Where the batches of the next step begin. */
  readonly cursor: () => Cursor;
}

/** Tell all workers what to do. Called by the leader. */
export async function sendOrder(comm: Communicator, order: Order): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(order));
  await comm.broadcast(new Uint8Array(Float64Array.of(bytes.length).buffer), 0);
  await comm.broadcast(bytes, 0);
}

/** Wait for what the leader says, as long as it has nothing to say. Called by all others. */
export async function nextOrder(comm: Communicator): Promise<Order> {
  const length = new Float64Array(1);
  await comm.broadcast(new Uint8Array(length.buffer), 0);
  const bytes = new Uint8Array(length[0] as number);
  await comm.broadcast(bytes, 0);
  return JSON.parse(new TextDecoder().decode(bytes)) as Order;
}
