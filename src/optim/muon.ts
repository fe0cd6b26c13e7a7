/** Muon: momentum whose matrices are made orthogonal. */
import { add, div, matmul, mul } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { mapValues, named, withPrefix } from "../runtime/named.js";
import { norm } from "./arithmetic.js";
import { type AdamOptions, scaleByAdam } from "./moments.js";
import { firstMatch } from "./patterns.js";
import { constantSchedule } from "./schedules.js";
import { type GradientTransformation, type Shapes, stateLike } from "./transformations.js";

export interface MuonOptions extends AdamOptions {
  /** Decay of the momentum of matrices; 0.95 by default. */
  readonly momentum?: number | undefined;
  /** Patterns of matrices that take Adam's step all the same. */
  readonly adamFor?: readonly string[] | undefined;
}

/** Steps of the Newton-Schulz iteration. */
const NUM_ITERATIONS = 5;
/** Its coefficients (Jordan et al. 2024): singular values from 0.001 to 1 come to lie between about 0.7 and 1.2. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
/** Added to the norm of a matrix that may be 0. */
const EPSILON = 1e-7;

/**
 * The update rule of Muon (Jordan et al. 2024), to be followed by decoupled decay and a learning rate. Of a matrix [m, n]
 *
 *     M = momentum M + g,  u = 0.2 sqrt(max(m, n)) orthogonal(g + momentum M),
 *
 * where orthogonal(X) has X's singular vectors and singular values near 1 ({@link orthogonalised}); the factor gives the
 * update the root mean square of Adam's, so that learning rate and decay are those of AdamW (Liu et al. 2025,
 * "Muon is scalable", section 2.2). All other params take Adam's step ({@link scaleByAdam}).
 *
 * Matrices are params of two axes, both above 1, named `*.weight`, but for `output.weight` and those that match `adamFor`:
 * rows of embeddings and of the last layer of a language model are vectors by themselves.
 */
export function scaleByMuon({ momentum = 0.95, adamFor = [], ...options }: MuonOptions = {}): GradientTransformation {
  const adam = scaleByAdam(options);
  const isMatrix = (name: string, shape: readonly unknown[]) =>
    shape.length === 2 &&
    !shape.includes(1) &&
    name.endsWith(".weight") &&
    name !== "output.weight" &&
    firstMatch(adamFor, name) === undefined;
  const parted = <T extends { readonly shape: readonly unknown[] }>(all: Readonly<Record<string, T>>) => {
    const entries = Object.entries(all);
    return {
      matrices: Object.fromEntries(entries.filter(([name, { shape }]) => isMatrix(name, shape))),
      others: Object.fromEntries(entries.filter(([name, { shape }]) => !isMatrix(name, shape))),
    };
  };
  return {
    scalars: { ...adam.scalars, "muon.momentum": constantSchedule(momentum) },
    stateSpec: (params: Shapes) => {
      const { matrices, others } = parted(params);
      return { ...adam.stateSpec(others), ...stateLike("muon.m", matrices) };
    },
    sparseUnsupported: (name) =>
      name.endsWith(".weight")
        ? 'Muon makes a matrix orthogonal as a whole; name it in optimizer.adamFor, or use "adamW"'
        : null,
    update(input) {
      const { matrices, others } = parted(input.updates);
      const rest = adam.update({ ...input, updates: others });
      const decay = named(input.scalars, "muon.momentum");
      const sums = mapValues(matrices, (g, name) => add(mul(named(input.optState, `muon.m.${name}`), decay), g));
      const directed: Tensors = mapValues(matrices, (g, name) => {
        const ahead = add(g, mul(named(sums, name), decay));
        const [rows = 1, columns = 1] = g.shape as readonly number[];
        return mul(orthogonalised(ahead), 0.2 * Math.sqrt(Math.max(rows, columns)));
      });
      return {
        updates: { ...rest.updates, ...directed },
        optState: { ...rest.optState, ...withPrefix("muon.m", sums) },
      };
    },
  };
}

/**
 * A matrix with the singular vectors of X [m, n] and singular values near 1, by five steps of
 *
 *     X <- a X + (b A + c A^2) X,  A = X X^T,
 *
 * from X / |X|; for more rows than columns from the other side, so that A is the smaller square.
 */
export function orthogonalised(matrix: Tensor): Tensor {
  const [rows = 1, columns = 1] = matrix.shape as readonly number[];
  const isTall = rows > columns;
  let x = div(matrix, add(norm(matrix), EPSILON));
  for (let i = 0; i < NUM_ITERATIONS; i++) {
    const gram = isTall ? matmul(x, x, { transposeA: true }) : matmul(x, x, { transposeB: true });
    const polynomial = add(mul(gram, B), matmul(gram, gram, { scale: C }));
    x = add(mul(x, A), isTall ? matmul(x, polynomial) : matmul(polynomial, x));
  }
  return x;
}
