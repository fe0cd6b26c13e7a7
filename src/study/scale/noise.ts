/** The gradient noise scale, from the squared norms of the gradients of steps and of their parts. */
import { type Interval, ratioInterval } from "../intervals.js";

/** Means over some steps of the squared norm of a step's gradient, and of the gradient of one of its parts. */
export interface SquaredNorms {
  readonly part: number;
  readonly step: number;
  readonly numSteps: number;
}

/** Successive steps have params that are nearly the same: the jackknife leaves out stretches of steps, so many of them. */
const STRETCHES = 20;

/**
 * The simple noise scale B = tr(Sigma) / |G|^2, in examples, where Sigma is the covariance of the gradient of one example and G its mean
 * (McCandlish et al. 2018, appendix A.1). Of a step of `batch` examples in `parts` parts, as E|g|^2 = |G|^2 + tr(Sigma) / examples,
 *
 *     |G|^2 = (parts |g_step|^2 - |g_part|^2) / (parts - 1),    tr(Sigma) = batch (|g_part|^2 - |g_step|^2) / (parts - 1)
 *
 * without bias; their ratio is that of the means over all steps, with an interval of 95 % by the jackknife over stretches of steps.
 * Null of fewer than two stretches, and where the mean of |G|^2 comes out at 0 or below: the noise is then too large to tell.
 */
export function noiseScale(
  blocks: readonly SquaredNorms[],
  { batch, parts }: { readonly batch: number; readonly parts: number },
): Interval | null {
  const known = blocks.filter(({ part, step }) => Number.isFinite(part) && Number.isFinite(step));
  const size = Math.max(1, Math.ceil(known.length / STRETCHES));
  const stretches: SquaredNorms[] = [];
  for (let i = 0; i < known.length; i += size) stretches.push(joined(known.slice(i, i + size)));
  if (stretches.length < 2 || parts < 2) return null;
  const trace = ({ part, step, numSteps }: SquaredNorms) => (numSteps * batch * (part - step)) / (parts - 1);
  const signal = ({ part, step, numSteps }: SquaredNorms) => (numSteps * (parts * step - part)) / (parts - 1);
  const interval = ratioInterval(stretches, trace, signal);
  if (!(stretches.reduce((sum, one) => sum + signal(one), 0) > 0)) return null;
  return { ...interval, low: Math.max(0, interval.low) };
}

function joined(blocks: readonly SquaredNorms[]): SquaredNorms {
  const numSteps = blocks.reduce((sum, one) => sum + one.numSteps, 0);
  const meanOf = (of: "part" | "step") => blocks.reduce((sum, one) => sum + one.numSteps * one[of], 0) / numSteps;
  return { part: meanOf("part"), step: meanOf("step"), numSteps };
}
