/** The simple recurrent layer. */
import { add, matmul, relu, tanh } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { named } from "../runtime/named.js";
import { lecunNormal, orthogonal, zerosInit } from "./initialisers.js";
import type { ParamSpec } from "./model.js";
import { type HiddenState, type Recurrence, recurrent } from "./recurrent.js";

const activations = { tanh, relu } as const;

export interface ElmanOptions {
  /** The activation of the sum; "tanh" by default. */
  readonly activation?: keyof typeof activations | undefined;
}

/**
 * Params of a simple recurrent layer: `inputWeight` [inputs, hidden], `recurrentWeight` [hidden, hidden], which begins
 * orthogonal (Saxe et al. 2014), and `bias` [hidden] (0).
 */
export function elmanParams(path: string, inputs: number, hidden: number): Record<string, ParamSpec> {
  return {
    [`${path}.inputWeight`]: { shape: [inputs, hidden], init: lecunNormal },
    [`${path}.recurrentWeight`]: { shape: [hidden, hidden], init: orthogonal() },
    [`${path}.bias`]: { shape: [hidden], init: zerosInit },
  };
}

/**
 * The simple recurrent layer (Elman 1990): h' = tanh(x W + h U + b), or relu of the sum. PyTorch's nn.RNN has transposed
 * weights, and two biases that add up to b. `x` [time, batch, inputs] of known sizes; gives h' of all time steps
 * [time, batch, hidden], and the state after the last.
 *
 * Throws {@link ShapeError} when `x` or the state has another shape.
 */
export function elman(
  params: Tensors,
  path: string,
  x: Tensor,
  state: HiddenState,
  { activation = "tanh" }: ElmanOptions = {},
): Recurrence<HiddenState> {
  const of = (name: string) => named(params, `${path}.${name}`);
  const recurrentWeight = of("recurrentWeight");
  return recurrent(x, state, {
    name: "elman",
    size: recurrentWeight.shape[0] as number,
    carries: ["hidden"],
    fromInput: (rows) => add(matmul(rows, of("inputWeight")), of("bias")),
    step: ({ hidden }, fromInput) => ({
      hidden: activations[activation](add(fromInput, matmul(hidden, recurrentWeight))),
    }),
  });
}
