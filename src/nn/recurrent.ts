/** Recurrent layers over [time, batch, width]: one loop for every cell, from the state before to the state after. */
import { ShapeError } from "../errors.js";
import { input, reshape, sameShape, scan } from "../graph/ops.js";
import { formatShape } from "../graph/shape.js";
import type { Tensor } from "../graph/tensor.js";

/** The part of a cell's state that is its output too, [batch, hidden]. */
export interface HiddenState {
  readonly hidden: Tensor;
}

/** A recurrent layer without the loop. */
export interface Cell<State extends HiddenState> {
  /** The layer, as errors call it. */
  readonly name: string;
  /** Number of hidden units. */
  readonly size: number;
  /** The names of its state. */
  readonly carries: readonly (keyof State & string)[];
  /** The part that needs no state: rows [time batch, inputs] of all time steps at once to [time batch, ...]. */
  readonly fromInput: (rows: Tensor) => Tensor;
  /** One time step: the next state, from the state and the part of `fromInput` for this step, [batch, ...]. */
  readonly step: (state: State, fromInput: Tensor) => State;
}

/** The hidden state of all time steps [time, batch, hidden], and the whole state after the last. */
export interface Recurrence<State extends HiddenState> {
  readonly outputs: Tensor;
  readonly state: State;
}

/**
 * A cell over all time steps of `x` [time, batch, inputs], which has known sizes, from a state whose parts are
 * [batch, hidden]. The factors that a step multiplies by weights are collected, so that the gradient of a weight is one
 * product over all time steps.
 *
 * Throws {@link ShapeError} when `x` or a part of the state has another shape.
 */
export function recurrent<State extends HiddenState>(x: Tensor, state: State, cell: Cell<State>): Recurrence<State> {
  const [time, batch, inputs] = sizesOf(cell.name, x);
  const partsOf = (whole: State) => cell.carries.map((name) => whole[name] as Tensor);
  const stateOf = (parts: readonly Tensor[]) =>
    Object.fromEntries(cell.carries.map((name, i) => [name, parts[i]])) as unknown as State;
  for (const name of cell.carries) checkState(cell.name, name, state[name] as Tensor, [batch, cell.size]);
  const fromInput = cell.fromInput(reshape(x, [time * batch, inputs]));
  const { states, outputs } = scan({
    states: partsOf(state),
    sequences: [reshape(fromInput, [time, batch, ...fromInput.shape.slice(1)])],
    body: (carried, [element]) => {
      const next = cell.step(stateOf(carried), element as Tensor);
      return { states: partsOf(next), outputs: [next.hidden] };
    },
  });
  return { outputs: outputs[0] as Tensor, state: stateOf(states) };
}

function sizesOf(layer: string, x: Tensor): [number, number, number] {
  if (x.shape.length !== 3 || x.shape.some((size) => typeof size !== "number")) {
    throw new ShapeError(
      `${layer}: x must be [time, batch, inputs] of known sizes, got ${formatShape(x.shape)}; reshape or transpose it`,
    );
  }
  return x.shape as [number, number, number];
}

function checkState(layer: string, name: string, { shape }: Tensor, wanted: readonly number[]): void {
  if (sameShape(shape, wanted)) return;
  throw new ShapeError(
    `${layer}: the state "${name}" must be [batch, hidden], here ${formatShape(wanted)}, got ${formatShape(shape)}; ` +
      "give what the layer gave for the batch before, or zeros of that shape",
  );
}

/** A state of one part as an input named `path.hidden`. */
export function hiddenStateInputs(path: string, batch: number, hidden: number): HiddenState {
  return { hidden: input(`${path}.hidden`, [batch, hidden]) };
}
