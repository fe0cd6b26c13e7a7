import type { Tensor, Tensors } from "../graph/tensor.js";
import type { Carried } from "./model.js";

/** A language model that reads texts a token at a time: how one is served. */
export interface TokenReader {
  /** What it keeps of each text, without the leading batch; zeros where a text begins. */
  readonly state: Readonly<Record<string, readonly number[]>>;
  /**
   * From weights, `ids` int32 [batch], of any size, and the state [batch, ...] to the logits of the next token
   * [batch, vocabulary] and the state after.
   */
  readonly read: (weights: Tensors, ids: Tensor, state: Tensors) => Carried;
}
