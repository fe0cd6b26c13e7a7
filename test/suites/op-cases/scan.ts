import type { ScanOptions } from "../../../src/graph/ops.js";
import * as ops from "../../../src/graph/ops.js";
import type { ScanOps, Tensor } from "../../../src/graph/tensor.js";
import { type Case, type Cases, ids, real } from "../op-case.js";

const STEPS = 4;
const rows = real([STEPS, 2, 3]);
const start = real([2, 3]);
const weight = real([3, 3], -0.7, 0.7);
const bias = real([3]);

/** A recurrent cell: h' = sigmoid(h W + x + b). */
const cell =
  (weight: Tensor, bias: Tensor): ScanOptions["body"] =>
  ([h], [x]) => {
    const next = ops.sigmoid(ops.add(ops.matmul(h as Tensor, weight), ops.add(x as Tensor, bias)));
    return { states: [next], outputs: [ops.mul(next, x as Tensor)] };
  };

const recurrent = (reverse: boolean) => (h: Tensor, x: Tensor, w: Tensor, b: Tensor) =>
  ops.scan({ states: [h], sequences: [x], reverse, body: cell(w, b) });

/** What a loop ends with, and what it puts out, together. */
type Loop = (...operands: Tensor[]) => ReturnType<typeof ops.scan>;
const loops: Readonly<Record<string, { readonly operands: Case["operands"]; readonly loop: Loop; held?: number[] }>> = {
  "a running sum": {
    operands: [real([2]), real([STEPS, 2])],
    loop: (s, x) =>
      ops.scan({
        states: [s as Tensor],
        sequences: [x as Tensor],
        body: ([s], [x]) => {
          const sum = ops.add(s as Tensor, x as Tensor);
          return { states: [sum], outputs: [sum] };
        },
      }),
  },
  "a recurrent cell": { operands: [start, rows, weight, bias], loop: recurrent(false) as Loop },
  "a recurrent cell from the end": { operands: [start, rows, weight, bias], loop: recurrent(true) as Loop },
  "of one step": { operands: [start, real([1, 2, 3]), weight, bias], loop: recurrent(false) as Loop },
  "weights made outside, one from the other": {
    operands: [start, rows, weight],
    loop: (h, x, w) => {
      const square = ops.matmul(w as Tensor, w as Tensor);
      const body: ScanOptions["body"] = ([h], [x]) => {
        const next = ops.add(
          ops.matmul(h as Tensor, square),
          ops.matmul(x as Tensor, w as Tensor, { transposeB: true }),
        );
        return { states: [ops.mul(next, 0.3)], outputs: [ops.reduceSum(next, [1])] };
      };
      return ops.scan({ states: [h as Tensor], sequences: [x as Tensor], body });
    },
  },
  "two states, products in every direction": {
    operands: [real([2, 2]), real([2, 2]), real([STEPS, 2, 2])],
    loop: (a, b, x) => {
      const body: ScanOptions["body"] = ([a, b], [x]) => {
        const c = ops.matmul(a as Tensor, x as Tensor, { transposeA: true });
        const d = ops.matmul(x as Tensor, b as Tensor, { transposeB: true });
        return { states: [ops.sigmoid(ops.sub(c, d)), a as Tensor], outputs: [ops.mul(c, d)] };
      };
      return ops.scan({ states: [a as Tensor, b as Tensor], sequences: [x as Tensor], body });
    },
  },
  "a product with the weight on the left": {
    operands: [real([3, 2]), real([STEPS, 3, 2]), real([3, 3], -0.7, 0.7)],
    loop: (h, x, w) => {
      const body: ScanOptions["body"] = ([h], [x]) => {
        const next = ops.sigmoid(ops.add(ops.matmul(w as Tensor, h as Tensor), x as Tensor));
        return { states: [next], outputs: [ops.matmul(w as Tensor, next, { transposeA: true })] };
      };
      return ops.scan({ states: [h as Tensor], sequences: [x as Tensor], body });
    },
  },
  "rows of a table by steps of indices": {
    operands: [real([2, 3]), ids([STEPS, 2], [0, 1, 4, 1, 0, 0, 2, 1]), real([5, 3])],
    loop: (h, at, table) => {
      const body: ScanOptions["body"] = ([h], [at]) => {
        const next = ops.mul(ops.add(h as Tensor, ops.gather(table as Tensor, at as Tensor)), 0.5);
        return { states: [next], outputs: [next] };
      };
      return ops.scan({ states: [h as Tensor], sequences: [at as Tensor], body });
    },
  },
};

export const scanCases = {
  scan: Object.entries(loops).map(([name, { operands, loop }]) => ({
    name,
    operands,
    build: (...inputs: Tensor[]) => loop(...inputs).states[0] as Tensor,
  })),
} satisfies Cases<keyof ScanOps>;

/** Outputs of loops: further results of them. */
export const scanPartCases: readonly Case[] = Object.entries(loops).map(([name, { operands, loop }]) => ({
  name: `outputs of ${name}`,
  operands,
  build: (...inputs: Tensor[]) => loop(...inputs).outputs[0] as Tensor,
}));
