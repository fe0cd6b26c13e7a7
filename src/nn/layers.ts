import { add, gather, matmul } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { named } from "../runtime/named.js";
import { heNormal, normalInit, zerosInit } from "./initialisers.js";
import type { ParamSpec } from "./model.js";

/** Params of a linear layer: `weight` [inputs, outputs] (He normal) and `bias` [outputs] (zero). */
export function linearParams(path: string, inputs: number, outputs: number): Record<string, ParamSpec> {
  return {
    [`${path}.weight`]: { shape: [inputs, outputs], init: heNormal },
    [`${path}.bias`]: { shape: [outputs], init: zerosInit },
  };
}

/** x [batch, inputs] to x W + b [batch, outputs]. */
export function linear(params: Tensors, path: string, x: Tensor): Tensor {
  return add(matmul(x, named(params, `${path}.weight`)), named(params, `${path}.bias`));
}

/** Params of an embedding table [rows, width], normal with standard deviation 0.05. */
export function embeddingParams(path: string, rows: number, width: number): Record<string, ParamSpec> {
  return { [path]: { shape: [rows, width], init: normalInit(0.05) } };
}

/** int32 ids [batch] to their rows of the table [batch, width]. */
export function embedding(params: Tensors, path: string, ids: Tensor): Tensor {
  return gather(named(params, path), ids);
}
