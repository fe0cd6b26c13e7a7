import { nextBatches, type Stream } from "../data/stream.js";
import type { Schedule } from "../optim/schedules.js";
import type { Step } from "../train/algorithm.js";
import type { Distillation } from "../train/learner.js";
import type { Student } from "../train/student.js";
import { dueAt } from "./due.js";
import type { Exchange } from "./exchange.js";

export interface CodistillOptions {
  readonly student: Student;
  /** Labelled batches of this group's own shard. */
  readonly stream: Pick<Stream, "next">;
  readonly exchange: Exchange;
  readonly numSteps: number;
  /** Steps before teaching starts; 0 by default. */
  readonly burnInSteps?: number | undefined;
  /** The step from which on params are published; at the end of burn-in by default. */
  readonly publishFrom?: number | undefined;
  /** Weight of the distillation loss after burn-in; 1 by default. */
  readonly distillWeight?: Schedule | undefined;
  /** How the distillation loss joins the label loss at a step; as the learner says by default. */
  readonly mix?: ((step: number) => Distillation["mix"]) | undefined;
  /** Steps between publishing, which may change with the steps since burn-in; 50 by default. */
  readonly publishInterval?: number | Schedule | undefined;
  /** Steps between looking for fresher teachers, likewise; 50 by default. */
  readonly exchangeInterval?: number | Schedule | undefined;
  /** Batches whose gradients make one step; 1 by default. */
  readonly accumulate?: number | undefined;
  /** Cancels the step under way, whose batches stay drawn; the loop then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Codistillation, as one group sees it (Anil et al. 2018, Algorithm 1, with stale teachers):
 *
 *     while not converged:
 *         (y, f)  = next example
 *         theta_i = theta_i - eta grad{ phi(y, F(theta_i, f)) + w psi(mean over j != i of F(theta_j, f), F(theta_i, f)) }
 *
 * theta_j are the freshest snapshots of the other groups that have already arrived; w is 0 during burn-in. The loop
 * never waits for the store: snapshots go out and come in between steps, in the background.
 */
export async function* codistill(options: CodistillOptions): AsyncGenerator<Step> {
  const {
    student,
    stream,
    exchange,
    numSteps,
    burnInSteps = 0,
    distillWeight = () => 1,
    mix = () => undefined,
    accumulate = 1,
    signal,
  } = options;
  const mustPublish = dueAt(options.publishFrom ?? burnInSteps, options.publishInterval ?? 50);
  const mustRefresh = dueAt(burnInSteps, options.exchangeInterval ?? 50);

  while (student.step < numSteps) {
    const { step } = student;
    exchange.keep?.(step);
    const weight = step < burnInSteps ? 0 : distillWeight(step);
    const teachers = weight > 0 ? await exchange.teachers(step, signal) : [];
    const drawn = nextBatches(stream, accumulate, signal);
    const batches = drawn instanceof Promise ? await drawn : drawn;

    const metrics = await student.learn(batches, teachers, weight, signal, mix(step));
    const { taughtBy = teachers } = metrics;
    exchange.observe?.(step, taughtBy, metrics);

    if (exchange.publish && mustPublish(student.step)) exchange.publish(student.step, await student.params());
    if (mustRefresh(student.step)) exchange.refresh?.(student.step);

    const uses = taughtBy.map(({ group, step: taught, seenAtStep }) => ({
      group,
      step: taught,
      // A student that was set back to an earlier step has seen them "later".
      age: Math.max(0, step - seenAtStep),
    }));
    yield { ...metrics, step: student.step, distillWeight: weight, teachers: uses };
  }
}
