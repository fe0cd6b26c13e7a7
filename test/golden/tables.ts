/** Networks of tables, as data for `tables.py` and as cases for the tests. */
import { binary } from "../../src/nn/losses.js";
import { membersObjective } from "../../src/nn/members.js";
import { mlp } from "../../src/nn/mlp.js";
import type { ParamSpec } from "../../src/nn/model.js";
import { NUM_QUANTILES, type NumericEmbedding } from "../../src/nn/numeric-embedding.js";
import { categorical } from "../../src/nn/objectives.js";
import { tabm } from "../../src/nn/tabm.js";
import { float32, int32, type NamedArrays } from "../../src/runtime/array.js";
import { mapValues } from "../../src/runtime/named.js";
import { cotangentFor } from "../numerics/gradcheck.js";

/** What PyTorch says: probabilities, losses, and the gradients of their sum by params; all flat. */
export interface TableResult {
  readonly probs: readonly number[];
  readonly labelLoss: readonly number[];
  readonly distillLoss: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

export interface TableCase {
  /** 0 for one network, without members. */
  readonly members: number;
  readonly numOutputs: 1 | 3;
  readonly numericEmbedding?: NumericEmbedding;
}

export const tableCases: Readonly<Record<string, TableCase>> = {
  "one network on piecewise numbers": { members: 0, numOutputs: 1, numericEmbedding: { kind: "piecewise", bins: 8 } },
  "one network on periodic numbers": {
    members: 0,
    numOutputs: 3,
    numericEmbedding: { kind: "periodic", frequencies: 3, sigma: 0.1, width: 2 },
  },
  "four members on standardised numbers": { members: 4, numOutputs: 1 },
  "two members of three classes on piecewise numbers": {
    members: 2,
    numOutputs: 3,
    numericEmbedding: { kind: "piecewise", bins: 4 },
  },
};

/** Quantiles of a skewed number, and of one of few values, half of whose quantiles are equal. */
const quantiles = {
  fare: Array.from({ length: NUM_QUANTILES }, (_, i) => 0.125 * (i / 2) ** 2),
  stops: Array.from({ length: NUM_QUANTILES }, (_, i) => Math.floor(i / 24)),
};

/** The options that all cases share. */
export const tableOptions = {
  categorical: { origin: { numIds: 4, width: 2 } },
  numeric: {
    fare: { mean: 40, std: 32, quantiles: quantiles.fare },
    stops: { mean: 1, std: 0.75, quantiles: quantiles.stops },
  },
  hidden: [5, 4],
} as const;

/** Values inside bins, on their edges, beyond all of them, and missing. */
export const tableInputs: NamedArrays = {
  "features.origin": int32([0, 3, 1, 1, 2, 0]),
  "features.fare": float32([3.25, 32, Number.NaN, 500, -8, 77.5]),
  "features.stops": float32([0, 1, 2, 0.5, Number.NaN, 9]),
};

export const tableLabels = { 1: float32([1, 0, 0, 1, 1, 0]), 3: int32([2, 0, 1, 1, 0, 2]) } as const;

/** Predictions of a teacher. */
export const tableTargets = {
  1: float32([0.75, 0.125, 0.5, 0.9375, 0.25, 0.0625]),
  3: float32(
    [0.5, 0.25, 0.25, 0.125, 0.125, 0.75, 0.25, 0.5, 0.25, 0.0625, 0.0625, 0.875, 0.75, 0.125, 0.125, 0.25, 0.25, 0.5],
    [6, 3],
  ),
} as const;

/** The params of a case: multiples of 1/64. */
export function tableParams(specs: Readonly<Record<string, ParamSpec>>): NamedArrays {
  return mapValues(specs, ({ shape }, name) => cotangentFor(shape, name.length));
}

/** The network of a case, and its objective. */
export function networkOfCase({ members, numOutputs, numericEmbedding }: TableCase) {
  const options = { ...tableOptions, numOutputs, numericEmbedding };
  const one = numOutputs === 1 ? binary : categorical({ numClasses: numOutputs });
  return members === 0
    ? { model: mlp(options), objective: one }
    : { model: tabm({ ...options, members }), objective: membersObjective(one) };
}

/** The data that `tables.py` reads. Missing numbers are null. */
export function tableData(): object {
  return mapValues(tableCases, (one) => ({
    ...one,
    quantiles,
    moments: mapValues(tableOptions.numeric, ({ mean, std }) => [mean, std]),
    ids: [...(tableInputs["features.origin"]?.data ?? [])],
    numbers: ["fare", "stops"].map((name) =>
      Array.from(tableInputs[`features.${name}`]?.data ?? [], (x) => (Number.isNaN(x) ? null : x)),
    ),
    labels: [...tableLabels[one.numOutputs].data],
    targets: [...tableTargets[one.numOutputs].data],
    params: mapValues(tableParams(networkOfCase(one).model.params), ({ shape, data }) => ({ shape, data: [...data] })),
  }));
}
