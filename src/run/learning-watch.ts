/** Recognises a learning rate that is too high by the label losses of steps. */
import { count, loss } from "../report/format.js";

/**
 * The label losses of two models that ignore the text before a token, in nats: one that guesses evenly, and one that
 * knows the frequencies of the labels.
 */
export interface Levels {
  readonly guessing: number;
  readonly frequencies: number;
}

/**
 * The levels for training text with these counts of tokens: ln of the vocabulary's size, and the entropy of the
 * frequencies.
 */
export function levelsOf(tokenCounts: Float64Array): Levels {
  const total = tokenCounts.reduce((sum, times) => sum + times, 0);
  const nats = (share: number) => (share > 0 ? -share * Math.log(share) : 0);
  const frequencies = tokenCounts.reduce((sum, times) => sum + nats(times / total), 0);
  return { guessing: Math.log(tokenCounts.length), frequencies };
}

/** What to do about a learning rate at which nothing is learned. */
export const RATE_TOO_HIGH =
  'The learning rate is probably too high: lower optimizer.learningRate (with adam to 1e-3 or 3e-3), clip gradients (optimizer.clip: { norm: 1 }), or warm up (optimizer.warmUp: "5%")';

/** Takes the mean loss of the steps since the last call; returns a sentence to log, once for each finding, or null. */
export type LearningWatch = (step: number, meanLoss: number) => string | null;

/**
 * Steps over which losses are smoothed, and the fewest steps that a finding must last: a twentieth of the run where
 * that is more.
 */
const SMOOTHED_STEPS = 20;
const LEAST_STEPS = 40;
/** Multiples of a level from which a loss counts as above it, as below it, and as further above it than by chance. */
const [ABOVE, BELOW, FAR_ABOVE] = [1, 0.95, 1.02];

/**
 * Watch a run of `numSteps` steps from `firstStep` on. It reports losses that
 *
 * - stay above guessing, where every network begins or is after a few steps;
 * - had been lower and are back at the frequencies of labels;
 * - had been lower and are back by more than half of the way to guessing.
 */
export function learningWatch({ guessing, frequencies }: Levels, numSteps: number, firstStep = 0): LearningWatch {
  const lasting = Math.max(LEAST_STEPS, numSteps / 20);
  let [last, smooth, lowest] = [firstStep, Number.NaN, { step: firstStep, loss: Number.POSITIVE_INFINITY }];
  const finding = (holds: () => boolean, says: () => string) => {
    let [since, isTold] = [0, false];
    return (steps: number) => {
      since = holds() ? since + steps : 0;
      if (isTold || since < lasting) return null;
      isTold = true;
      return says();
    };
  };
  const was = () => `it was ${loss(lowest.loss)} at step ${count(lowest.step)}`;
  const findings = [
    finding(
      () => smooth > FAR_ABOVE * guessing,
      () => `the loss stays at ${loss(smooth)}, above guessing (${loss(guessing)}). ${RATE_TOO_HIGH}.`,
    ),
    finding(
      () => lowest.loss < BELOW * frequencies && smooth > ABOVE * frequencies,
      () =>
        `the loss is back at ${loss(smooth)}, no lower than the frequencies of tokens alone come to (${loss(frequencies)}); ${was()}. ${RATE_TOO_HIGH}.`,
    ),
    finding(
      () => lowest.loss < BELOW * guessing && smooth > (lowest.loss + guessing) / 2 && smooth < frequencies,
      () => `the loss has risen to ${loss(smooth)}; ${was()}. ${RATE_TOO_HIGH}.`,
    ),
  ];
  return (step, meanLoss) => {
    const steps = step - last;
    const weight = Number.isNaN(smooth) ? 1 : 1 - Math.exp(-steps / SMOOTHED_STEPS);
    smooth = Number.isNaN(smooth) ? meanLoss : smooth + weight * (meanLoss - smooth);
    last = step;
    if (smooth < lowest.loss) lowest = { step, loss: smooth };
    const said = findings.map((look) => look(steps)).filter((found) => found !== null);
    return said[0] ?? null;
  };
}
