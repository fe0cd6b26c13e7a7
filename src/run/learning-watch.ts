/** What a learning rate that is too high looks like, in the label losses of steps. */
import { count, loss } from "../report/format.js";

/** Losses that need nothing to be learned of what comes before: of guessing, and of the frequencies of labels. In nats. */
export interface Levels {
  readonly guessing: number;
  readonly frequencies: number;
}

/** The levels of the loss for training text in which each token comes so often: ln of how many there are, and the entropy of their frequencies. */
export function levelsOf(tokenCounts: Float64Array): Levels {
  const total = tokenCounts.reduce((sum, times) => sum + times, 0);
  const nats = (share: number) => (share > 0 ? -share * Math.log(share) : 0);
  const frequencies = tokenCounts.reduce((sum, times) => sum + nats(times / total), 0);
  return { guessing: Math.log(tokenCounts.length), frequencies };
}

/** What to do about a learning rate at which nothing is learned. */
export const RATE_TOO_HIGH =
  'The learning rate is probably too high: lower optimizer.learningRate (with adam to 1e-3 or 3e-3), clip gradients (optimizer.clip: { norm: 1 }), or warm up (optimizer.warmUp: "5%")';

/** Looks at a mean loss of the steps since the last look; returns what should be told, each finding once. */
export type LearningWatch = (step: number, meanLoss: number) => string | null;

/** Steps that the losses are smoothed over, and that a finding has to last for, which is a twentieth of the run where that is more. */
const SMOOTHED_STEPS = 20;
const LEAST_STEPS = 40;
/** Shares of a level: above it, below it, and as far above as chance does not come. */
const [ABOVE, BELOW, FAR_ABOVE] = [1, 0.95, 1.02];

/**
 * Watch a run of so many steps from one on. It tells of losses that
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
