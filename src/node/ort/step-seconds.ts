/** How long a step takes here, measured. */
import type { NamedArrays } from "../../runtime/array.js";
import { rootKey } from "../../runtime/random.js";
import type { Learner } from "../../train/graphs.js";
import { engineStudent } from "../../train/student.js";
import { threadedEngine } from "./threaded-engine.js";

const WARM_UP_STEPS = 2;
const MOST_STEPS = 15;
const MEASURED_SECONDS = 1.5;

/** The median seconds of a step of one group, without teachers of other groups, with the threads that it would have. */
export async function secondsOfStep(
  learner: Learner,
  batches: readonly NamedArrays[],
  seed: number,
  threads: number,
  fixedWeights?: readonly NamedArrays[],
): Promise<number> {
  const engine = threadedEngine({ threads });
  try {
    const student = engineStudent({ engine, learner, fixedWeights });
    await student.init(rootKey(seed));
    const seconds: number[] = [];
    for (let step = 0, spent = 0; step < WARM_UP_STEPS + MOST_STEPS && spent < MEASURED_SECONDS; step++) {
      const started = performance.now();
      await student.learn(batches, [], 0);
      const took = (performance.now() - started) / 1000;
      if (step < WARM_UP_STEPS) continue;
      seconds.push(took);
      spent += took;
    }
    return seconds.sort((a, b) => a - b)[Math.floor(seconds.length / 2)] ?? 0;
  } finally {
    await engine.close();
  }
}
