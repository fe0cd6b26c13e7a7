/** One group of a run, from its configuration and its shard to its best checkpoint. */
import { TrainingError } from "../errors.js";
import type { TrainEvent } from "../log/events.js";
import { countParams } from "../nn/model.js";
import type { Step } from "../train/algorithm.js";
import type { Student } from "../train/student.js";
import {
  afterRestore,
  afterSave,
  afterStep,
  healthAt,
  MAX_RESTORES,
  mustRestore,
  RESTORED_LEARNING_RATE,
  SKIPS_BEFORE_RESTORE,
} from "./health.js";
import { type LearningWatch, learningWatch } from "./learning-watch.js";
import { logIntervalAt } from "./log-interval.js";
import { stepMeter } from "./meter.js";
import { type GroupOptions, lastStepOf, type StartedGroup, startGroup } from "./start.js";
import { workersWatch } from "./workers.js";

/**
 * Train one group to its last step, resuming from its checkpoint when there is one.
 *
 * Throws {@link TrainingError} when numbers stop being finite and going back to the checkpoint does not help, or when
 * the group was started again elsewhere; {@link ConfigError} when the run in the store is another one or the initial
 * weights do not fit; {@link CheckpointError} when the checkpoint is of another model.
 */
export async function runGroup(options: GroupOptions): Promise<"finished" | "stopped"> {
  const { groupIndex, spec, log } = options;
  const numSteps = lastStepOf(options);
  const begun = performance.now();
  const group = await startGroup(options);
  const { student, algorithm, keeper } = group;
  log({
    event: "group-start",
    group: groupIndex,
    ...options.process,
    incarnation: group.incarnation,
    step: student.step,
    numSteps,
    trainRows: spec.numExamples,
    numParams: countParams(spec.learner.model),
    threads: options.threads,
    ...(options.config.workers > 1 && { workers: options.config.workers }),
  });
  const started = performance.now();
  const hasEnded = () => keeper.stopsEarly() !== null || keeper.isOutOfTime();
  // A group that had stopped early has nothing left to do.
  if (!hasEnded()) await trainGroup(options, group, begun).finally(() => group.stream.close());
  await Promise.all([algorithm.idle?.(), group.look.idle()]);
  const hasAll = student.step === numSteps && !keeper.owesValidation();
  const reason = hasAll || hasEnded() ? "finished" : "stopped";
  const seconds = (performance.now() - started) / 1000;
  log({ event: "group-end", group: groupIndex, step: student.step, reason, seconds });
  return reason;
}

