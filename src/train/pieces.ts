/** Losses of more logits than are held at once: piece by piece of the rows, and back the same way. */
import { add, constant, div, input, reshape, scan } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import type { Head } from "../nn/model.js";
import { scalar } from "../runtime/array.js";

/** Bytes that the logits of one piece take at most: one of the few tensors of that size that a step holds. */
export const PIECE_BYTES = 64 * 2 ** 20;

/**
 * The fewest pieces of equal size of some rows whose logits of so many classes take at most {@link PIECE_BYTES} each; one where
 * all do.
 */
export function numPiecesOf(numRows: number, numClasses: number): number {
  for (let pieces = 1; pieces < numRows; pieces++) {
    if (numRows % pieces === 0 && (4 * numRows * numClasses) / pieces <= PIECE_BYTES) return pieces;
  }
  return numRows;
}

/**
 * The mean over pieces of the scalars that `of` makes of each: of the logits of one or several models, each by its own rows
 * [rows, width] and weights, and of int32 labels [rows]. What is a mean over the rows of a piece becomes that of all rows; the logits are
 * computed again on the way back.
 */
export function meanOverPieces(
  head: Head,
  models: readonly { readonly weights: Tensors; readonly rows: Tensor }[],
  labels: Tensor,
  of: (logits: readonly Tensor[], labels: Tensor) => Tensors,
): Tensors {
  const parted = ({ shape }: Tensor) => [head.numPieces, (shape[0] as number) / head.numPieces, ...shape.slice(1)];
  const sequences = [...models.map(({ rows }) => rows), labels].map((tensor) => reshape(tensor, parted(tensor)));
  let names: readonly string[] = [];
  const step = (elements: readonly Tensor[]) => {
    const logits = models.map(({ weights }, i) => head.logits(weights, elements[i] as Tensor));
    const made = of(logits, elements.at(-1) as Tensor);
    names = Object.keys(made);
    return Object.values(made);
  };
  // Once beside the loop, which must know how many sums it has.
  const numSums = step(sequences.map(({ shape, dtype }) => input("a piece", shape.slice(1), dtype))).length;
  const { states: sums } = scan({
    states: Array.from({ length: numSums }, () => constant(scalar(0))),
    sequences,
    keeps: "states",
    body: (before, elements) => ({
      states: step(elements).map((value, i) => add(before[i] as Tensor, value)),
      outputs: [],
    }),
  });
  return Object.fromEntries(names.map((name, i) => [name, div(sums[i] as Tensor, head.numPieces)]));
}
