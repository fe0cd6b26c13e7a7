/** Parts that look at the params themselves: decay, and steps in proportion to the size of a param. */
import { add, div, greater, maximum, mul, where } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { mapValues, named, withPrefix } from "../runtime/named.js";
import { norm, rootMeanSquare } from "./arithmetic.js";
import { firstMatch, isSelected, type Selection } from "./patterns.js";
import { constantSchedule } from "./schedules.js";
import { type GradientTransformation, stateless } from "./transformations.js";

/** The rate of weight decay, and the params that decay. */
export interface DecayOptions extends Selection {
  readonly rate: number;
  /** Other rates by pattern on the names of params; the first that matches counts. */
  readonly rates?: Readonly<Record<string, number>> | undefined;
}

/**
 * u = g + rate p, for the selected params.
 *
 * First in a chain it is coupled: the gradient of rate |p|^2 / 2, which passes through the moments. After the moments and
 * before the learning rate it is decoupled (Loshchilov and Hutter 2019, Algorithm 2): p shrinks by learningRate x rate.
 */
export function addDecay({ rate, rates = {}, ...selection }: DecayOptions): GradientTransformation {
  const patterns = Object.keys(rates);
  const scalarOf = (name: string) => {
    const pattern = firstMatch(patterns, name);
    return pattern === undefined ? "decay" : `decay.${pattern}`;
  };
  return stateless(
    { decay: constantSchedule(rate), ...withPrefix("decay", mapValues(rates, constantSchedule)) },
    ({ updates, params, scalars }) =>
      mapValues(updates, (update, name) =>
        isSelected(selection, name) ? add(update, mul(named(params, name), named(scalars, scalarOf(name)))) : update,
      ),
    (name) =>
      isSelected(selection, name) ? "weight decay pulls at all rows in every step; except it from decay" : null,
  );
}

/**
 * The trust ratio of LAMB (You et al. 2020, Algorithm 2, with the identity for phi): u = g |p| / |g| for each selected
 * param, and u = g where one of the norms is 0.
 */
export function scaleByTrustRatio(selection: Selection = {}): GradientTransformation {
  return stateless(
    {},
    ({ updates, params }) =>
      mapValues(updates, (update, name) => {
        if (!isSelected(selection, name)) return update;
        const [paramNorm, updateNorm] = [norm(named(params, name)), norm(update)];
        return mul(update, unlessZero([paramNorm, updateNorm], div(paramNorm, updateNorm)));
      }),
    (name) => (isSelected(selection, name) ? `the trust ratio of LAMB is of the norm of all rows; ${CURE}` : null),
  );
}

export interface LarsRatioOptions extends Selection {
  /** The local learning rate's coefficient eta; 0.001 by default. */
  readonly coefficient?: number | undefined;
  /** Weight decay beta; 0.0005 by default. */
  readonly decay?: number | undefined;
}

/**
 * The layer-wise rate of LARS (You, Gitman and Ginsburg 2017, Algorithm 1 and equation 6), which includes weight decay:
 *
 *     u = lambda (g + decay p),  lambda = coefficient |p| / (|g| + decay |p|),
 *
 * with lambda = 1 where the param or the denominator is 0, as a param that begins as 0 would stay 0 otherwise. Params
 * that are not selected are neither scaled nor decayed.
 */
export function scaleByLarsRatio({
  coefficient = 0.001,
  decay = 0.0005,
  ...selection
}: LarsRatioOptions = {}): GradientTransformation {
  const scalars = { "lars.coefficient": constantSchedule(coefficient), "lars.decay": constantSchedule(decay) };
  return stateless(
    scalars,
    ({ updates, params, scalars }) =>
      mapValues(updates, (g, name) => {
        if (!isSelected(selection, name)) return g;
        const param = named(params, name);
        const rate = named(scalars, "lars.decay");
        const [paramNorm, gradNorm] = [norm(param), norm(g)];
        const sum = add(gradNorm, mul(paramNorm, rate));
        const factor = unlessZero([paramNorm, sum], div(mul(paramNorm, named(scalars, "lars.coefficient")), sum));
        return add(mul(g, factor), mul(param, mul(rate, factor)));
      }),
    (name) => (isSelected(selection, name) ? `the rate of LARS is of the norm of all rows; ${CURE}` : null),
  );
}

/**
 * Steps in proportion to the size of a param (Shazeer and Stern 2018, section 8): u = max(minimum, RMS(p)) g. Makes the
 * learning rate a relative step size.
 */
export function scaleByParamRms(minimum: number): GradientTransformation {
  return stateless(
    { "relative.minimum": constantSchedule(minimum) },
    ({ updates, params, scalars }) =>
      mapValues(updates, (update, name) =>
        mul(update, maximum(rootMeanSquare(named(params, name)), named(scalars, "relative.minimum"))),
      ),
    () => `a relative step is of the root mean square of all rows; ${CURE}`,
  );
}

/** The cure for a param that cannot have sparse updates. */
const CURE = 'use "adagrad", "adam" or "sgd", or leave it out of the touched rows';

/** The ratio where all sizes are above 0, else 1. */
function unlessZero(sizes: readonly Tensor[], ratio: Tensor): Tensor {
  return sizes.reduce((value, size) => where(greater(size, 0), value, 1), ratio);
}
