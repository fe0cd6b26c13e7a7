import * as ops from "../../../src/graph/ops.js";
import type { ScanOps, Tensor } from "../../../src/graph/tensor.js";
import { batch, type Misuses, matrix, other, vector } from "./shared.js";

const same: ops.ScanOptions["body"] = (states) => ({ states, outputs: [] });

export const scanMisuses = {
  // Asked for what no operation offers, `part` is an error of ours.
  part: [],
  scan: [
    {
      call: () => ops.scan({ states: [], sequences: [vector], body: same }),
      message: /^scan: needs a state and a sequence, got 0 and 1/,
    },
    {
      call: () => ops.scan({ states: [vector], sequences: [], body: same }),
      message: /^scan: needs a state and a sequence, got 1 and 0/,
    },
    {
      call: () => ops.scan({ states: [vector], sequences: [vector, other], body: same }),
      message: /^scan: all sequences must have the same number of steps, got \[3\] and \[4\]/,
    },
    {
      call: () => ops.scan({ states: [vector], sequences: [batch], body: same }),
      message: /^scan: the number of steps must be known, got \[batch, 3\]/,
    },
    {
      call: () => ops.scan({ states: [vector], sequences: [matrix], body: () => ({ states: [], outputs: [] }) }),
      message: /^scan: a step must keep the number of states, got 1 and 0/,
    },
    {
      call: () =>
        ops.scan({
          states: [vector],
          sequences: [matrix],
          body: ([state]) => ({ states: [ops.reduceSum(state as Tensor)], outputs: [] }),
        }),
      message: /^scan: a step must keep the shape of state 0, got float32\[3\] and float32\[\]/,
    },
  ],
} satisfies Misuses<keyof ScanOps | "part">;
