/** What a comparison came to: the figures of its report, computed from what was measured. */
import type { TestMetrics } from "../log/events.js";
import { lowest, lowestBy, stepsToTarget } from "./curves.js";
import { type Interval, jackknifeInterval, ratioInterval, studentInterval } from "./intervals.js";
import type { Apart, Measured, Outcome } from "./outcome.js";
import { mean } from "./statistics.js";

/** What is to be reached, declared before the runs: the best validation loss of the reference arm with the same seed, or a loss. */
export type Target = { readonly kind: "reference" } | { readonly kind: "loss"; readonly value: number };

export interface Question {
  /** The names of the arms, in order. */
  readonly arms: readonly string[];
  readonly seeds: readonly number[];
  readonly reference: string;
  readonly target: Target;
  /** By arm, the forward passes of its shipped model after some steps, with the teachers that a run had. */
  readonly passes: Readonly<Record<string, (step: number, taught?: Outcome["taught"]) => number>>;
}

/** How an arm came to the target. */
export interface ToTarget {
  /** By seed; null where it was not reached. */
  readonly steps: readonly (number | null)[];
  readonly seconds: readonly (number | null)[];
  /** Its steps over those of the reference, of the seeds in which both came to it; null of fewer than two. */
  readonly ratio: Interval | null;
  readonly numReached: number;
}

/** An arm: each list has a value for each of its seeds. */
export interface ArmFigures {
  readonly arm: string;
  readonly seeds: readonly number[];
  readonly loss: readonly number[];
  readonly meanTestLoss: readonly number[];
  readonly test: readonly TestMetrics[];
  /** Losses less those of the reference with the same seed; null of the reference itself. */
  readonly less: Interval | null;
  /** The test loss after recalibration, and what that takes away; null where it is not measured. */
  readonly refinement: readonly number[] | null;
  readonly calibration: readonly number[] | null;
  readonly refinementLess: Interval | null;
  readonly calibrationLess: Interval | null;
  /** Over all pairs of seeds; without an interval of fewer than three; null of one seed, and where it is not measured. */
  readonly distance: Interval | null;
  readonly changed: Interval | null;
  /** Of {@link changed} what turns from wrong to right and from right to wrong, the lower seed first; null where nothing is decided. */
  readonly good: Interval | null;
  readonly bad: Interval | null;
  /** Null of an ensemble, which is not validated. */
  readonly toTarget: ToTarget | null;
  /** The best validation loss at the forward passes that the cheapest arm takes in all its steps; null of an ensemble. */
  readonly atEqualPasses: {
    readonly steps: number;
    readonly loss: readonly number[];
    readonly less: Interval | null;
  } | null;
  /** The mean over the seeds. */
  readonly seconds: number;
  readonly bytes: number;
}

/** The figures of every arm of which a run is done. */
export function figuresOf(measured: Measured, question: Question): ArmFigures[] {
  const of = (arm: string) => measured.outcomes.filter((one) => one.arm === arm);
  const reference = of(question.reference);
  const budget = budgetOf(measured, question);
  return question.arms.flatMap((arm) => {
    const own = of(arm);
    if (own.length === 0) return [];
    const others = arm === question.reference ? [] : reference;
    const refinedOf = (outcome: Outcome) =>
      measured.refined.find((one) => one.arm === outcome.arm && one.seed === outcome.seed)?.refinementLoss;
    const refinement = own.map(refinedOf);
    const isRefined = refinement.every((value) => value !== undefined);
    const calibrationOf = (outcome: Outcome) => outcome.test.testLoss - (refinedOf(outcome) ?? Number.NaN);
    const pairs = measured.apart.filter((one) => one.arm === arm);
    return [
      {
        arm,
        seeds: own.map(({ seed }) => seed),
        loss: own.map(({ test }) => test.testLoss),
        meanTestLoss: own.map(({ meanTestLoss }) => meanTestLoss),
        test: own.map(({ test }) => test),
        less: differenceOf(own, others, ({ test }) => test.testLoss),
        refinement: isRefined ? refinement : null,
        calibration: isRefined ? own.map(calibrationOf) : null,
        refinementLess: isRefined ? differenceOf(own, others, (one) => refinedOf(one) ?? Number.NaN) : null,
        calibrationLess: isRefined ? differenceOf(own, others, calibrationOf) : null,
        distance: overPairs(own, pairs, ({ distance }) => distance),
        changed: overPairs(own, pairs, ({ changed }) => changed),
        good: overPairs(own, pairs, ({ good }) => good),
        bad: overPairs(own, pairs, ({ bad }) => bad),
        toTarget: own.every(({ curve }) => curve.length === 0) ? null : toTargetOf(own, reference, question),
        atEqualPasses: atPasses(own, others, budget, question.passes),
        seconds: mean(own.map(({ seconds }) => seconds)),
        bytes: mean(own.map(({ bytes }) => bytes)),
      },
    ];
  });
}

/** The mean difference of the pairs of a seed, with Student's interval; null where there is no pair. */
function differenceOf(
  own: readonly Outcome[],
  others: readonly Outcome[],
  of: (one: Outcome) => number,
): Interval | null {
  const pairs = own.flatMap((one) => {
    const other = others.find(({ seed }) => seed === one.seed);
    return other ? [of(one) - of(other)] : [];
  });
  return pairs.length === 0 ? null : studentInterval(pairs);
}

