/** Optimizers as chains of pure parts: each maps updates and its memory to new updates and new memory. */
import { ConfigError } from "../errors.js";
import { add, div, mul, neg, type Operand, sqrt } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { mapValues, named, withPrefix } from "../runtime/named.js";
import type { Schedule } from "./schedules.js";

type Shapes = Readonly<Record<string, { readonly shape: readonly number[] }>>;

/** An array that an optimizer keeps between steps, and the value that fills it at first. */
export interface MemorySpec {
  readonly shape: readonly number[];
  readonly fill: number;
}

/** One part of an optimizer. */
export interface GradientTransformation {
  /** Numbers that change with the step and are fed to the program under these names. */
  readonly scalars: Readonly<Record<string, Schedule>>;
  /** The memory it keeps for params of these shapes. */
  readonly memory: (params: Shapes) => Readonly<Record<string, MemorySpec>>;
  /**
   * New updates (by the names of the params) and new memory (by the names that `memory` gave). What multiplies memory
   * goes through `decayBy`: in a step that is skipped it gives 1, and updates of 0 then leave memory as it is.
   */
  readonly update: (
    updates: Tensors,
    optState: Tensors,
    scalars: Tensors,
    decayBy?: (decay: number) => Operand,
  ) => { updates: Tensors; optState: Tensors };
}

/** Parts applied one after the other. Throws {@link ConfigError} when two of them feed different values under one name. */
export function chain(...parts: readonly GradientTransformation[]): GradientTransformation {
  const scalars: Record<string, Schedule> = {};
  for (const [name, schedule] of parts.flatMap((part) => Object.entries(part.scalars))) {
    if (scalars[name] !== undefined && scalars[name] !== schedule) {
      throw new ConfigError(
        `chain: a scalar has one schedule, and two parts give "${name}" different ones; use one of them`,
      );
    }
    scalars[name] = schedule;
  }
  return {
    scalars,
    memory: (params) => Object.assign({}, ...parts.map((part) => part.memory(params))),
    update: (grads, optState, scalars, decayBy) =>
      parts.reduce(
        (before, part) => {
          const after = part.update(before.updates, optState, scalars, decayBy);
          return { updates: after.updates, optState: { ...before.optState, ...after.optState } };
        },
        { updates: grads, optState: {} as Tensors },
      ),
  };
}

/** u = -learningRate(step) g. */
export function scaleByLearningRate(learningRate: Schedule): GradientTransformation {
  return {
    scalars: { learningRate },
    memory: () => ({}),
    update: (updates, _, scalars) => {
      const factor = neg(named(scalars, "learningRate"));
      return { updates: mapValues(updates, (update) => mul(update, factor)), optState: {} };
    },
  };
}

export interface AdamOptions {
  /** Decay of the first moment. */
  readonly beta1?: number;
  /** Decay of the second moment. */
  readonly beta2?: number;
  readonly epsilon?: number;
}

/**
 * The update rule of Adam (Kingma and Ba 2015, Algorithm 1), to be followed by a learning rate:
 *
 *     m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2,
 *     u = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon),  t = step + 1.
 */
export function scaleByAdam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions = {}): GradientTransformation {
  return {
    scalars: {
      firstCorrection: (step) => 1 / (1 - beta1 ** (step + 1)),
      secondCorrection: (step) => 1 / Math.sqrt(1 - beta2 ** (step + 1)),
    },
    memory: (params) => ({ ...zerosFor("m", params), ...zerosFor("v", params) }),
    update: (updates, optState, scalars, decayBy = (decay) => decay) => {
      const [decay1, decay2] = [decayBy(beta1), decayBy(beta2)];
      const scaled: Record<string, Tensor> = {};
      const moments: Record<string, Tensor> = {};
      for (const [name, g] of Object.entries(updates)) {
        const m = add(mul(named(optState, `m.${name}`), decay1), mul(g, 1 - beta1));
        const v = add(mul(named(optState, `v.${name}`), decay2), mul(mul(g, g), 1 - beta2));
        const deviation = add(mul(sqrt(v), named(scalars, "secondCorrection")), epsilon);
        scaled[name] = div(mul(m, named(scalars, "firstCorrection")), deviation);
        moments[`m.${name}`] = m;
        moments[`v.${name}`] = v;
      }
      return { updates: scaled, optState: moments };
    },
  };
}

/** Stochastic gradient descent. */
export function sgd(learningRate: Schedule): GradientTransformation {
  return scaleByLearningRate(learningRate);
}

/** Adam. */
export function adam(learningRate: Schedule, options: AdamOptions = {}): GradientTransformation {
  return chain(scaleByAdam(options), scaleByLearningRate(learningRate));
}

function zerosFor(prefix: string, params: Shapes): Record<string, MemorySpec> {
  return withPrefix(
    prefix,
    mapValues(params, ({ shape }) => ({ shape, fill: 0 })),
  );
}
