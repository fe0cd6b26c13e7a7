import type { Communicator } from "../comm/communicator.js";
import { isSameCursor, nextBatches, type Stream } from "../data/stream.js";
import type { Engine } from "../engine/engine.js";
import { scalar } from "../runtime/array.js";
import { mapValues } from "../runtime/named.js";
import type { Key } from "../runtime/random.js";
import { type Gift, nextOrder } from "./crew.js";
import type { Learner } from "./graphs.js";
import { partStates } from "./part-states.js";
import { splitStepper } from "./stepper.js";
import { partsOf } from "./student.js";

export interface FollowerOptions {
  readonly comm: Communicator;
  readonly engine: Engine;
  /** The same as the leader's. */
  readonly learner: Learner;
  /** This worker's part of the leader's batches. */
  readonly stream: Pick<Stream, "next" | "cursor" | "goTo">;
  /** The key of the leader's student. */
  readonly key: Key;
  /** Batches of one step. */
  readonly accumulate: number;
  /** Keep state tensors that the leader gives. */
  readonly take: (gift: Gift) => Promise<void>;
}

/**
 * Be a worker of a group that another one leads: do what the leader says, until it says that this is the end. Params and teachers
 * are the leader's; the gradients of its own part of each batch are this worker's.
 *
 * Throws {@link WorkerError} when the leader or another worker fails or is lost, and what the engine and the stream throw.
 */
export async function follow({ comm, engine, learner, stream, key, accumulate, take }: FollowerOptions): Promise<void> {
  const stepper = splitStepper(engine, learner, { comm, updater: null });
  const states = partStates(learner, accumulate, comm);
  try {
    for (;;) {
      const order = await nextOrder(comm);
      if (order.kind === "end") return;
      if (order.kind === "take") await take(order);
      if (order.kind === "readStates") await states.read();
      if (order.kind === "restoreStates") await states.receive(order.teachers);
      if (order.kind === "step") {
        if (!isSameCursor(stream.cursor, order.cursor)) stream.goTo(order.cursor);
        const batches = await nextBatches(stream, accumulate);
        await states.place(order.teachers);
        const after = await stepper.run({
          parts: partsOf(
            learner,
            batches,
            { seed: key, step: order.step, numTeachers: order.teachers.length, states },
            comm,
          ),
          numTeachers: order.teachers.length,
          distillWeight: order.distillWeight,
          mix: order.mix,
          scalars: mapValues(order.scalars, scalar),
        });
        if (after.states) states.keep(after.states);
      }
    }
  } finally {
    await stepper.close();
  }
}