/** Test losses of an arm less those of another, of each seed that both have. */
export function lossDifferences(own: ArmFigures | null, other: ArmFigures | null): number[] {
  if (own === null || other === null) return [];
  return own.seeds.flatMap((seed, i) => {
    const at = other.seeds.indexOf(seed);
    return at < 0 ? [] : [(own.loss[i] ?? Number.NaN) - (other.loss[at] ?? Number.NaN)];
  });
}

/** Their mean, with Student's interval; null where the arms share no seed. */
export function lossLess(own: ArmFigures | null, other: ArmFigures | null): Interval | null {
  const differences = lossDifferences(own, other);
  return differences.length === 0 ? null : studentInterval(differences);
}

/** The mean of a figure over the pairs of some seeds. */
export function meanOverPairs(pairs: readonly Apart[], seeds: readonly number[], of: (pair: Apart) => number): number {
  return mean(pairs.filter((pair) => pair.seeds.every((seed) => seeds.includes(seed))).map(of));
}

/** The jackknife leaves a seed out, and two must remain. */
export const LEAST_FOR_JACKKNIFE = 3;

/** The mean over all pairs of seeds; null where a pair has no such figure. */
function overPairs(
  own: readonly Outcome[],
  pairs: readonly Apart[],
  of: (pair: Apart) => number | undefined,
): Interval | null {
  const seeds = own.map(({ seed }) => seed).filter((seed) => pairs.some((pair) => pair.seeds.includes(seed)));
  if (seeds.length < 2 || pairs.some((pair) => of(pair) === undefined)) return null;
  const meanOver = (some: readonly number[]) => meanOverPairs(pairs, some, (pair) => of(pair) ?? Number.NaN);
  if (seeds.length < LEAST_FOR_JACKKNIFE) return { value: meanOver(seeds), low: Number.NaN, high: Number.NaN };
  return notBelow0(jackknifeInterval(seeds, meanOver));
}

function toTargetOf(own: readonly Outcome[], reference: readonly Outcome[], { target }: Question): ToTarget {
  const targetOf = (seed: number) => {
    if (target.kind === "loss") return target.value;
    const of = reference.find((one) => one.seed === seed);
    return of ? lowest(of.curve) : Number.NaN;
  };
  const stepsOf = ({ curve, seed }: Outcome) => stepsToTarget(curve, targetOf(seed));
  const steps = own.map(stepsOf);
  const both = own.flatMap((one) => {
    const other = reference.find(({ seed }) => seed === one.seed);
    const [a, b] = [stepsOf(one), other ? stepsOf(other) : null];
    return a === null || b === null ? [] : [{ own: a, other: b }];
  });
  const ofReference = own[0]?.arm === reference[0]?.arm;
  return {
    steps,
    seconds: own.map((one, i) => secondsAt(one, steps[i] ?? null)),
    ratio:
      ofReference || both.length < 2
        ? null
        : notBelow0(
            ratioInterval(
              both,
              (one) => one.own,
              (one) => one.other,
            ),
          ),
    numReached: steps.filter((step) => step !== null).length,
  };
}

/** The interval of what is never negative. */
export function notBelow0({ value, low, high }: Interval): Interval {
  return { value, low: Number.isNaN(low) ? low : Math.max(0, low), high };
}

/** The training time at a step, on the line between the validations about it. */
function secondsAt({ curve }: Outcome, step: number | null): number | null {
  if (step === null) return null;
  const at = curve.findIndex((point) => point.step >= step);
  const here = curve[at];
  if (!here) return null;
  const before = curve[at - 1] ?? { step: 0, seconds: 0 };
  return before.seconds + ((step - before.step) / (here.step - before.step)) * (here.seconds - before.seconds);
}

/** The forward passes of the arm that takes the fewest, over all of its steps. */
function budgetOf({ outcomes }: Measured, { passes }: Question): number {
  const all = outcomes.flatMap(({ arm, curve, taught }) => {
    const last = curve.at(-1);
    const of = passes[arm];
    return last && of ? [of(last.step, taught)] : [];
  });
  return Math.min(...all);
}

/** The best loss of each seed by the last validation that is within the budget; null where there is none. */
function atPasses(
  own: readonly Outcome[],
  others: readonly Outcome[],
  budget: number,
  passes: Question["passes"],
): ArmFigures["atEqualPasses"] {
  const lastWithin = ({ arm, curve, taught }: Outcome) =>
    curve.findLast(({ step }) => (passes[arm]?.(step, taught) ?? Number.POSITIVE_INFINITY) <= budget)?.step ?? 0;
  const lossOf = (outcome: Outcome) => lowestBy(outcome.curve, lastWithin(outcome));
  const losses = own.map(lossOf);
  if (losses.includes(null)) return null;
  const differences = own.flatMap((outcome) => {
    const other = others.find(({ seed }) => seed === outcome.seed);
    const [a, b] = [lossOf(outcome), other ? lossOf(other) : null];
    return a === null || b === null ? [] : [a - b];
  });
  return {
    steps: Math.min(...own.map(lastWithin)),
    loss: losses as number[],
    less: differences.length === 0 ? null : studentInterval(differences),
  };
}
