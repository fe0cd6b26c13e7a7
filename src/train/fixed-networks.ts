/** Teachers that do not change and predict in the step, by networks of their own. */
import { add, mul, stopGradient } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { checkFit } from "../nn/fit.js";
import { carry, type StateSpec, weightSpecs, weightTensors } from "../nn/model.js";
import type { NamedArrays } from "../runtime/array.js";
import { underPrefix, withPrefix } from "../runtime/named.js";
import type { BeforeHead } from "./chunked-loss.js";
import type { FixedNetwork, Learner } from "./learner.js";

/** Under which prefix an engine keeps the weights of the fixed teacher at a place in the list. */
export const weightsPrefix = (place: number) => `fixedTeachers.${place}`;

/** Under which prefix the student's states have those of a fixed teacher, which reads the student's batches as the student does. */
const statePrefix = (place: number) => `fixedTeachers.${place}`;

const networksOf = ({ fixedTeachers }: Pick<Learner, "fixedTeachers">): readonly FixedNetwork[] =>
  fixedTeachers?.networks ?? [];

/** What is carried from batch to batch for the student: its own state, and that of each of its fixed teachers. */
export function ownStates(learner: Pick<Learner, "model" | "fixedTeachers">): Readonly<Record<string, StateSpec>> {
  const ofTeachers = networksOf(learner).map(({ model: { state = {} } }, i) => withPrefix(statePrefix(i), state));
  return Object.assign({}, learner.model.state, ...ofTeachers);
}

/** What a fixed teacher says of a batch. */
export interface FixedSaid extends BeforeHead {
  readonly logits: Tensor;
  readonly state: Tensors;
}

/** The fixed teachers of a learner on its inputs, from their states before the batch; none of them drops anything. */
export function fixedSaid(learner: Learner, inputs: Tensors, states: Tensors): readonly FixedSaid[] {
  return networksOf(learner).map(({ model }, i) => {
    const weights = { ...weightTensors(model, weightsPrefix(i)), ...underPrefix(statePrefix(i), states) };
    return { weights, head: model.head, ...carry(model, weights, inputs) };
  });
}

/** The states after the batch, by the names of {@link ownStates}. */
export function statesAfter(student: Tensors, said: readonly FixedSaid[]): Tensors {
  return Object.assign({}, student, ...said.map(({ state }, i) => withPrefix(statePrefix(i), state)));
}

/** The mean prediction of the fixed teachers, each by its share; no gradient flows into it. Undefined without any. */
export function fixedMean(learner: Pick<Learner, "fixedTeachers">, probs: readonly Tensor[]): Tensor | undefined {
  const shares = networksOf(learner).map(({ share }) => share);
  const total = shares.reduce((sum, share) => sum + share, 0);
  const parts = probs.map((own, i) => (probs.length === 1 ? own : mul(own, (shares[i] as number) / total)));
  return parts.length === 0 ? undefined : stopGradient(parts.reduce(add));
}

/**
 * The weights of the fixed teachers as an engine keeps them, for all steps.
 *
 * Throws {@link CheckpointError} when those of a teacher do not fit its network.
 */
export function fixedState(learner: Pick<Learner, "fixedTeachers">, weights: readonly NamedArrays[] = []): NamedArrays {
  const networks = networksOf(learner);
  if (networks.length !== weights.length)
    throw new Error(`internal: ${networks.length} fixed teachers have the weights of ${weights.length}`);
  const all = networks.map(({ model }, i) => {
    const own = weights[i] as NamedArrays;
    checkFit(`fixed teacher ${i + 1}`, own, weightSpecs(model));
    return withPrefix(weightsPrefix(i), own);
  });
  return Object.assign({}, ...all);
}
