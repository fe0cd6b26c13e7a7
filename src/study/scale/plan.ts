/** Which run comes next in the search for the limit, by those that are done: a pure rule, so that a search goes on where it stopped. */
import { lowest } from "../curves.js";
import { atWorkers, isWorthless, type ScaledTo } from "./limit.js";
import { type ScaleArm, type ScaleOutcome, type ScaleQuestion, stepsOf } from "./question.js";

/** A run that is to be trained. */
export interface PlannedArm extends ScaleArm {
  /** After so many steps it cannot be of use any more. */
  readonly numSteps: number;
  /** The most steps that a run with so many workers is given; warm-up and intervals go by it. */
  readonly horizon: number;
  readonly why: string;
}

/** More workers should take fewer steps: with so much more than half of them took, they are past their limit. */
const ROOM = 1.25;
/** Other seeds may take so much more than the first one. */
const SEED_ROOM = 2;
/** The fewest steps of a run. */
const LEAST_STEPS = 10;
/** How many doublings of the learning rate are tried from where the search begins. */
const MOST_UP = 4;
const MOST_DOWN = 3;

/**
 * The next run; null when all that is worth training is done. With each number of workers the learning rate is doubled and halved from
 * the best of the number before for as long as that helps, with the first seed; then the other seeds train at the best one. A run has no
 * more steps than the best before it took, and there are no more workers once they are past the limit.
 */
export function nextArm(question: ScaleQuestion, outcomes: readonly ScaleOutcome[]): PlannedArm | null {
  const { seeds, numSteps, target } = question;
  const [firstSeed] = seeds;
  const [firstWorkers] = question.workers;
  if (firstSeed === undefined || firstWorkers === undefined) return null;
  const begun = outcomes.find((one) => one.workers === firstWorkers && one.doublings === 0 && one.seed === firstSeed);
  if (begun === undefined) {
    const why = "the configuration's own learning rate";
    return { workers: firstWorkers, doublings: 0, seed: firstSeed, numSteps, horizon: numSteps, why };
  }
  if (target === null) return null;
  let before: ScaledTo | null = null;
  for (const workers of question.workers) {
    const own = nextWith({ ...question, target }, outcomes, workers, before);
    if (own) return own;
    const here = atWorkers(question, outcomes, workers);
    const isHopeless = outcomes.filter((one) => one.workers === workers).every(({ isDiverged }) => isDiverged);
    if (here === null || isHopeless || (before !== null && isWorthless(before, here))) return null;
    before = here;
  }
  return null;
}

/** The most steps of runs with so many workers, by the number of workers before. */
function horizonAfter(before: ScaledTo | null, numSteps: number): number {
  if (before === null || before.steps === null) return numSteps;
  return Math.min(numSteps, Math.max(LEAST_STEPS, Math.ceil(ROOM * before.steps.value)));
}

function nextWith(
  question: ScaleQuestion & { readonly target: number },
  outcomes: readonly ScaleOutcome[],
  workers: number,
  before: ScaledTo | null,
): PlannedArm | null {
  const { seeds, target } = question;
  const [firstSeed = 0, ...otherSeeds] = seeds;
  const own = outcomes.filter((one) => one.workers === workers);
  const tried = own.filter(({ seed }) => seed === firstSeed);
  const horizon = horizonAfter(before, question.numSteps);
  const best = bestOf(tried, target);
  const bestSteps = best && stepsOf(best, target);
  const doublings = nextRate(tried, before?.doublings ?? 0, target);
  if (doublings !== null) {
    const numSteps = bestSteps === null ? horizon : Math.min(horizon, Math.max(LEAST_STEPS, Math.ceil(bestSteps)));
    const why = bestSteps === null ? "a learning rate for so many workers" : "another learning rate";
    return { workers, doublings, seed: firstSeed, numSteps, horizon, why };
  }
  // A number of workers that does not come to the target with one seed is not tried with others.
  if (best === null || bestSteps === null) return null;
  const seed = otherSeeds.find((one) => !own.some((run) => run.seed === one && run.doublings === best.doublings));
  if (seed === undefined) return null;
  const numSteps = Math.max(LEAST_STEPS, Math.ceil(SEED_ROOM * bestSteps));
  return { workers, doublings: best.doublings, seed, numSteps, horizon, why: "another seed at the best learning rate" };
}

/** The learning rate to try next, as doublings; null when the best is between two that are worse. */
function nextRate(tried: readonly ScaleOutcome[], start: number, target: number): number | null {
  const at = (doublings: number) => tried.find((one) => one.doublings === doublings);
  const walk = (way: 1 | -1, most: number): { readonly next: number | null; readonly helped: boolean } => {
    for (let d = start; Math.abs(d - start) < most; d += way) {
      const [here, there] = [at(d), at(d + way)];
      if (here === undefined) return { next: d, helped: false };
      if (there === undefined) return { next: d + way, helped: d !== start };
      // Rates that are too high are left, one after the other.
      if (way < 0 && here.isDiverged && there.isDiverged) continue;
      if (!isBetter(there, here, target)) return { next: null, helped: d !== start };
    }
    return { next: null, helped: true };
  };
  const up = walk(1, MOST_UP);
  if (up.next !== null || up.helped) return up.next;
  return walk(-1, MOST_DOWN).next;
}

/** The run that comes to the target first; null where none does. */
function bestOf(tried: readonly ScaleOutcome[], target: number): ScaleOutcome | null {
  const reached = tried.filter((one) => stepsOf(one, target) !== null);
  return reached.reduce<ScaleOutcome | null>(
    (best, one) => (best === null || isBetter(one, best, target) ? one : best),
    null,
  );
}

/** Whether a run does better than another: it comes to the target earlier, or where none does, nearer to it. */
export function isBetter(one: ScaleOutcome, other: ScaleOutcome, target: number): boolean {
  const [a, b] = [stepsOf(one, target), stepsOf(other, target)];
  if (a !== null || b !== null) return (a ?? Number.POSITIVE_INFINITY) < (b ?? Number.POSITIVE_INFINITY);
  if (one.isDiverged !== other.isDiverged) return other.isDiverged;
  return lowest(one.curve) < lowest(other.curve);
}
