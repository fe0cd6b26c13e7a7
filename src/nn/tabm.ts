import { ShapeError } from "../errors.js";
import {
  add,
  cast,
  concat,
  dropout,
  floor,
  greaterOrEqual,
  matmul,
  mul,
  oneHot,
  randomUniform,
  reduceMean,
  relu,
  reshape,
  slice,
  sub,
  where,
} from "../graph/ops.js";
import { type Axis, joined } from "../graph/shape.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { named } from "../runtime/named.js";
import { heNormal, onesInit, randomSigns, zerosInit } from "./initialisers.js";
import { layersOf } from "./mlp.js";
import type { Drop, Model, ParamSpec } from "./model.js";
import { type TableFeaturesOptions, tableFeatures } from "./table-features.js";

export interface TabmOptions extends TableFeaturesOptions {
  /** How many networks share the weights. */
  readonly members: number;
  /** How many of them learn from each row of a batch, drawn anew for each row; all by default. */
  readonly membersPerRow?: number | undefined;
  /** Widths of the hidden layers, each followed by ReLU. */
  readonly hidden: readonly number[];
  /** Logits of a member for an example; 1 by default. */
  readonly numOutputs?: number | undefined;
  /** Share of the hidden units that are dropped in training, 0 by default. */
  readonly dropout?: number | undefined;
}

/**
 * Several multilayer perceptrons that share their weights (Gorishniy, Kotelnikov and Babenko 2025, "TabM", after
 * Wen, Tran and Ba 2020, "BatchEnsemble"). A layer of member m is
 *
 *     y = (x * r_m) W + b_m
 *
 * with one W, and vectors r_m and b_m of the member's own. The vectors s_m that scale a layer's outputs in BatchEnsemble
 * are left out: after ReLU they say what the next layer's r_m says. The first r_m are random signs, all others begin as 1.
 *
 * Logits are [batch, members] or [batch, members, outputs], for {@link membersObjective}; in training
 * [batch, membersPerRow, ...].
 *
 * Throws {@link ShapeError} when `membersPerRow` does not divide `members`.
 */
export function tabm(options: TabmOptions): Model {
  const { members, membersPerRow = members, hidden, numOutputs = 1, dropout: rate = 0 } = options;
  if (members % membersPerRow !== 0) {
    throw new ShapeError(`tabm: membersPerRow must divide the ${members} members, got ${membersPerRow}`);
  }
  const features = tableFeatures(options);
  const layers = layersOf([features.width, ...hidden, numOutputs]);

  function through(params: Tensors, x: Tensor, { count, each }: Members, drop: Drop) {
    let rows = x;
    let last = x;
    layers.forEach(({ path }, i) => {
      const of = (name: string) => named(params, `${path}.${name}`);
      last = i === 0 ? rows : drop(relu(rows), i);
      const own = each(mul, last, of("scale"));
      rows = each(add, matmul(own, of("weight")), of("bias"));
    });
    const [numRows] = x.shape as [Axis];
    const logits = reshape(rows, numOutputs === 1 ? [numRows, count] : [numRows, count, numOutputs]);
    return { logits, rows: last === x ? x : meanOfMembers(last, numRows, count) };
  }

  const carry = (params: Tensors, inputs: Tensors) => {
    const x = features.rows(params, inputs);
    return { ...through(params, x, all(members, x.shape[0] as Axis), (y) => y), state: {} };
  };

  return {
    params: Object.assign(
      {},
      features.params,
      ...layers.map(
        ({ path, inputs, outputs }, i): Record<string, ParamSpec> => ({
          [`${path}.scale`]: { shape: [members, inputs], init: i === 0 ? randomSigns : onesInit },
          [`${path}.weight`]: { shape: [inputs, outputs], init: heNormal },
          [`${path}.bias`]: { shape: [members, outputs], init: zerosInit },
        }),
      ),
    ),
    inputs: features.inputs,
    carry,
    apply: (params, inputs) => carry(params, inputs).logits,
    ...((rate > 0 || membersPerRow < members) && {
      isRandom: true,
      train: (params: Tensors, inputs: Tensors, key: Tensor) => {
        const x = features.rows(params, inputs);
        const taught =
          membersPerRow < members ? drawn(members, membersPerRow, x, key) : all(members, x.shape[0] as Axis);
        return { ...through(params, x, taught, (y, place) => dropout(y, rate, key, place)), buffers: {} };
      },
    }),
  };
}

/** The mean over the members of rows [batch x count, width]: [batch, width]. */
function meanOfMembers(rows: Tensor, numRows: Axis, count: number): Tensor {
  return reduceMean(reshape(rows, [numRows, count, rows.shape[1] as number]), [1]);
}

/**
 * The members that see a row, and how the vectors [members, width] of each are combined with its rows: [batch x count,
 * width] from rows of that shape, or from rows [batch, width] that all of them see.
 */
interface Members {
  readonly count: number;
  readonly each: (combine: (a: Tensor, b: Tensor) => Tensor, rows: Tensor, vectors: Tensor) => Tensor;
}

/** All members see each row. */
function all(members: number, numRows: Axis): Members {
  return {
    count: members,
    each: (combine, rows, vectors) => {
      const width = rows.shape[1] as number;
      const isOwn = rows.shape[0] !== numRows;
      const own = reshape(rows, [numRows, isOwn ? members : 1, width]);
      return reshape(combine(own, vectors), [joined([numRows, members]), width]);
    },
  };
}

/** `count` members see each row of x: one that is drawn by the key, and those at equal distances from it. */
function drawn(members: number, count: number, x: Tensor, key: Tensor): Members {
  const draws = randomUniform(key, slice(x, 1, 0, 1));
  const first = floor(mul(draws, members));
  const places = Array.from({ length: count }, (_, i) => add(first, (i * members) / count));
  const place = reshape(concat(places, 1), [joined([x.shape[0] as Axis, count])]);
  const isBeyond = greaterOrEqual(place, members);
  const chosen = oneHot(cast(where(isBeyond, sub(place, members), place), "int32"), members);
  // A product with ones and zeros: its gradient is a product too, where that of `gather` adds up row by row.
  return {
    count,
    each: (combine, rows, vectors) => {
      const own = matmul(chosen, vectors);
      return combine(rows.shape[0] === own.shape[0] ? rows : repeated(rows, count), own);
    },
  };
}

/** Each row of [batch, width] so many times, one after another: [batch x count, width]. */
function repeated(rows: Tensor, count: number): Tensor {
  const copies = Array.from({ length: count }, () => rows);
  const [numRows, width] = rows.shape as [Axis, number];
  return reshape(concat(copies, 1), [joined([numRows, count]), width]);
}
