/** The factored second moment of Adafactor: two vectors in place of a matrix. */
import { add, div, mul, reduceMean, sqrt, square } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { named } from "../runtime/named.js";
import type { GradientTransformation, OptStateSpec, UpdateInput } from "./transformations.js";

export interface FactoredOptions {
  /** The decay of the moments at step t (from 1) is 1 - t^-decayExponent; 0.8 by default. */
  readonly decayExponent?: number | undefined;
  /** Added to squared gradients; 1e-30 by default. */
  readonly epsilon?: number | undefined;
}

/**
 * The second moment of Adafactor (Shazeer and Stern 2018, Algorithms 4 and 5, without clipping and step size):
 *
 *     r = beta r + (1 - beta) mean over columns (g^2 + epsilon),  c likewise over rows,
 *     v = r c / mean(r),  u = g / sqrt(v),  beta = 1 - t^-decayExponent,
 *
 * with v itself kept where a param has less than two axes. Of more than two axes the last two are factored. The paper
 * keeps sums instead of means, which gives the same v.
 */
export function scaleByFactoredRms({ decayExponent = 0.8, epsilon = 1e-30 }: FactoredOptions = {}) {
  const rest = (step: number) => (step + 1) ** -decayExponent;
  const transformation: GradientTransformation = {
    scalars: { "adafactor.decay": (step) => 1 - rest(step), "adafactor.rest": rest },
    stateSpec: (params) => {
      const state: Record<string, OptStateSpec> = {};
      for (const [name, { shape }] of Object.entries(params)) {
        const rank = shape.length;
        if (rank < 2) state[`adafactor.v.${name}`] = { shape, fill: 0 };
        else {
          state[`adafactor.r.${name}`] = { shape: shape.with(rank - 1, 1), fill: 0 };
          state[`adafactor.c.${name}`] = { shape: shape.with(rank - 2, 1), fill: 0 };
        }
      }
      return state;
    },
    sparseUnsupported: () =>
      'Adafactor keeps moments of all rows together; use "adagrad" or "adam", or leave it out of the touched rows',
    update(input) {
      const updates: Record<string, Tensor> = {};
      const optState: Record<string, Tensor> = {};
      for (const [name, g] of Object.entries(input.updates)) {
        const squares = add(square(g), epsilon);
        const rank = g.shape.length;
        if (rank < 2) {
          const v = averaged(input, `adafactor.v.${name}`, squares);
          optState[`adafactor.v.${name}`] = v;
          updates[name] = div(g, sqrt(v));
          continue;
        }
        const r = averaged(input, `adafactor.r.${name}`, reduceMean(squares, [rank - 1], true));
        const c = averaged(input, `adafactor.c.${name}`, reduceMean(squares, [rank - 2], true));
        optState[`adafactor.r.${name}`] = r;
        optState[`adafactor.c.${name}`] = c;
        // Two divisions, each by one root: where all gradients are 0, r c is 1e-60, which is 0 in float32.
        updates[name] = div(div(g, sqrt(div(r, reduceMean(r, [rank - 2], true)))), sqrt(c));
      }
      return { updates, optState };
    },
  };
  return transformation;
}

/** decay x old + (1 - decay) x new. */
function averaged({ optState, scalars }: UpdateInput, name: string, value: Tensor): Tensor {
  return add(
    mul(named(optState, name), named(scalars, "adafactor.decay")),
    mul(value, named(scalars, "adafactor.rest")),
  );
}