/** The loop: steps, what is due after each, and the way back when numbers are not finite. */
async function trainGroup(options: GroupOptions, group: StartedGroup, begun: number): Promise<void> {
  const { config, groupIndex, log, stop } = options;
  const { student, stream, algorithm, keeper } = group;
  const numSteps = lastStepOf(options);
  let health = healthAt(student.step);
  let meter = stepMeter(groupIndex, student.step);
  const { levels } = options.spec;
  const watch: LearningWatch = levels ? learningWatch(levels, numSteps, student.step) : () => null;

  const watchWorkers = workersWatch();

  /** Log the steps since the last event, and a warning where their losses call for one. */
  function logSteps(): void {
    const event = meter.take();
    log(event);
    for (const message of [watch(event.step, event.labelLoss), watchWorkers(event.workers)]) {
      if (message) log({ event: "warning", group: groupIndex, step: event.step, message });
    }
  }

  function logFirst(step: number): void {
    log({ event: "first-step", group: groupIndex, step, seconds: secondsSince(begun) });
  }

  async function save(must: boolean): Promise<string | null> {
    const trouble = await keeper.save(must);
    if (!trouble) health = afterSave(health, student.step);
    // An algorithm that publishes looks for a newer start of this group itself, before each publication.
    if (!algorithm.share) group.look.offer(null);
    return trouble;
  }

  const isLast = () => student.step === numSteps || keeper.isOutOfTime();
  const isDue = (interval: number) => isLast() || student.step % interval === 0;

  /** Judge a step, and do the work that is due after it; returns what is wrong with the group, or null. */
  async function tend(step: Step): Promise<string | null> {
    health = afterStep(health, step.skipped !== null);
    if (step.skipped === null) meter.add(step);
    else log(skippedEvent(groupIndex, step, step.skipped));
    if (isDue(logIntervalAt(student.step, config.logInterval)) && meter.hasSteps()) logSteps();
    if (mustRestore(health)) return notFinite(step);
    // A checkpoint is due only after a step that was good, or after the last step.
    return keep(step.skipped === null || isLast());
  }

  /** Validate and save what is due now; returns what is wrong with the group, or null. */
  async function keep(isGood: boolean): Promise<string | null> {
    const trouble = isDue(config.validationInterval) ? await keeper.validate(isLast() || stop.aborted) : null;
    if (trouble) return trouble;
    const mustSave = stop.aborted || keeper.stopsEarly() !== null;
    return (isDue(config.checkpointInterval) && isGood) || mustSave ? save(isLast() || mustSave) : null;
  }

  /** Go back if something is wrong; returns whether the group stops here. */
  async function stopsAfter(trouble: string | null): Promise<boolean> {
    if (trouble) await goBack(trouble);
    const best = keeper.stopsEarly();
    if (best && student.step < numSteps) {
      log({ event: "stopped-early", group: groupIndex, step: student.step, bestStep: best.step, bestLoss: best.loss });
      await algorithm.share?.();
    }
    if (keeper.isOutOfTime() && student.step < numSteps) {
      log({ event: "time-limit", group: groupIndex, step: student.step, seconds: secondsSince(begun) });
      await algorithm.share?.();
    }
    return best !== null || stop.aborted || keeper.isOutOfTime();
  }

  async function goBack(reason: string): Promise<void> {
    const next = afterRestore(health);
    if (!next) throw hopeless(reason, student);
    const fromStep = student.step;
    await keeper.restore(student.learningRateScale * RESTORED_LEARNING_RATE);
    health = next;
    meter = stepMeter(groupIndex, student.step);
    const { step, learningRateScale } = student;
    log({ event: "restored", group: groupIndex, step, fromStep, learningRateScale, reason });
  }

  let { cursor } = stream;
  try {
    if (keeper.owesValidation() && (await stopsAfter(await keep(true)))) return;
    const firstStep = student.step + 1;
    for await (const step of algorithm.steps(stop)) {
      cursor = stream.cursor;
      if (step.step === firstStep) logFirst(step.step);
      if (config.timeLimit !== undefined && secondsSince(begun) >= config.timeLimit) keeper.endTime();
      checkNewest(group.incarnation, group.starts.supersededBy());
      if (await stopsAfter(await tend(step))) return;
    }
  } catch (error) {
    if (!stop.aborted || error !== stop.reason) throw error;
    // A cancelled step leaves one trace: its batches were drawn. So the stream goes back to before them.
    stream.goTo(cursor);
    const trouble = await save(true);
    if (trouble) await goBack(trouble);
  }
}

function secondsSince(begun: number): number {
  return (performance.now() - begun) / 1000;
}

function checkNewest(incarnation: number, newest: number | null): void {
  if (newest === null) return;
  throw new TrainingError(
    `a group runs once at a time: this is its start number ${incarnation}, and number ${newest} has been made since, ` +
      "here or on another machine. This one stops; its last checkpoint is kept.",
  );
}

function skippedEvent(group: number, step: Step, reason: string): TrainEvent {
  const { labelLoss, distillLoss, gradNorm } = step;
  return { event: "step-skipped", group, step: step.step, labelLoss, distillLoss, gradNorm, reason };
}

function notFinite({ step, skipped, learningRate }: Step): string {
  return (
    `losses and gradients must stay finite, and ${SKIPS_BEFORE_RESTORE} steps in a row were skipped; ` +
    `step ${step} had ${skipped} (learning rate ${learningRate})`
  );
}

function hopeless(reason: string, { learningRateScale }: Student): TrainingError {
  return new TrainingError(
    `${reason}. Going back ${MAX_RESTORES} times, at last with the learning rate x ${learningRateScale}, did not help. ` +
      "Lower optimizer.learningRate, or look for absurd values in the data. The last checkpoint is kept.",
  );
}
