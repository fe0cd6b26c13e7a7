/** Parts that bound updates: by their norm over all params, by value, and by root mean square. */
import { add, clamp, div, maximum, minimum, mul, reduceSum, sqrt, square } from "../graph/ops.js";
import { mapValues, named } from "../runtime/named.js";
import { rootMeanSquare } from "./arithmetic.js";
import { constantSchedule } from "./schedules.js";
import { type GradientTransformation, stateless } from "./transformations.js";

/**
 * Bound the norm over all params (Pascanu, Mikolov and Bengio 2013, Algorithm 1, as torch.nn.utils.clip_grad_norm_):
 * u = g min(1, maxNorm / (|g| + 1e-6)).
 */
export function clipByGlobalNorm(maxNorm: number): GradientTransformation {
  return stateless({ "clip.norm": constantSchedule(maxNorm) }, ({ updates, scalars }) => {
    const squares = Object.values(updates).map((update) => reduceSum(square(update)));
    const total = sqrt(squares.reduce(add));
    const factor = minimum(div(named(scalars, "clip.norm"), add(total, 1e-6)), 1);
    return mapValues(updates, (update) => mul(update, factor));
  });
}

/** Bound each element: u = max(-maxValue, min(maxValue, g)), as torch.nn.utils.clip_grad_value_. */
export function clipByValue(maxValue: number): GradientTransformation {
  return stateless({}, ({ updates }) => mapValues(updates, (update) => clamp(update, -maxValue, maxValue)));
}

/** Bound the root mean square of each param's update (Shazeer and Stern 2018, section 6): u = g / max(1, RMS(g) / maxRms). */
export function clipByRms(maxRms: number): GradientTransformation {
  return stateless(
    { "clip.rms": constantSchedule(maxRms) },
    ({ updates, scalars }) =>
      mapValues(updates, (update) => {
        const excess = div(rootMeanSquare(update), named(scalars, "clip.rms"));
        return mul(update, div(1, maximum(excess, 1)));
      }),
    () => "its update is bounded by the root mean square of all rows; bound it by norm or by value",
  );
}
