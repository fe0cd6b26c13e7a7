/** Parts of optimizers and their chain: each maps updates, params and its state to new updates and new state. */
import { ConfigError } from "../errors.js";
import { neg } from "../graph/ops.js";
import type { Tensors } from "../graph/tensor.js";
import { mapValues, named, withPrefix } from "../runtime/named.js";
import { scale } from "./arithmetic.js";
import { firstMatch } from "./patterns.js";
import { constantSchedule, type Schedule } from "./schedules.js";

/** Shapes of params by name. */
export type Shapes = Readonly<Record<string, { readonly shape: readonly number[] }>>;

/** An array that an optimizer keeps between steps, and the value that fills it at first. */
export interface OptStateSpec {
  readonly shape: readonly number[];
  readonly fill: number;
  /** The scalar by which a step multiplies it where the gradient is 0; where none is named, it stays as it is. */
  readonly decay?: string;
}

/** The input of a part in a step. */
export interface UpdateInput {
  /** What is to be added to the params, by their names; at the beginning of a chain, the gradients. */
  readonly updates: Tensors;
  /** The params before the step. */
  readonly params: Tensors;
  /** The state of the whole chain, by the names in `stateSpec`. */
  readonly optState: Tensors;
  /** The scalars of the whole chain, [] each. */
  readonly scalars: Tensors;
}

/** The output of a part: the updates as it changed them, and its own state after the step. */
export interface UpdateOutput {
  readonly updates: Tensors;
  readonly optState: Tensors;
}

/**
 * One part of an optimizer. New state must end in elementwise arithmetic and depend on all readers of the old: then an
 * engine may change it in place.
 */
export interface GradientTransformation {
  /**
   * Numbers that are fed to the program under these names: those that change with the step, and the constants of a
   * formula, computed in float64 and rounded to float32 once.
   */
  readonly scalars: Readonly<Record<string, Schedule>>;
  /** The state it keeps for params of these shapes. */
  readonly stateSpec: (params: Shapes) => Readonly<Record<string, OptStateSpec>>;
  readonly update: (input: UpdateInput) => UpdateOutput;
  /**
   * Null where a param of this name may have sparse updates: a row depends on its own gradient and state alone, and a
   * row with gradient 0 changes by no more than the `decay` of its state. Else a sentence with the reason and the cure.
   * Left out, no param may.
   */
  readonly sparseUnsupported?: (name: string) => string | null;
  /** Whether a step changes only the rows of a param that its batch reads; {@link touchingRows} says for which. */
  readonly isTouched?: (name: string) => boolean;
}

/**
 * Parts applied one after the other.
 *
 * Throws {@link ConfigError} when two of them feed different values under one name, or keep state under one name, and
 * when one of them has sparse updates, which only a whole chain can.
 */
export function chain(...parts: readonly GradientTransformation[]): GradientTransformation {
  if (parts.some(({ isTouched }) => isTouched)) {
    throw new ConfigError("chain: a part cannot touch rows on its own; give the whole chain to touchingRows");
  }
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
    stateSpec(params) {
      const state: Record<string, OptStateSpec> = {};
      for (const [name, spec] of parts.flatMap((part) => Object.entries(part.stateSpec(params)))) {
        if (state[name]) throw new ConfigError(`chain: two parts keep state under "${name}"; use one of them`);
        state[name] = spec;
      }
      return state;
    },
    update: (input) =>
      parts.reduce<UpdateOutput>(
        (before, part) => {
          const after = part.update({ ...input, updates: before.updates });
          return { updates: after.updates, optState: { ...before.optState, ...after.optState } };
        },
        { updates: input.updates, optState: {} },
      ),
    ...(parts.every((part) => part.sparseUnsupported) && {
      sparseUnsupported: (name) =>
        parts.reduce<string | null>((why, part) => why ?? part.sparseUnsupported?.(name) ?? null, null),
    }),
  };
}

/** The `sparseUnsupported` of a part that allows sparse updates of every param. */
export const byRows: NonNullable<GradientTransformation["sparseUnsupported"]> = () => null;

/** A part without state, which allows sparse updates of every param unless it says why not. */
export function stateless(
  scalars: GradientTransformation["scalars"],
  update: (input: UpdateInput) => Tensors,
  sparseUnsupported = byRows,
): GradientTransformation {
  return {
    scalars,
    stateSpec: () => ({}),
    update: (input) => ({ updates: update(input), optState: {} }),
    sparseUnsupported,
  };
}

/** u = -learningRate(step) g: the step downhill. The scalar is named `learningRate`. */
export function scaleByLearningRate(learningRate: Schedule): GradientTransformation {
  return stateless({ learningRate }, ({ updates, scalars }) => {
    const factor = neg(named(scalars, "learningRate"));
    return mapValues(updates, (update) => scale(update, factor));
  });
}

/** u = schedule(step) g, fed under a name of its own. */
export function scaleBySchedule(name: string, schedule: Schedule): GradientTransformation {
  return stateless({ [name]: schedule }, ({ updates, scalars }) =>
    mapValues(updates, (update) => scale(update, named(scalars, name))),
  );
}

/**
 * u = c g, where c belongs to the first pattern that matches the name of the param ({@link firstMatch}), or is 1. At
 * the end of a chain, these are factors of the learning rate by group of params.
 */
export function scaleByPattern(multipliers: Readonly<Record<string, number>>): GradientTransformation {
  const patterns = Object.keys(multipliers);
  const scalars = withPrefix("multiplier", mapValues(multipliers, constantSchedule));
  return stateless(scalars, ({ updates, scalars }) =>
    mapValues(updates, (update, name) => {
      const pattern = firstMatch(patterns, name);
      return pattern === undefined ? update : scale(update, named(scalars, `multiplier.${pattern}`));
    }),
  );
}

/** State of the shape of each param, under a prefix. */
export function stateLike(
  prefix: string,
  params: Shapes,
  { fill = 0, ...rest }: Partial<Omit<OptStateSpec, "shape">> = {},
): Record<string, OptStateSpec> {
  return withPrefix(
    prefix,
    mapValues(params, ({ shape }) => ({ shape, fill, ...rest })),
  );
}
