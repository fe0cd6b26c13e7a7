import type { TrainEvent, WorkerUse } from "../log/events.js";
import type { Step } from "../train/algorithm.js";

export type StepEvent = Extract<TrainEvent, { readonly event: "step" }>;

/**
 * Gathers steps into step events: means over the steps since the last event, and the speed. The caller adds no skipped
 * steps.
 */
export function stepMeter(
  group: number,
  firstStep: number,
): { add(step: Step): void; hasSteps(): boolean; take(): StepEvent } {
  let steps: Step[] = [];
  let since = { step: firstStep, time: performance.now() };
  return {
    add(step) {
      steps.push(step);
    },
    hasSteps: () => steps.length > 0,
    take() {
      const last = steps.at(-1);
      if (!last) throw new Error("internal: no step was added since the last event");
      const now = performance.now();
      const stepsPerSecond = (last.step - since.step) / ((now - since.time) / 1000);
      const { step, distillWeight, gradNorm, learningRate, teachers } = last;
      const event: StepEvent = {
        event: "step",
        group,
        step,
        labelLoss: mean(steps.map(({ labelLoss }) => labelLoss)) ?? Number.NaN,
        ...meanIfAny("targetLoss", steps),
        distillLoss: mean(steps.map(({ distillLoss }) => distillLoss)),
        teacherDistance: mean(
          steps.map(({ statistics }) => mean(statistics?.teachers.map(({ distance }) => distance) ?? [])),
        ),
        divergence: mean(steps.map(({ divergence }) => divergence)),
        ...meanIfAny("gramLoss", steps),
        distillWeight,
        gradNorm,
        learningRate,
        stepsPerSecond,
        teachers,
        ...squaredNormsOf(steps),
        ...workersOf(steps),
        ...gradientsOf(steps),
      };
      steps = [];
      since = { step, time: now };
      return event;
    },
  };
}

/** The mean of a loss that not all runs have. */
function meanIfAny<K extends "targetLoss" | "gramLoss">(name: K, steps: readonly Step[]): Pick<StepEvent, K> {
  const value = mean(steps.map((step) => step[name] ?? null));
  return (value === null ? {} : { [name]: value }) as Pick<StepEvent, K>;
}

/** Means over steps that measure noise; squares first, as the mean of norms is not the norm of the mean. */
function squaredNormsOf(steps: readonly Step[]): Pick<StepEvent, "squaredNorms"> {
  const part = mean(steps.map(({ squaredPartNorm }) => squaredPartNorm ?? null));
  const step = mean(steps.map(({ gradNorm }) => gradNorm ** 2));
  return part === null || step === null ? {} : { squaredNorms: { part, step, numSteps: steps.length } };
}

/** The mean seconds of each worker. */
function workersOf(steps: readonly Step[]): Pick<StepEvent, "workers"> {
  const numWorkers = steps[0]?.workers?.length ?? 0;
  if (numWorkers === 0) return {};
  const meanOf = (rank: number, of: keyof WorkerUse) =>
    mean(steps.map(({ workers }) => workers?.[rank]?.[of] ?? null)) ?? 0;
  const ranks = Array.from({ length: numWorkers }, (_, rank) => rank);
  return { workers: ranks.map((rank) => ({ compute: meanOf(rank, "compute"), reduce: meanOf(rank, "reduce") })) };
}

/** What each worker brought, of asynchronous SGD. */
function gradientsOf(steps: readonly Step[]): Pick<StepEvent, "gradients"> {
  const all = steps.flatMap(({ gradient }) => gradient ?? []);
  if (all.length === 0) return {};
  const ranks = [...new Set(all.map(({ worker }) => worker))].sort((a, b) => a - b);
  const meanOf = (own: typeof all, of: "staleness" | "compute" | "wait") => mean(own.map((one) => one[of])) ?? 0;
  const workers = ranks.map((worker) => {
    const own = all.filter((one) => one.worker === worker);
    const [compute, wait] = [meanOf(own, "compute"), meanOf(own, "wait")];
    return { worker, gradients: own.length, meanStaleness: meanOf(own, "staleness"), compute, wait };
  });
  const maxStaleness = Math.max(...all.map(({ staleness }) => staleness));
  return { gradients: { meanStaleness: meanOf(all, "staleness"), maxStaleness, workers } };
}

/** The mean of the numbers among the values; null when there is none. */
function mean(values: readonly (number | null)[]): number | null {
  const numbers = values.filter((value) => value !== null);
  return numbers.length > 0 ? numbers.reduce((sum, value) => sum + value, 0) / numbers.length : null;
}
