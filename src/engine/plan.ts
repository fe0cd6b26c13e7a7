/** From a graph to what an engine compiles: simplified, guarded against cancellation, with the updates that are made in place. */
import { ShapeError } from "../errors.js";
import { inBlocks } from "../graph/blocks.js";
import { type Graph, inputsOf } from "../graph/graph.js";
import { toOnnx } from "../graph/onnx.js";
import { and, input, sameShape } from "../graph/ops.js";
import { interned } from "../graph/passes/walk.js";
import { simplify } from "../graph/simplify.js";
import { formatShape, type Shape, type Tensor } from "../graph/tensor.js";
import type { EngineOptions } from "./engine.js";
import { updatedInPlace } from "./in-place.js";

/** A graph made ready for an engine: plain data that may travel to another thread. */
export interface Plan {
  readonly onnx: Uint8Array;
  /** Those of the graph; a guarded plan has the names of {@link guard} beside them. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** State tensors that a run changes. */
  readonly updates: readonly PlannedUpdate[];
  /** Whether what it updates waits for a condition, and so can be cancelled. */
  readonly isGuarded: boolean;
}

/** How a run changes a state tensor. */
export interface PlannedUpdate {
  readonly name: string;
  /** Or through a second buffer. */
  readonly inPlace: boolean;
  /** In which shape the model gives the elements, where it is not that of the state tensor. */
  readonly shape?: readonly number[];
}

/**
 * How the updates of a graph that asks `when` are all made or none, though another thread cancels the run: bools, of which
 * that thread writes the first and the run the others, each after it has read the one before.
 *
 *     isReached = when, isTaken = isReached and mayUpdate, update when isTaken
 *
 * Who cancels first takes `mayUpdate` back and then looks whether `isReached` is written. If it is not, the run will read
 * what was taken back, and may be ended anywhere. If it is, the run may be updating and goes on to its end; `isTaken` says.
 */
export const guard = {
  mayUpdate: "engine.mayUpdate",
  isReached: "engine.isReached",
  isTaken: "engine.isTaken",
} as const;

function guarded({ outputs, updates, when }: Graph): Graph {
  if (!when) return { outputs, updates };
  // A node of its own, whatever the condition is, so that nothing but its result can be read for it.
  const isReached = and(when, when);
  const isTaken = and(isReached, input(guard.mayUpdate, [], "bool"));
  return { outputs: { ...outputs, [guard.isReached]: isReached, [guard.isTaken]: isTaken }, updates, when: isTaken };
}

export type PlanOptions = Pick<EngineOptions, "passes" | "device" | "blocks">;

/**
 * Make a graph ready: simplify it, cut updates into blocks, then find what may be updated in place and encode it.
 *
 * Throws {@link ShapeError} when the new value of a state tensor has another shape or dtype.
 */
export function planOf(whole: Graph, { passes, device = "cpu", blocks = device === "cpu" }: PlanOptions = {}): Plan {
  checkUpdates(whole);
  const graph = simplify(interned(whole), passes);
  // After the passes: the guard's flags must stay as they are made.
  const made = guarded(blocks ? inBlocks(graph) : graph);
  const inPlace = updatedInPlace(made);
  return {
    onnx: toOnnx(made),
    inputs: [...inputsOf(graph).keys()],
    outputs: Object.keys(graph.outputs),
    updates: Object.entries(graph.updates).map(([name, { shape }]) => ({
      name,
      inPlace: inPlace.has(name),
      ...shapeOfBlocks(shape, made.updates[name] as Tensor),
    })),
    isGuarded: graph.when !== undefined,
  };
}

function shapeOfBlocks(whole: Shape, { shape }: Tensor): Pick<PlannedUpdate, "shape"> {
  return sameShape(whole, shape) ? {} : { shape: shape.map(Number) };
}

function checkUpdates(graph: Graph): void {
  const inputs = inputsOf(graph);
  for (const [name, updated] of Object.entries(graph.updates)) {
    const before = inputs.get(name);
    if (before && (!sameShape(before.shape, updated.shape) || before.dtype !== updated.dtype)) {
      const [was, is] = [before, updated].map(({ dtype, shape }) => dtype + formatShape(shape));
      throw new ShapeError(`graph: the new value of "${name}" must be ${was}, got ${is}`);
    }
  }
}
