/** The state of a student: the arrays that an engine keeps, and that a checkpoint has. */
import type { Engine } from "../engine/engine.js";
import { initWeights, type Model, weightSpecs } from "../nn/model.js";
import { copyOf, filled, type NamedArrays } from "../runtime/array.js";
import { mapValues, underPrefix, withPrefix } from "../runtime/named.js";
import type { Key } from "../runtime/random.js";
import { type Learner, stateNames, weightState } from "./graphs.js";

/** The arrays of a learner's state but those that its model carries from batch to batch, by the names under which the engine keeps them. */
export function stateSpecs({ model, optimizer, ema }: Learner): Record<string, { readonly shape: readonly number[] }> {
  const optStateSpecs = withPrefix(stateNames.optState, optimizer.stateSpec(model.params));
  const weights = weightState(model, weightSpecs(model));
  return { ...weights, ...optStateSpecs, ...(ema && withPrefix(stateNames.ema, model.params)) };
}

/** These arrays before the first step: fresh params and buffers, or copies of given ones. */
export function initialState(learner: Learner, key: Key, given?: NamedArrays): NamedArrays {
  const weights = given ? mapValues(given, copyOf) : initWeights(learner.model, key);
  const optStateSpecs = learner.optimizer.stateSpec(learner.model.params);
  const optState = mapValues(optStateSpecs, ({ shape, fill }) => filled(shape, fill));
  const ema = learner.ema ? weightState(learner.model, mapValues(weights, copyOf), stateNames.ema) : {};
  return { ...weightState(learner.model, weights), ...withPrefix(stateNames.optState, optState), ...ema };
}

/** Copies of the params under a prefix and of the buffers, by the names of the model's. */
export async function readWeights(engine: Pick<Engine, "read">, model: Model, prefix: string): Promise<NamedArrays> {
  const arrays = await engine.read(Object.keys(weightState(model, weightSpecs(model), prefix)));
  return { ...underPrefix(prefix, arrays), ...underPrefix(stateNames.buffers, arrays) };
}
