/** What a comparison shows, in sentences, and how far it can be trusted. */
import type { ArmFigures } from "./figures.js";
import type { Interval } from "./intervals.js";
import { mean, std } from "./statistics.js";
import { studentQuantile } from "./student-t.js";

/** Fewer seeds than this leave intervals too wide for most effects. */
const ENOUGH_SEEDS = 5;

/** What so many seeds can say of chance. */
export function seedsSentence(numSeeds: number): string {
  if (numSeeds <= 1) {
    return "There is one seed: nothing here says how much of a difference is chance, and there are no intervals. Take five.";
  }
  const factor = studentQuantile(0.975, numSeeds - 1).toFixed(1);
  if (numSeeds === 2) {
    return (
      `There are two seeds: they say next to nothing of how far seeds are apart, so that Student's interval is ${factor} standard errors to either side, ` +
      "and a difference that is really there will nearly always be inside of it. That an interval holds 0 is no sign of equality here. Take five."
    );
  }
  const more = numSeeds < ENOUGH_SEEDS ? " Five would halve that or nearly so." : "";
  return `There are ${numSeeds} seeds: an interval of 95 % is ${factor} standard errors to either side.${more}`;
}

/** With its sign, but for what is shown as 0. */
export function signed(value: number): string {
  const shown = Math.abs(value).toFixed(4);
  return `${Number(shown) === 0 ? "" : value < 0 ? "-" : "+"}${shown}`;
}

/** A value and its interval, as "0.0051 (0.0032 to 0.0070)"; without one the value alone. */
export function rangeOf(interval: Interval | null, show: (value: number) => string): string {
  if (interval === null || Number.isNaN(interval.value)) return "";
  if (Number.isNaN(interval.low)) return show(interval.value);
  return `${show(interval.value)} (${show(interval.low)} to ${show(interval.high)})`;
}

/** The mean of values, and their standard deviation where there are several, as "0.4571 ± 0.0009". */
export function meanShown(values: readonly number[], show: (value: number) => string): string {
  return values.length < 2 ? show(mean(values)) : `${show(mean(values))} ± ${show(std(values))}`;
}

/** A loss with four digits after the point. */
export const lossShown = (loss: number) => loss.toFixed(4);

/** A share with two digits of a percent, as the shares of changed decisions are small. */
export const changedShown = (share: number) => `${(100 * share).toFixed(2)} %`;

/** The most seeds that an arm has. */
export const mostSeeds = (figures: readonly Pick<ArmFigures, "seeds">[]) =>
  figures.reduce((most, { seeds }) => Math.max(most, seeds.length), 0);

/** How an arm's test loss is to that of the reference. */
export function lossVerdict({ arm, less }: Pick<ArmFigures, "arm" | "less">, reference: string): string | null {
  if (less === null || Number.isNaN(less.value)) return null;
  const shown = rangeOf(less, signed);
  if (Number.isNaN(less.low))
    return `${arm}: ${shown} in test loss to ${reference}, of one seed, which says nothing of chance.`;
  if (less.high < 0) return `${arm} is better than ${reference}: ${shown} in test loss.`;
  if (less.low > 0) return `${arm} is worse than ${reference}: ${shown} in test loss.`;
  return `${arm} is not told apart from ${reference}: ${shown} in test loss, an interval that holds 0.`;
}

/** How fast an arm comes to the target, beside the reference. */
export function stepsVerdict(
  { arm, toTarget }: Pick<ArmFigures, "arm" | "toTarget">,
  reference: string,
): string | null {
  if (toTarget === null) return null;
  const { ratio, numReached, steps } = toTarget;
  if (numReached === 0) return `${arm} never comes to the target.`;
  const some =
    numReached < steps.length
      ? ` It comes to it with ${numReached} of ${steps.length} seeds, and only these count.`
      : "";
  if (ratio === null) return some === "" ? null : `${arm}:${some}`;
  const share = rangeOf(ratio, (value) => value.toFixed(2));
  const how = Number.isNaN(ratio.low)
    ? "takes"
    : ratio.high < 1
      ? "takes fewer steps:"
      : ratio.low > 1
        ? "takes more steps:"
        : "is not told apart in its steps:";
  return `To the target ${arm} ${how} ${share} of the steps of ${reference}.${some}`;
}

/** A control arm, the arm that is the same without a teacher, and what the two show. */
export interface ControlVerdict {
  readonly arm: string;
  /** Null where no arm is the same without a teacher. */
  readonly against: string | null;
  readonly sentence: string;
}

/**
 * How an arm's test loss is to that of the reference, and what it shows where it is a control: of a control that is held against the
 * reference the second says the first.
 */
export function lossVerdicts(
  one: Pick<ArmFigures, "arm" | "less">,
  reference: string,
  controls: readonly ControlVerdict[],
): string[] {
  const control = controls.find(({ arm }) => arm === one.arm);
  const ofLoss = one.arm === reference || control?.against === reference ? null : lossVerdict(one, reference);
  return [ofLoss, control?.sentence ?? null].filter((sentence) => sentence !== null);
}

/** All sentences, in the order of the arms. */
export function verdictsOf(
  figures: readonly ArmFigures[],
  reference: string,
  controls: readonly ControlVerdict[] = [],
): string[] {
  return figures
    .flatMap((one) => [
      ...lossVerdicts(one, reference, controls),
      one.arm === reference ? null : stepsVerdict(one, reference),
    ])
    .filter((sentence) => sentence !== null);
}

const UNTUNED =
  "No arm was tuned for itself here: the learning rate, the weights of smoothing and all else are those of the configuration, or what an arm was given, which may suit one arm more than another. A baseline with a rate of its own can be better (Shallue et al. 2019).";
const TUNED_AS_NOTED =
  "What was tuned, and for which arm, is what the notes under “What was asked” say. An arm that was tuned has an advantage over those that were not, and what no note says to be tuned is as in the configuration: a baseline with a learning rate of its own can be better (Shallue et al. 2019).";

/** What the comparison leaves open, whatever it found. */
export function limitsOf({
  numSeeds,
  numArms,
  isCut,
  isNoted,
}: {
  readonly numSeeds: number;
  readonly numArms: number;
  /** Whether it was stopped before all runs were done. */
  readonly isCut: boolean;
  /** Whether its user has notes on it, as of how an arm was tuned. */
  readonly isNoted: boolean;
}): string[] {
  return [
    ...(isCut ? ["Not all of the runs that were planned are done: arms have the seeds that their rows name."] : []),
    seedsSentence(numSeeds),
    ...(numArms > 2
      ? [
          `Each interval is of 95 % by itself: of ${numArms - 1} that hold a true value of 0, one in twenty is expected to leave it out.`,
        ]
      : []),
    "A seed draws first params, order of the data and dropout anew. The split, and the parts that groups train on, are the same for all seeds: intervals say nothing of other data.",
    isNoted ? TUNED_AS_NOTED : UNTUNED,
    "Time is that of this machine, on which the groups of a run share the cores. On machines of their own groups do not slow one another down, and time to the target is nearer to steps to the target.",
    "Forward passes are counted, not measured: 3 for an example that is learned from, 1 for each teacher that was there and sees it; the optimizer, the exchange and waiting are left out.",
  ];
}
