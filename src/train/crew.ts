/** The workers of a group: worker 0 leads, and says what all do next; the others do it. */
import type { Communicator } from "../comm/communicator.js";
import { broadcastJson } from "../comm/together.js";
import type { Cursor } from "../data/stream.js";
import type { Engine } from "../engine/engine.js";
import type { NamedLayouts } from "../runtime/flat.js";
import type { Distillation } from "./learner.js";

/** What all workers do next. */
export type Order =
  /** Take a step together: each on its own part of the batches from the cursor on, with teachers of these groups. */
  | {
      readonly kind: "step";
      readonly step: number;
      readonly cursor: Cursor;
      readonly teachers: readonly number[];
      readonly distillWeight: number;
      readonly mix?: Distillation["mix"];
      /** Those of the optimizer. */
      readonly scalars: Readonly<Record<string, number>>;
    }
  /** Have state tensors of the leader under the same names. */
  | ({ readonly kind: "take" } & Gift)
  /** Let the leader have the states of all parts of a step. */
  | { readonly kind: "readStates" }
  /** Have the states that the leader gives, among them those of teachers of these groups. */
  | { readonly kind: "restoreStates"; readonly teachers: readonly number[] }
  /** Share the weights that each worker has come to by itself. */
  | { readonly kind: "exchange" }
  /** Open the data of a group, which must have this digest. Told to workers in other processes. */
  | { readonly kind: "open"; readonly group: number; readonly data: string }
  /** Work by letters, until the leader says that this is the end of them. Told to workers in other processes. */
  | { readonly kind: "mail" }
  /** Know that the leader is there, though it has nothing to do for the others. */
  | { readonly kind: "wait" }
  | { readonly kind: "end" };

/** State tensors that travel together: their number among those that the leader gives, and at the first time their layouts. */
export interface Gift {
  readonly gift: number;
  readonly layouts?: NamedLayouts;
}

/** Tells all workers what to do, and does the leader's part of it; one order at a time, in the order of the calls. */
export type Lead = <T>(order: Order, part: () => Promise<T>) => Promise<T>;

/** The leader's side of a group of workers. */
export interface Crew {
  readonly comm: Communicator;
  /** An engine over the leader's state tensors that may use the threads of all workers, which wait while it computes. */
  readonly updater: Engine;
  readonly lead: Lead;
  /** Let all workers have state tensors of the leader's engine, as they are now. */
  give(names: readonly string[]): Promise<void>;
  /** Where the batches of the next step begin. */
  readonly cursor: () => Cursor;
}

/** The word of the leader of these workers. */
export function leadOf(comm: Communicator): Lead {
  let before: Promise<unknown> = Promise.resolve();
  return (order, part) => {
    const done = before.then(async () => {
      await broadcastJson(comm, 0, order);
      return part();
    });
    before = done.catch(() => undefined);
    return done;
  };
}

/** Wait for what the leader tells to do. Called by all others. */
export async function nextOrder(comm: Communicator): Promise<Order> {
  for (;;) {
    const order = await broadcastJson<Order>(comm, 0);
    if (order.kind !== "wait") return order;
  }
}
