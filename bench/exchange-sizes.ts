/** What `exchange-cost.ts` trains: embeddings into an MLP, with Adam, at two sizes. */
import { binary } from "../src/nn/losses.js";
import { mlp } from "../src/nn/mlp.js";
import { adam } from "../src/optim/optimizers.js";
import { constantSchedule } from "../src/optim/schedules.js";
import type { NamedArrays } from "../src/runtime/array.js";
import { fold, rootKey, uniform } from "../src/runtime/random.js";
import type { Learner } from "../src/train/graphs.js";

const NUM_IDS = 1000;
const FEATURES = ["a", "b", "c", "d", "e"];

/** Examples in a batch make a step's length; pairs are of blocks, with and without the exchange. */
export interface Size {
  readonly hidden: readonly number[];
  readonly batchSize: number;
  readonly numPairs: number;
  /** About how long all of it takes, on two cores. */
  readonly minutes: number;
}

export const sizes: Readonly<Record<string, Size>> = {
  "1 M": { hidden: [1024, 768, 64], batchSize: 1024, numPairs: 25, minutes: 2 },
  "25 M": { hidden: [4096, 4096, 1900], batchSize: 512, numPairs: 5, minutes: 7 },
};

/** The size of a name that is in `sizes`. */
export function sizeNamed(name: string): Size {
  const size = sizes[name];
  if (!size) throw new Error(`the size must be one of ${Object.keys(sizes).join(", ")}, got ${name}`);
  return size;
}

export function learnerOf({ hidden }: Size): Learner {
  const categorical = Object.fromEntries(FEATURES.map((name) => [name, { numIds: NUM_IDS, width: 16 }]));
  const model = mlp({ categorical, numeric: {}, hidden });
  return { model, objective: binary, optimizer: adam(constantSchedule(1e-4)) };
}

/** One random batch. */
export function batchOf({ batchSize }: Size): NamedArrays {
  const draws = (name: string) => uniform(fold(rootKey(1), name), batchSize);
  const ids = (name: string) => Int32Array.from(draws(name), (draw) => Math.floor(draw * NUM_IDS));
  const features = FEATURES.map((name) => [
    `features.${name}`,
    { dtype: "int32", shape: [batchSize], data: ids(name) },
  ]);
  const labels = draws("labels").map((draw) => (draw < 0.5 ? 0 : 1));
  return { ...Object.fromEntries(features), labels: { dtype: "float32", shape: [batchSize], data: labels } };
}
