/** From a graph to the plan that an engine compiles: simplified, guarded against cancellation, updated in place. */
import { ShapeError } from "../errors.js";
import { type Graph, inputsOf } from "../graph/graph.js";
import { type OnnxOptions, toOnnx } from "../graph/onnx.js";
import { and, input, sameShape } from "../graph/ops.js";
import { interned } from "../graph/passes/walk.js";
import { simplify } from "../graph/simplify.js";
import { formatShape } from "../graph/tensor.js";
import type { EngineOptions } from "./engine.js";
import { updatedInPlace } from "./in-place.js";

/** A graph made ready for an engine: plain data that may travel to another thread. */
export interface Plan {
  readonly onnx: Uint8Array;
  /** Inputs and outputs of the graph; the model of a guarded plan has those of {@link guard} beside them. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** State tensors that a run changes. */
  readonly updates: readonly PlannedUpdate[];
  /** Whether the updates wait for a condition, so that a run can be cancelled. */
  readonly isGuarded: boolean;
}

/** How a run changes a state tensor. */
export interface PlannedUpdate {
  readonly name: string;
  /** Whether the new value overwrites the old one, or goes to a second buffer. */
  readonly inPlace: boolean;
}

/**
 * The flags by which the updates of a graph with `when` are all made or none, even when another thread cancels the run.
 * They are bools: the cancelling thread writes the first one, the run the others, each after it has read the one
 * before.
 *
 *     isReached = when, isTaken = isReached and mayUpdate, update when isTaken
 *
 * The cancelling thread first clears `mayUpdate`, and then looks whether `isReached` is written. If it is not, the run
 * will read the cleared flag, and may be ended anywhere. If it is, the run may be updating and goes on to its end;
 * `isTaken` tells whether it has updated.
 */
export const guard = {
  mayUpdate: "engine.mayUpdate",
  isReached: "engine.isReached",
  isTaken: "engine.isTaken",
} as const;

function guarded({ outputs, updates, when }: Graph): Graph {
  if (!when) return { outputs, updates };
  // A node of its own, whatever the condition is, so that no other tensor can be read for the flag.
  const isReached = and(when, when);
  const isTaken = and(isReached, input(guard.mayUpdate, [], "bool"));
  return { outputs: { ...outputs, [guard.isReached]: isReached, [guard.isTaken]: isTaken }, updates, when: isTaken };
}

export type PlanOptions = Pick<EngineOptions, "passes"> & OnnxOptions;

/**
 * Make a graph ready: simplify it, then find what may be updated in place and encode it.
 *
 * Throws {@link ShapeError} when the new value of a state tensor has another shape or dtype.
 */
export function planOf(whole: Graph, { passes, channelBlock }: PlanOptions = {}): Plan {
  checkUpdates(whole);
  const graph = simplify(interned(whole), passes);
  // After the passes, which would change the nodes of the flags.
  const made = guarded(graph);
  const inPlace = updatedInPlace(made);
  return {
    onnx: toOnnx(made, {}, { channelBlock }),
    inputs: [...inputsOf(graph).keys()],
    outputs: Object.keys(graph.outputs),
    updates: Object.keys(graph.updates).map((name) => ({ name, inPlace: inPlace.has(name) })),
    isGuarded: graph.when !== undefined,
  };
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
