/** The examples of a batch that teachers see, where these are not all. */
import { concat, reshape, slice } from "../graph/ops.js";
import { factorOf, isSymbolic } from "../graph/shape.js";
import type { Shape, Tensor, Tensors } from "../graph/tensor.js";
import type { Model, StateSpec } from "../nn/model.js";
import { mapValues } from "../runtime/named.js";
import type { TaughtRows } from "./learner.js";

/** A shape, of which the batch has a known size where it is known which of its examples are taught. */
export function sized(shape: Shape, taught: TaughtRows | undefined): Shape {
  return taught ? shape.map((axis) => (isSymbolic(axis) ? factorOf(axis) * taught.of : axis)) : shape;
}

/** What teachers see of the inputs of a batch. */
export function taughtInputs({ batchAxis = 0 }: Model, inputs: Tensors, taught: TaughtRows | undefined): Tensors {
  if (!taught) return inputs;
  const { first, isShuffled = false } = taught;
  const seen = mapValues(inputs, (input) => slice(input, batchAxis, 0, first));
  if (!isShuffled) return seen;
  return mapValues(seen, (input) =>
    concat([slice(input, batchAxis, 1, first), slice(input, batchAxis, 0, 1)], batchAxis),
  );
}

/** Of logits, labels or weights of all places of a batch, those of the examples that teachers see, in their order. */
export function taughtPlaces({ batchAxis = 0 }: Model, x: Tensor, taught: TaughtRows | undefined): Tensor {
  if (!taught) return x;
  const { first, of } = taught;
  const [numPlaces, ...rest] = x.shape as [number, ...number[]];
  const perExample = numPlaces / of;
  if (batchAxis === 0) return slice(x, 0, 0, first * perExample);
  const byExample = reshape(x, [perExample, of, ...rest]);
  return reshape(slice(byExample, 1, 0, first), [perExample * first, ...rest]);
}

/** The states that a teacher carries: of the examples that it sees. */
export function taughtStates(
  specs: Readonly<Record<string, StateSpec>>,
  taught: TaughtRows | undefined,
): Readonly<Record<string, StateSpec>> {
  return taught ? mapValues(specs, ({ shape, fill }) => ({ shape: [taught.first, ...shape.slice(1)], fill })) : specs;
}
