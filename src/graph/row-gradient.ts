/** Gradients of tables that are read by their rows: only the rows that were read may differ from 0. */
import { concat, firstEqual, reshape, scatterAdd } from "./ops.js";
import { type Axis, factorOf, isSymbolic, joined, type Shape, sameShape } from "./shape.js";
import { isOp, type Tensor } from "./tensor.js";

/** A gradient [rows, ...rest] by the rows that were read, n of them; all others are 0. */
export interface RowGradient {
  /** int32 [n]: the rows that were read, each as often as it was. */
  readonly indices: Tensor;
  /** int32 [n]: for each of them the position of the first that equals it, which stands for the row. */
  readonly first: Tensor;
  /** [n, ...rest]: a row's gradient at its first position, and 0 at its others, so that sums are those of the whole. */
  readonly rows: Tensor;
}

/**
 * The rows of a gradient, as `gradients` makes it of a table that the loss reads by `gather` alone: a sum of scatterAdds.
 * Undefined for a gradient of another form, and where some of the gathers depend on the batch and others do not.
 */
export function rowGradient(gradient: Tensor): RowGradient | undefined {
  const terms = termsOf(gradient, gradient.shape)?.map(inRows);
  const indices = terms && joinedRows(terms.map(({ indices }) => indices));
  const rows = terms && joinedRows(terms.map(({ rows }) => rows));
  if (!indices || !rows) return undefined;
  const first = firstEqual(indices);
  return { indices, first, rows: scatterAdd(first, rows, joined(indices.shape)) };
}

/** The scatterAdds that a tensor is the sum of; undefined where it is no such sum. */
function termsOf(sum: Tensor, shape: Shape): Tensor<"scatterAdd">[] | undefined {
  if (!sameShape(sum.shape, shape)) return undefined;
  if (isOp(sum, "scatterAdd")) return [sum];
  if (!isOp(sum, "add")) return undefined;
  const [left, right] = sum.inputs.map((term) => termsOf(term, shape));
  return left && right && [...left, ...right];
}

/** Indices [n] and updates [n, ...rest] of a scatterAdd. */
function inRows({ inputs: [indices, updates] }: Tensor<"scatterAdd">) {
  if (!indices || !updates) throw new Error("internal: a scatterAdd without operands");
  const count = joined(indices.shape);
  const rest = updates.shape.slice(indices.shape.length);
  return { indices: reshape(indices, [count]), rows: reshape(updates, [count, ...rest]) };
}

/** Tensors [n, ...rest] one after the other, or example by example where n is per example; undefined where only some are. */
function joinedRows(tensors: readonly Tensor[]): Tensor | undefined {
  const [first, ...others] = tensors;
  if (!first || others.length === 0) return first;
  const perExample = tensors.filter(({ shape }) => isSymbolic(shape[0]));
  if (perExample.length === 0) return concat(tensors, 0);
  if (perExample.length < tensors.length) return undefined;
  const rest = first.shape.slice(1);
  const byExample = tensors.map((x) => reshape(x, ["batch", factorOf(x.shape[0] as Axis), ...rest]));
  const whole = concat(byExample, 1);
  return reshape(whole, [joined(whole.shape.slice(0, 2)), ...rest]);
}
