/** Losses of more logits than are held at once, and their gradients: chunk by chunk of the rows. */
import { gradients } from "../graph/grad.js";
import { sumOverSteps } from "../graph/ops/scan.js";
import { add, div, mul, reduceSum, reshape, stopGradient } from "../graph/ops.js";
import { type Tensor, type Tensors, topologicalOrder } from "../graph/tensor.js";
import type { Head } from "../nn/model.js";
import { mapValues, underPrefix, withPrefix } from "../runtime/named.js";

/** Bytes that the logits of one chunk take at most: one of the few tensors of that size that a step holds. */
export const CHUNK_BYTES = 64 * 2 ** 20;

/**
 * The fewest chunks of equal size into which `numRows` rows divide so that the logits of each take at most
 * {@link CHUNK_BYTES}; 1 where the logits of all rows do.
 */
export function numChunksOf(numRows: number, numClasses: number): number {
  for (let chunks = 1; chunks < numRows; chunks++) {
    if (numRows % chunks === 0 && (4 * numRows * numClasses) / chunks <= CHUNK_BYTES) return chunks;
  }
  return numRows;
}

/**
 * A model up to its head: the rows [rows, width], where it has a head, and the weights from which the head makes
 * logits.
 */
export interface BeforeHead {
  readonly weights: Tensors;
  readonly rows?: Tensor;
  /** Its own head, of as many chunks, where that is another one. */
  readonly head?: Head | undefined;
}

/** Makes scalars from the logits of one or several models for some rows, and the int32 labels of these rows. */
export type OfLogits = (logits: readonly Tensor[], labels: Tensor) => Tensors;

/**
 * The mean over all chunks of the scalars that `of` makes of each chunk. A scalar that is a mean over the rows of a
 * chunk becomes the mean over all rows. Gradients must not be taken of the result; {@link learnOverChunks} is for that.
 */
export function meanOverChunks(head: Head, models: readonly BeforeHead[], labels: Tensor, of: OfLogits): Tensors {
  const { sums } = overChunks(head, models, labels, (logits, own) => ({ terms: of(logits, own), outputs: [] }));
  return mapValues(sums, (sum) => div(sum, head.numChunks));
}

/**
 * The means of {@link meanOverChunks} for a student (the first model) and its teachers, and a scalar to differentiate:
 * its gradients by the student's params and rows are those of the loss that `lossOf` makes of the means. The loss must
 * be linear in the means.
 *
 * A chunk's gradients are computed together with its losses, while its logits are in memory, so that the backward pass
 * computes no logits again (as in Hsu et al. 2024, "Liger kernel"; docs/decisions/012-losses-of-large-vocabularies.md).
 * The scalar is not the loss, but sum_i <g_i, x_i> of the gradients g_i by each x_i.
 */
export function learnOverChunks(
  head: Head,
  models: readonly BeforeHead[],
  labels: Tensor,
  of: OfLogits,
  lossOf: (means: Tensors) => Tensor,
): { readonly means: Tensors; readonly loss: Tensor } {
  const student = models[0] as BeforeHead;
  const { sums, outputs } = overChunks(head, models, labels, (logits, own, chunk) => {
    const means = mapValues(of(logits, own), (mean) => div(mean, head.numChunks));
    const read = new Set(topologicalOrder(logits.slice(0, 1)));
    const params = Object.entries(student.weights).filter(([, param]) => read.has(param));
    const [ofRows, ...grads] = gradients(lossOf(means), [chunk, ...params.map(([, param]) => param)]);
    const ofParams = Object.fromEntries(params.map(([name], i) => [name, grads[i] as Tensor]));
    return { terms: { ...withPrefix(MEANS, means), ...withPrefix(GRADIENTS, ofParams) }, outputs: [ofRows as Tensor] };
  });
  const rows = rowsOf(student);
  const ofRows = inner(reshape(outputs[0] as Tensor, rows.shape), rows);
  const terms = Object.entries(underPrefix(GRADIENTS, sums)).map(([name, grad]) =>
    inner(grad, student.weights[name] as Tensor),
  );
  return { means: underPrefix(MEANS, sums), loss: terms.reduce(add, ofRows) };
}

const MEANS = "means";
const GRADIENTS = "gradients";

/** <g, x>, whose gradient by x is g. */
function inner(gradient: Tensor, x: Tensor): Tensor {
  return reduceSum(mul(stopGradient(gradient), x));
}

function rowsOf({ rows }: BeforeHead): Tensor {
  if (!rows) throw new Error("internal: a model with a head has no rows");
  return rows;
}

/**
 * Calls `of` for each chunk, with the chunk's rows of the first model as the third argument; gives the sums of its
 * terms, and its outputs concatenated.
 */
function overChunks(
  head: Head,
  models: readonly BeforeHead[],
  labels: Tensor,
  of: (logits: readonly Tensor[], labels: Tensor, rows: Tensor) => ReturnType<Parameters<typeof sumOverSteps>[1]>,
): ReturnType<typeof sumOverSteps> {
  const chunked = ({ shape }: Tensor) => [head.numChunks, (shape[0] as number) / head.numChunks, ...shape.slice(1)];
  const sequences = [...models.map(rowsOf), labels].map((tensor) => reshape(tensor, chunked(tensor)));
  return sumOverSteps(sequences, (elements) => {
    const logits = models.map(({ weights, head: own = head }, i) => own.logits(weights, elements[i] as Tensor));
    return of(logits, elements.at(-1) as Tensor, elements[0] as Tensor);
  });
}
