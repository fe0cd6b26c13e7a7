/** Every recurrent layer of `src/nn`, in one form, for the tests that hold for all. */
import { input } from "../src/graph/ops.js";
import type { Tensor, Tensors } from "../src/graph/tensor.js";
import { elman, elmanParams } from "../src/nn/elman.js";
import { gru, gruParams } from "../src/nn/gru.js";
import { layerNormLstm, layerNormLstmParams, lstm, lstmParams, lstmStateInputs } from "../src/nn/lstm.js";
import type { ParamSpec } from "../src/nn/model.js";
import { hiddenStateInputs } from "../src/nn/recurrent.js";
import { mapValues } from "../src/runtime/named.js";

interface CellCase {
  readonly paramsOf: (path: string, inputs: number, hidden: number) => Record<string, ParamSpec>;
  readonly stateOf: (path: string, batch: number, hidden: number) => Tensors;
  readonly layer: (
    params: Tensors,
    path: string,
    x: Tensor,
    state: Tensors,
  ) => { readonly outputs: Tensor; readonly state: Tensors };
}

/** A layer whose state has names of its own, as one of any state. */
function anyState<State>(
  paramsOf: CellCase["paramsOf"],
  stateOf: (path: string, batch: number, hidden: number) => State,
  layer: (
    params: Tensors,
    path: string,
    x: Tensor,
    state: State,
  ) => { readonly outputs: Tensor; readonly state: State },
): CellCase {
  return { paramsOf, stateOf, layer } as unknown as CellCase;
}

export const cells = {
  layerNormLstm: anyState(layerNormLstmParams, lstmStateInputs, layerNormLstm),
  lstm: anyState(lstmParams, lstmStateInputs, lstm),
  gru: anyState(gruParams, hiddenStateInputs, gru),
  gruResetBefore: anyState(
    (...sizes) => gruParams(...sizes, { reset: "before" }),
    hiddenStateInputs,
    (...given) => gru(...given, { reset: "before" }),
  ),
  elman: anyState(elmanParams, hiddenStateInputs, elman),
  elmanRelu: anyState(elmanParams, hiddenStateInputs, (...given) => elman(...given, { activation: "relu" })),
} as const;

export type CellName = keyof typeof cells;

/** Params as graph inputs named `params.path`. */
export function inputsFor(specs: Readonly<Record<string, ParamSpec>>): Tensors {
  return mapValues(specs, ({ shape }, name) => input(`params.${name}`, shape));
}
