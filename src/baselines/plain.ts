import { nextBatches, type Stream } from "../data/stream.js";
import type { Step } from "../train/algorithm.js";
import type { Student } from "../train/student.js";

export interface PlainOptions {
  readonly student: Student;
  /** Labelled batches of this group's own shard. */
  readonly stream: Pick<Stream, "next">;
  readonly numSteps: number;
  /** Batches whose gradients make one step; 1 by default. */
  readonly accumulate?: number | undefined;
  /** Cancels the step under way, whose batches stay drawn; the loop then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Plain training: no group teaches another.
 *
 *     while not converged:
 *         (y, f) = next example
 *         theta  = theta - eta grad phi(y, F(theta, f))
 */
export async function* plain({
  student,
  stream,
  numSteps,
  accumulate = 1,
  signal,
}: PlainOptions): AsyncGenerator<Step> {
  while (student.step < numSteps) {
    const drawn = nextBatches(stream, accumulate, signal);
    const batches = drawn instanceof Promise ? await drawn : drawn;
    const metrics = await student.learn(batches, [], 0, signal);
    yield { ...metrics, step: student.step, distillWeight: 0, teachers: [] };
  }
}
