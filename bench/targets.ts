/** Networks that learn targets of the shape of their input by mean square. */
import { squaredError } from "../src/nn/label-losses.js";
import { binary, type Objective } from "../src/nn/losses.js";
import type { Model } from "../src/nn/model.js";
import { float32, type NamedArrays, sizeOf } from "../src/runtime/array.js";
import { named } from "../src/runtime/named.js";
import { fold, normal, rootKey } from "../src/runtime/random.js";

/** A network, what it is trained by, and one batch for it. */
export interface Task {
  readonly model: Model;
  readonly objective: Objective;
  readonly batch: NamedArrays;
}

/** For a network of `x`, which is of this shape in the batch, random inputs and targets. */
export function onTargets(model: Model, shape: readonly number[]): Task {
  const draw = (name: string) => float32(normal(fold(rootKey(1), name), sizeOf(shape)), shape);
  return {
    model,
    objective: { ...binary, labels: named(model.inputs, "x"), labelLoss: squaredError },
    batch: { x: draw("x"), labels: draw("target") },
  };
}
