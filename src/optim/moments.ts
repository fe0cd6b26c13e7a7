/**
 * Parts that keep moments of the gradients.
 *
 * The state holds decayed sums instead of averages: M = beta M + g in place of m = beta m + (1 - beta) g. Then
 * m = (1 - beta) M, and the scalars include the factor 1 - beta. That saves a pass over memory for each moment.
 */
import { add, div, mul, relu, sign, sqrt, square, sub } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { mapValues, named, withPrefix } from "../runtime/named.js";
import { scale } from "./arithmetic.js";
import { constantSchedule } from "./schedules.js";
import { byRows, type GradientTransformation, stateLike, type UpdateInput } from "./transformations.js";

/** decay S + x for each param, where S is the old sum that is kept under the prefix. */
function decayedSums(
  { optState }: Pick<UpdateInput, "optState">,
  prefix: string,
  decay: Tensor,
  terms: Tensors,
): Record<string, Tensor> {
  return mapValues(terms, (term, name) => add(mul(named(optState, `${prefix}.${name}`), decay), term));
}

export interface MomentumOptions {
  /** Decay of the momentum; 0.9 by default. */
  readonly momentum?: number | undefined;
  /** Look ahead as Nesterov's method does. */
  readonly isNesterov?: boolean | undefined;
}

/**
 * Momentum (Polyak 1964; Sutskever et al. 2013, equations 1 to 4, in the form of torch.optim.SGD):
 *
 *     b = momentum b + g,  u = b, or with Nesterov  u = g + momentum b.
 */
export function addMomentum({ momentum = 0.9, isNesterov = false }: MomentumOptions = {}): GradientTransformation {
  return {
    scalars: { "momentum.decay": constantSchedule(momentum) },
    stateSpec: (params) => stateLike("momentum.b", params, { decay: "momentum.decay" }),
    sparseUnsupported: byRows,
    update(input) {
      const decay = named(input.scalars, "momentum.decay");
      const sums = decayedSums(input, "momentum.b", decay, input.updates);
      const ahead = (g: Tensor, name: string) => add(g, mul(named(sums, name), decay));
      return {
        updates: isNesterov ? mapValues(input.updates, ahead) : sums,
        optState: withPrefix("momentum.b", sums),
      };
    },
  };
}

export interface AdagradOptions {
  /** 1e-10 by default. */
  readonly epsilon?: number | undefined;
  /** Initial value of the sums of squares; 0 by default. */
  readonly initialSum?: number | undefined;
}

/** Adagrad (Duchi, Hazan and Singer 2011, section 1.1, diagonal form): v = v + g^2, u = g / (sqrt(v) + epsilon). */
export function scaleByAdagrad({ epsilon = 1e-10, initialSum = 0 }: AdagradOptions = {}): GradientTransformation {
  return {
    scalars: { "adagrad.epsilon": constantSchedule(epsilon) },
    stateSpec: (params) => stateLike("adagrad.v", params, { fill: initialSum }),
    sparseUnsupported: byRows,
    update({ updates, optState, scalars }) {
      const sums = mapValues(updates, (g, name) => add(named(optState, `adagrad.v.${name}`), square(g)));
      const denominator = (name: string) => add(sqrt(named(sums, name)), named(scalars, "adagrad.epsilon"));
      return {
        updates: mapValues(updates, (g, name) => div(g, denominator(name))),
        optState: withPrefix("adagrad.v", sums),
      };
    },
  };
}

export interface RmsOptions {
  /** Decay of the mean square; 0.99 by default. */
  readonly alpha?: number | undefined;
  /** 1e-8 by default. */
  readonly epsilon?: number | undefined;
  /** Divide by the standard deviation of the gradient instead of its root mean square. */
  readonly isCentered?: boolean | undefined;
}

/**
 * RMSProp (Tieleman and Hinton 2012, lecture 6e; centred: Graves 2013, equations 38 to 40; in the form of torch.optim):
 *
 *     v = alpha v + (1 - alpha) g^2,  u = g / (sqrt(v) + epsilon),
 *
 * centred with v - m^2 for v under the root, m = alpha m + (1 - alpha) g. The state holds V = v / (1 - alpha) and
 * M = m / (1 - alpha).
 */
