/** Long short-term memory, plain and layer-normalised. The gates are in the order forget, input, output, candidate. */
import { add, input, matmul, mul, sigmoid, split, tanh } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { named } from "../runtime/named.js";
import { constantInit, lecunNormal, orthogonal, sideBySide, zerosInit } from "./initialisers.js";
import type { ParamSpec } from "./model.js";
import { layerNormAt, normParams } from "./norm.js";
import { type Cell, type HiddenState, hiddenStateInputs, type Recurrence, recurrent } from "./recurrent.js";

/** What an LSTM carries from one time step to the next, both [batch, hidden]. */
export interface LstmState extends HiddenState {
  readonly cell: Tensor;
}

/** The state of an LSTM as inputs named `path.hidden` and `path.cell`. */
export function lstmStateInputs(path: string, batch: number, hidden: number): LstmState {
  return { ...hiddenStateInputs(path, batch, hidden), cell: input(`${path}.cell`, [batch, hidden]) };
}

/** The recurrent weight begins orthogonal for each gate (Saxe et al. 2014). */
function weights(path: string, inputs: number, hidden: number): Record<string, ParamSpec> {
  return {
    [`${path}.inputWeight`]: { shape: [inputs, 4 * hidden], init: lecunNormal },
    [`${path}.recurrentWeight`]: { shape: [hidden, 4 * hidden], init: sideBySide(4, () => orthogonal()) },
  };
}

/**
 * Params of an LSTM: `inputWeight` [inputs, 4 hidden], `recurrentWeight` [hidden, 4 hidden], which begins orthogonal for
 * each gate, and `bias` [4 hidden], which begins as 1 for the forget gate (Gers, Schmidhuber and Cummins 2000; Jozefowicz,
 * Zaremba and Sutskever 2015) and as 0 for the others.
 */
export function lstmParams(path: string, inputs: number, hidden: number): Record<string, ParamSpec> {
  const ofGate = (gate: number) => (gate === 0 ? constantInit(1) : zerosInit);
  return {
    ...weights(path, inputs, hidden),
    [`${path}.bias`]: { shape: [4 * hidden], init: sideBySide(4, ofGate) },
  };
}

/**
 * The LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000), without peepholes:
 *
 *     (f, i, o, g) = x W + h U + b,
 *     c' = sigmoid(f) c + sigmoid(i) tanh(g),  h' = sigmoid(o) tanh(c').
 *
 * PyTorch's nn.LSTM has the order i, f, g, o, transposed weights, and two biases that add up to b. `x` [time, batch, inputs]
 * of known sizes; gives h' of all time steps [time, batch, hidden], and the state after the last.
 *
 * Throws {@link ShapeError} when `x` or the state has another shape.
 */
export function lstm(params: Tensors, path: string, x: Tensor, state: LstmState): Recurrence<LstmState> {
  const of = (name: string) => named(params, `${path}.${name}`);
  const recurrentWeight = of("recurrentWeight");
  return recurrent(x, state, {
    name: "lstm",
    size: recurrentWeight.shape[0] as number,
    carries: ["hidden", "cell"],
    fromInput: (rows) => add(matmul(rows, of("inputWeight")), of("bias")),
    step: ({ hidden, cell }, fromInput) => gated(add(fromInput, matmul(hidden, recurrentWeight)), cell, tanh),
  });
}

/**
 * Params of a layer-normalised LSTM: `inputWeight` and `recurrentWeight` of the LSTM, and the gains and biases of
 * `inputNorm`, `recurrentNorm` [4 hidden] and `cellNorm` [hidden].
 */
export function layerNormLstmParams(path: string, inputs: number, hidden: number): Record<string, ParamSpec> {
  return {
    ...weights(path, inputs, hidden),
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
 * `x` [time, batch, inputs] of known sizes; gives h' of all time steps [time, batch, hidden], and the state after the last.
 *
 * Throws {@link ShapeError} when `x` or the state has another shape.
 */
export function layerNormLstm(params: Tensors, path: string, x: Tensor, state: LstmState): Recurrence<LstmState> {
  return recurrent(x, state, layerNormLstmCell(params, path));
}

/** One time step of {@link layerNormLstm}: `x` [batch, inputs], of any size, and a state to the next state. */
export function layerNormLstmStep(params: Tensors, path: string, x: Tensor, state: LstmState): LstmState {
  const { step, fromInput } = layerNormLstmCell(params, path);
  return step(state, fromInput(x));
}

function layerNormLstmCell(params: Tensors, path: string): Cell<LstmState> {
  const of = (name: string) => named(params, `${path}.${name}`);
  const norm = (name: string, rows: Tensor) => layerNormAt(params, `${path}.${name}`, rows);
  const recurrentWeight = of("recurrentWeight");
  return {
    name: "layerNormLstm",
    size: recurrentWeight.shape[0] as number,
    carries: ["hidden", "cell"],
    fromInput: (rows) => norm("inputNorm", matmul(rows, of("inputWeight"))),
    step: ({ hidden, cell }, fromInput) => {
      const gates = add(fromInput, norm("recurrentNorm", matmul(hidden, recurrentWeight)));
      return gated(gates, cell, (next) => tanh(norm("cellNorm", next)));
    },
  };
}

/** The next state from the gates [batch, 4 hidden] and the cell; `shown` is what the output gate lets through. */
function gated(gates: Tensor, cell: Tensor, shown: (next: Tensor) => Tensor): LstmState {
  const size = cell.shape[1] as number;
  const [forget, enter, leave, candidate] = split(gates, 1, [size, size, size, size]) as Quadruple;
  const next = add(mul(sigmoid(forget), cell), mul(sigmoid(enter), tanh(candidate)));
  return { hidden: mul(sigmoid(leave), shown(next)), cell: next };
}

type Quadruple = [Tensor, Tensor, Tensor, Tensor];
