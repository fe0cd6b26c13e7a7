import type { DType, NdArray } from "../../runtime/array.js";
import type { Shape } from "../shape.js";
import { node, type Tensor } from "../tensor.js";

/**
 * A value that a run feeds, or a state tensor of this name. Inputs of one name, shape and dtype are one input of the
 * graph.
 */
export function input(name: string, shape: Shape, dtype: DType = "float32"): Tensor<"input"> {
  return node("input", [], { name }, shape, dtype);
}

/** A value fixed in the graph. */
export function constant(value: NdArray): Tensor<"constant"> {
  return node("constant", [], { value }, value.shape, value.dtype);
}

/** The same value, through which no gradient flows. */
export function stopGradient(x: Tensor): Tensor {
  return node("stopGradient", [x], {}, x.shape, x.dtype);
}