export function scaleByRms({ alpha = 0.99, epsilon = 1e-8, isCentered = false }: RmsOptions = {}) {
  const size = Math.sqrt(1 - alpha);
  const transformation: GradientTransformation = {
    scalars: {
      "rms.alpha": constantSchedule(alpha),
      "rms.epsilon": constantSchedule(epsilon / size),
      "rms.scale": constantSchedule(1 / size),
      ...(isCentered && { "rms.share": constantSchedule(1 - alpha) }),
    },
    stateSpec: (params) => ({
      ...stateLike("rms.v", params, { decay: "rms.alpha" }),
      ...(isCentered && stateLike("rms.m", params, { decay: "rms.alpha" })),
    }),
    sparseUnsupported: byRows,
    update(input) {
      const { updates, scalars } = input;
      const decay = named(scalars, "rms.alpha");
      const squares = decayedSums(input, "rms.v", decay, mapValues(updates, square));
      const sums = isCentered ? decayedSums(input, "rms.m", decay, updates) : {};
      // Rounding may take a variance of 0 below it.
      const variance = (name: string) =>
        isCentered
          ? relu(sub(named(squares, name), mul(square(named(sums, name)), named(scalars, "rms.share"))))
          : named(squares, name);
      const scaled = mapValues(updates, (g, name) => {
        const denominator = add(sqrt(variance(name)), named(scalars, "rms.epsilon"));
        return scale(div(g, denominator), named(scalars, "rms.scale"));
      });
      return { updates: scaled, optState: { ...withPrefix("rms.v", squares), ...withPrefix("rms.m", sums) } };
    },
  };
  return transformation;
}

export interface AdamOptions {
  /** Decay of the first moment; 0.9 by default. */
  readonly beta1?: number | undefined;
  /** Decay of the second moment; 0.999 by default. */
  readonly beta2?: number | undefined;
  /** 1e-8 by default. */
  readonly epsilon?: number | undefined;
}

/**
 * The update rule of Adam (Kingma and Ba 2015, Algorithm 1), to be followed by a learning rate:
 *
 *     m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2,
 *     u = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon),  t = step + 1.
 *
 * The state holds M = m / (1 - beta1) and V = v / (1 - beta2). With c1 = (1 - beta1) / (1 - beta1^t) and
 * c2 = sqrt((1 - beta2) / (1 - beta2^t)), u = (c1 / c2) M / (sqrt(V) + epsilon / c2).
 */
export function scaleByAdam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions = {}): GradientTransformation {
  const c1 = (step: number) => (1 - beta1) / (1 - beta1 ** (step + 1));
  const c2 = (step: number) => Math.sqrt((1 - beta2) / (1 - beta2 ** (step + 1)));
  return {
    scalars: {
      "adam.beta1": constantSchedule(beta1),
      "adam.beta2": constantSchedule(beta2),
      "adam.scale": (step) => c1(step) / c2(step),
      "adam.epsilon": (step) => epsilon / c2(step),
    },
    stateSpec: (params) => ({
      ...stateLike("adam.m", params, { decay: "adam.beta1" }),
      ...stateLike("adam.v", params, { decay: "adam.beta2" }),
    }),
    sparseUnsupported: byRows,
    update(input) {
      const { updates, scalars } = input;
      const sums = decayedSums(input, "adam.m", named(scalars, "adam.beta1"), updates);
      const squares = decayedSums(input, "adam.v", named(scalars, "adam.beta2"), mapValues(updates, square));
      const scaled = mapValues(sums, (sum, name) => {
        const denominator = add(sqrt(named(squares, name)), named(scalars, "adam.epsilon"));
        return scale(div(sum, denominator), named(scalars, "adam.scale"));
      });
      return { updates: scaled, optState: { ...withPrefix("adam.m", sums), ...withPrefix("adam.v", squares) } };
    },
  };
}

export interface LionOptions {
  /** Weight of the old momentum in the direction of a step; 0.9 by default. */
  readonly beta1?: number | undefined;
  /** Decay of the momentum, above 0; 0.99 by default. */
  readonly beta2?: number | undefined;
}

/**
 * The update rule of Lion (Chen et al. 2023, Algorithm 2), to be followed by decoupled decay and a learning rate:
 *
 *     u = sign(beta1 m + (1 - beta1) g),  m = beta2 m + (1 - beta2) g.
 *
 * The state holds M = m / (1 - beta2). The direction uses the new M instead of the old one, so that the old M has a
 * single reader and can be changed in place: with a = beta1 (1 - beta2) / ((1 - beta1) beta2),
 * u = sign(a M + (1 - a) g).
 */
export function scaleByLion({ beta1 = 0.9, beta2 = 0.99 }: LionOptions = {}): GradientTransformation {
  const share = (beta1 * (1 - beta2)) / ((1 - beta1) * beta2);
  return {
    scalars: {
      "lion.beta2": constantSchedule(beta2),
      "lion.share": constantSchedule(share),
      "lion.rest": constantSchedule(1 - share),
    },
    stateSpec: (params) => stateLike("lion.m", params, { decay: "lion.beta2" }),
    sparseUnsupported: () => 'Lion moves every row by a whole learning rate in every step; use "adam" or "adagrad"',
    update(input) {
      const { updates, scalars } = input;
      const sums = decayedSums(input, "lion.m", named(scalars, "lion.beta2"), updates);
      const directed = mapValues(updates, (g, name) =>
        sign(add(mul(named(sums, name), named(scalars, "lion.share")), mul(g, named(scalars, "lion.rest")))),
      );
      return { updates: directed, optState: withPrefix("lion.m", sums) };
    },
  };
}
