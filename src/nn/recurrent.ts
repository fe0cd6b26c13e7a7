/** Recurrent layers over [time, batch, width]; what they carry from batch to batch goes in and comes out. */
import { add, input, matmul, mul, reshape, scan, sigmoid, split, tanh } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { named } from "../runtime/named.js";
import { lecunNormal, orthogonal } from "./initialisers.js";
import type { ParamSpec } from "./model.js";
import { layerNormAt, normParams } from "./norm.js";

/** What an LSTM carries from one time to the next, both [batch, hidden]. */
export interface LstmState {
  readonly hidden: Tensor;
  readonly cell: Tensor;
}

/**
 * Params of a layer-normalised LSTM: `inputWeight` [inputs, 4 hidden] and `recurrentWeight` [hidden, 4 hidden], with the
 * gates in the order forget, input, output, candidate; and the gains and biases of `inputNorm`, `recurrentNorm`
 * [4 hidden] and `cellNorm` [hidden]. The recurrent weight begins orthogonal for each gate (Saxe et al. 2014).
 */
export function lstmParams(path: string, inputs: number, hidden: number): Record<string, ParamSpec> {
  return {
    [`${path}.inputWeight`]: { shape: [inputs, 4 * hidden], init: lecunNormal },
    [`${path}.recurrentWeight`]: { shape: [hidden, 4 * hidden], init: orthogonal() },
    ...normParams(`${path}.inputNorm`, 4 * hidden),
    ...normParams(`${path}.recurrentNorm`, 4 * hidden),
    ...normParams(`${path}.cellNorm`, hidden),
  };
}

/**
 * The layer-normalised LSTM (Ba, Kiros and Hinton 2016, eq. 20 to 22; its b is the sum of the two norms' biases):
 *
 *     (f, i, o, g) = LN(h U) + LN(x W),
 *     c' = sigmoid(f) c + sigmoid(i) tanh(g),  h' = sigmoid(o) tanh(LN(c')).
 *
 * `x` [time, batch, inputs] of known sizes; gives h' of all times [time, batch, hidden], and the state after the last.
 */
export function lstm(
  params: Tensors,
  path: string,
  x: Tensor,
  state: LstmState,
): { readonly outputs: Tensor; readonly state: LstmState } {
  const [time, batch, inputs] = x.shape as [number, number, number];
  const of = (name: string) => named(params, `${path}.${name}`);
  const norm = (name: string, rows: Tensor) => layerNormAt(params, `${path}.${name}`, rows);
  // What does not wait for the state, for all times at once.
  const fromInput = norm("inputNorm", matmul(reshape(x, [time * batch, inputs]), of("inputWeight")));
  const recurrentWeight = of("recurrentWeight");
  const [size] = recurrentWeight.shape as [number];
  const { states, outputs } = scan({
    states: [state.hidden, state.cell],
    sequences: [reshape(fromInput, [time, batch, 4 * size])],
    body: ([hidden, cell], [fromInput]) => {
      const fromHidden = norm("recurrentNorm", matmul(hidden as Tensor, recurrentWeight));
      const gates = add(fromInput as Tensor, fromHidden);
      const [forget, enter, leave, candidate] = split(gates, 1, [size, size, size, size]) as Quadruple;
      const next = add(mul(sigmoid(forget), cell as Tensor), mul(sigmoid(enter), tanh(candidate)));
      const shown = mul(sigmoid(leave), tanh(norm("cellNorm", next)));
      return { states: [shown, next], outputs: [shown] };
    },
  });
  return {
    outputs: outputs[0] as Tensor,
    state: { hidden: states[0] as Tensor, cell: states[1] as Tensor },
  };
}

type Quadruple = [Tensor, Tensor, Tensor, Tensor];

/** The state of an LSTM as inputs named `path.hidden` and `path.cell`. */
export function lstmStateInputs(path: string, batch: number, hidden: number): LstmState {
  return { hidden: input(`${path}.hidden`, [batch, hidden]), cell: input(`${path}.cell`, [batch, hidden]) };
}
