import { add, gather, matmul } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { float32, sizeOf, zeros } from "../runtime/array.js";
import { named } from "../runtime/named.js";
import { normal } from "../runtime/random.js";
import type { ParamSpec } from "./model.js";

/** Normal with the given standard deviation. */
export function normalInit(deviation: number): ParamSpec["init"] {
  return (key, shape) =>
    float32(
      normal(key, sizeOf(shape)).map((value) => value * deviation),
      shape,
    );
}

/** Normal with deviation sqrt(2 / inputs), for layers followed by ReLU (He et al. 2015, eq. 10). */
export const heNormal: ParamSpec["init"] = (key, shape) => normalInit(Math.sqrt(2 / (shape[0] ?? 1)))(key, shape);

/** Params of a linear layer: `weight` [inputs, outputs] (He normal) and `bias` [outputs] (zero). */
export function linearParams(path: string, inputs: number, outputs: number): Record<string, ParamSpec> {
  return {
    [`${path}.weight`]: { shape: [inputs, outputs], init: heNormal },
    [`${path}.bias`]: { shape: [outputs], init: (_, shape) => zeros(shape) },
  };
}

/** x [batch, inputs] to x W + b [batch, outputs]. */
export function linear(params: Tensors, path: string, x: Tensor): Tensor {
  return add(matmul(x, named(params, `${path}.weight`)), named(params, `${path}.bias`));
}

/** Params of an embedding table [rows, width], normal with deviation 0.05. */
export function embeddingParams(path: string, rows: number, width: number): Record<string, ParamSpec> {
  return { [path]: { shape: [rows, width], init: normalInit(0.05) } };
}

/** int32 ids [batch] to their rows of the table [batch, width]. */
export function embedding(params: Tensors, path: string, ids: Tensor): Tensor {
  return gather(named(params, path), ids);
}
