/** A worker that takes steps of its own, beside the one that leads. */
import { isSameCursor, nextBatches } from "../data/stream.js";
import { nextOrder } from "../train/crew.js";
import type { FollowerOptions } from "../train/follower.js";
import { engineStudent } from "../train/student.js";
import { bring, broadcastWhole, parcel, type Whole, workerKey } from "./exchange.js";
import { everyonesMetrics } from "./metrics.js";

/**
 * Be a worker of a group that another one leads: take each step on its own part of the batches, with params and optimizer state of its
 * own, and share the params when the leader says so; until it says that this is the end.
 *
 * Throws {@link WorkerError} when the leader or another worker fails or is lost, and what the engine and the stream throw.
 */
export async function followApart(options: Omit<FollowerOptions, "take">): Promise<void> {
  const { comm, engine, learner, stream, accumulate } = options;
  const student = engineStudent({ engine, learner, key: workerKey(options.key, comm.rank), accumulate });
  const own = parcel(engine, learner);
  try {
    for (;;) {
      const order = await nextOrder(comm);
      switch (order.kind) {
        case "end":
          return;
        case "step": {
          if (!isSameCursor(stream.cursor, order.cursor)) stream.goTo(order.cursor);
          const batches = await nextBatches(stream, accumulate);
          const started = performance.now();
          const metrics = await student.learn(batches, [], 0);
          await everyonesMetrics(comm, metrics, started);
          break;
        }
        case "exchange":
          await bring(comm, own);
          break;
        case "readStates": {
          const { step, learningRateScale } = student;
          const whole = { state: await student.state(), step, learningRateScale };
          for (let rank = 1; rank < comm.size; rank++)
            await broadcastWhole(comm, rank, rank === comm.rank ? whole : undefined);
          break;
        }
        case "restoreStates": {
          const wholes: Whole[] = [];
          for (let rank = 1; rank < comm.size; rank++) wholes.push(await broadcastWhole(comm, 0));
          const { state, step, learningRateScale } = wholes[comm.rank - 1] as Whole;
          await student.restore(state, step, learningRateScale);
          break;
        }
        default:
          throw new Error(`internal: a worker with params of its own is told to ${order.kind}`);
      }
    }
  } finally {
    await student.close();
  }
}
