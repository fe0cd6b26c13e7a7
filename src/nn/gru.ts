/** Gated recurrent units, in both conventions for the reset gate. */
import { ConfigError } from "../errors.js";
import { add, matmul, mul, sigmoid, split, sub, tanh } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { named } from "../runtime/named.js";
import { lecunNormal, orthogonal, sideBySide, zerosInit } from "./initialisers.js";
import type { ParamSpec } from "./model.js";
import { type HiddenState, type Recurrence, recurrent } from "./recurrent.js";

export interface GruOptions {
  /**
   * Where the reset gate acts: "after" the product of the hidden state and the candidate's weight, as PyTorch and cuDNN
   * have it, or "before" it, on the hidden state (Cho et al. 2014). "after" by default: it needs one product in a step, not
   * two that wait for each other.
   */
  readonly reset?: "before" | "after" | undefined;
}

/**
 * Params of a GRU, with the gates in the order reset, update, candidate: `inputWeight` [inputs, 3 hidden], `recurrentWeight`
 * [hidden, 3 hidden], which begins orthogonal for each gate (Saxe et al. 2014), and `bias` [3 hidden] (0). With the reset
 * after the product there is also `candidateBias` [hidden] (0), which the reset gate multiplies.
 */
export function gruParams(
  path: string,
  inputs: number,
  hidden: number,
  { reset = "after" }: GruOptions = {},
): Record<string, ParamSpec> {
  return {
    [`${path}.inputWeight`]: { shape: [inputs, 3 * hidden], init: lecunNormal },
    [`${path}.recurrentWeight`]: { shape: [hidden, 3 * hidden], init: sideBySide(3, () => orthogonal()) },
    [`${path}.bias`]: { shape: [3 * hidden], init: zerosInit },
    ...(reset === "after" && { [`${path}.candidateBias`]: { shape: [hidden], init: zerosInit } }),
  };
}

/**
 * The GRU (Cho et al. 2014, eq. 5 to 8): from (a_r, a_z, a_n) = x W + b, with U = (U_r, U_z, U_n),
 *
 *     r = sigmoid(a_r + h U_r),  z = sigmoid(a_z + h U_z),
 *     n = tanh(a_n + (r h) U_n)               reset before the product, or
 *     n = tanh(a_n + r (h U_n + b_n))         reset after it (b_n: `candidateBias`),
 *     h' = z h + (1 - z) n.
 *
 * PyTorch's nn.GRU has the reset after the product, the same order, transposed weights, and two biases for every gate: those
 * of r and z add up to b, and the candidate's are b's and b_n. `x` [time, batch, inputs] of known sizes; gives h' of all
 * times [time, batch, hidden], and the state after the last.
 *
 * Throws {@link ShapeError} when `x` or the state has another shape, and {@link ConfigError} when the params are made for
 * the other convention.
 */
export function gru(
  params: Tensors,
  path: string,
  x: Tensor,
  state: HiddenState,
  { reset = "after" }: GruOptions = {},
): Recurrence<HiddenState> {
  checkConvention(params, path, reset);
  const of = (name: string) => named(params, `${path}.${name}`);
  const recurrentWeight = of("recurrentWeight");
  const size = recurrentWeight.shape[0] as number;
  /** The two gates together, and the candidate. */
  const apart = (x: Tensor) => split(x, 1, [2 * size, size]) as Pair;
  return recurrent(x, state, {
    name: "gru",
    size,
    carries: ["hidden"],
    fromInput: (rows) => add(matmul(rows, of("inputWeight")), of("bias")),
    step: ({ hidden }, fromInput) => {
      const [gates, candidate] = apart(fromInput);
      if (reset === "after") {
        const [ofGates, ofCandidate] = apart(matmul(hidden, recurrentWeight));
        const [resets, update] = opened(add(gates, ofGates), size);
        const proposed = tanh(add(candidate, mul(resets, add(ofCandidate, of("candidateBias")))));
        return { hidden: between(proposed, hidden, update) };
      }
      const [gateWeight, candidateWeight] = apart(recurrentWeight);
      const [resets, update] = opened(add(gates, matmul(hidden, gateWeight)), size);
      const proposed = tanh(add(candidate, matmul(mul(resets, hidden), candidateWeight)));
      return { hidden: between(proposed, hidden, update) };
    },
  });
}

/** The reset and update gates from their sums [batch, 2 hidden]. */
function opened(sums: Tensor, size: number): Pair {
  return split(sigmoid(sums), 1, [size, size]) as Pair;
}

/** z h + (1 - z) n. */
function between(proposed: Tensor, hidden: Tensor, update: Tensor): Tensor {
  return add(proposed, mul(update, sub(hidden, proposed)));
}

function checkConvention(params: Tensors, path: string, reset: "before" | "after"): void {
  const made = `${path}.candidateBias` in params ? "after" : "before";
  if (made === reset) return;
  throw new ConfigError(
    `gru: the params at "${path}" and the layer must have the same reset, got params for "${made}" ` +
      `(${made === "after" ? "with" : "without"} candidateBias) and a layer with "${reset}"; give both the same options`,
  );
}

type Pair = [Tensor, Tensor];
