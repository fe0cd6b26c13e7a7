import type { Tensor, Tensors } from "../graph/tensor.js";
import type { Carried } from "./model.js";

/** A language model that reads texts one token at a time, as it is served. */
export interface TokenReader {
  /** The shape of each part of a text's state, without the leading batch; the state is zero where a text begins. */
  readonly state: Readonly<Record<string, readonly number[]>>;
  /**
   * From weights, `ids` int32 [batch], of any size, and the state [batch, ...] to the logits of the next token
   * [batch, vocabulary] and the state after.
   */
  readonly read: (weights: Tensors, ids: Tensor, state: Tensors) => Carried;
}
