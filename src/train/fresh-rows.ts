/** Copies of a batch whose rows are new mixtures of its values, for students to be taught on inputs that no label is known of. */
import { input } from "../graph/ops.js";
import { isSymbolic } from "../graph/shape.js";
import type { Tensors } from "../graph/tensor.js";
import type { NamedArrays, NdArray } from "../runtime/array.js";
import { mapValues, named, withPrefix } from "../runtime/named.js";
import { bits, fold, type Key } from "../runtime/random.js";
import type { Learner } from "./learner.js";

/** Under which prefix a step is fed the copy. */
const FRESH = "fresh";

/** The inputs of the copy that teachers see, by the names of the model's; undefined where teachers see the batch itself. */
export function freshTensors({ model, distillation = {} }: Learner): Tensors | undefined {
  const { freshInputs = 0, taught } = distillation;
  if (freshInputs === 0) return undefined;
  return mapValues(model.inputs, ({ shape, dtype }, name) => {
    const seen = taught ? shape.map((axis) => (isSymbolic(axis) ? taught.first : axis)) : shape;
    return input(`${FRESH}.${name}`, seen, dtype);
  });
}

/**
 * What a step is fed of the copy: of the rows that teachers see, each value is with probability `freshInputs` that of another of these
 * rows, all of which are equally likely, drawn apart for each value by the key. Nothing where teachers see the batch itself. Students of
 * rows that are made up are those of Fakoor et al. 2020 ("FAST-DAD", arXiv 2006.14284), who draw a value by the others of its row; here
 * it is by its column alone.
 */
export function freshFeeds({ model, distillation = {} }: Learner, batch: NamedArrays, key: Key): NamedArrays {
  const { freshInputs = 0, taught } = distillation;
  if (freshInputs === 0) return {};
  const inputs = mapValues(model.inputs, (_, name) =>
    freshColumns(named(batch, name), freshInputs, fold(key, name), taught?.first),
  );
  return withPrefix(FRESH, inputs);
}

/** The first rows of an array [rows] or [rows, columns], all by default, with each value that of another of them with a probability. */
export function freshColumns({ dtype, shape, data }: NdArray, probability: number, key: Key, first?: number): NdArray {
  const [numAll = 0, width = 1] = shape;
  const numRows = first ?? numAll;
  const fresh = data.slice(0, numRows * width);
  const threshold = probability * 2 ** 32;
  const words = bits(key, 2 * fresh.length);
  for (let at = 0; at < fresh.length; at++) {
    if ((words[2 * at] as number) >= threshold) continue;
    const row = Math.floor(at / width);
    const ahead = 1 + Math.floor(((words[2 * at + 1] as number) / 2 ** 32) * (numRows - 1));
    // Of a single row there is no other one.
    const from = numRows === 1 ? row : (row + ahead) % numRows;
    fresh[at] = data[from * width + (at % width)] as number;
  }
  return { dtype, shape: [numRows, ...shape.slice(1)], data: fresh } as NdArray;
}
