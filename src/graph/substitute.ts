import { type Tensor, topologicalOrder } from "./tensor.js";

/** The same tensors over other ones: everything that depends on a replaced tensor is made again from its replacement. */
export function substitute(roots: readonly Tensor[], replaced: ReadonlyMap<Tensor, Tensor>): Tensor[] {
  const made = new Map<Tensor, Tensor>(replaced);
  const madeOf = (tensor: Tensor) => made.get(tensor) ?? tensor;
  for (const tensor of topologicalOrder(roots, new Set(replaced.keys()))) {
    if (made.has(tensor)) continue;
    const inputs = tensor.inputs.map(madeOf);
    if (inputs.some((input, i) => input !== tensor.inputs[i])) made.set(tensor, { ...tensor, inputs });
  }
  return roots.map(madeOf);
}
