/** An optimizer on its own: a graph of one step, what it is fed, and runs in the interpreter and in an engine. */

import type { Engine } from "../src/engine/engine.js";
import type { Graph } from "../src/graph/graph.js";
import { input } from "../src/graph/ops.js";
import type { Tensors } from "../src/graph/tensor.js";
import type { Schedule } from "../src/optim/schedules.js";
import { step } from "../src/optim/sparse-updates.js";
import type { GradientTransformation, Shapes } from "../src/optim/transformations.js";
import { filled, float32, type NamedArrays, type NdArray } from "../src/runtime/array.js";
import { mapValues, named, withPrefix } from "../src/runtime/named.js";
import { interpret, type Values } from "./interpreter.js";

/** A function to go down on: where it begins, and its gradients. */
export interface Problem {
  readonly shapes: Shapes;
  readonly start: NamedArrays;
  readonly gradsOf: (params: Tensors) => Tensors;
  /** What the gradients read at a step. */
  readonly feeds: (step: number) => NamedArrays;
}

/** One step: params and optState, kept by the engine, from gradients. */
export function descent(
  optimizer: GradientTransformation,
  shapes: Shapes,
  gradsOf: (params: Tensors) => Tensors,
  scalars: Tensors = mapValues(optimizer.scalars, (_, name) => input(name, [])),
): Graph {
  const params = mapValues(shapes, ({ shape }, name) => input(name, shape));
  const optState = mapValues(optimizer.stateSpec(shapes), ({ shape }, name) => input(`optState.${name}`, shape));
  const after = step(optimizer, { updates: gradsOf(params), params, optState, scalars });
  return { outputs: {}, updates: { ...after.params, ...withPrefix("optState", after.optState) } };
}

/** The memory of an optimizer before its first step, as the engine keeps it. */
export function memoryOf(optimizer: GradientTransformation, shapes: Shapes): NamedArrays {
  return withPrefix(
    "optState",
    mapValues(optimizer.stateSpec(shapes), ({ shape, fill }) => filled(shape, fill)),
  );
}

/** The scalars of a step in double precision: what the engine is fed is rounded to float32. */
export function scalarsAt(scalars: Readonly<Record<string, Schedule>>, step: number): Record<string, Values> {
  return mapValues(scalars, (schedule) => ({ shape: [], data: Float64Array.of(schedule(step)) }));
}

/** Rounded to float32. */
export function toFloat32({ shape, data }: Values): NdArray<"float32"> {
  return float32(Float32Array.from(data as ArrayLike<number>), shape);
}

/** The params after each step, in double precision. */
export function* interpreted(
  optimizer: GradientTransformation,
  { shapes, start, gradsOf, feeds }: Problem,
  numSteps: number,
): Generator<Readonly<Record<string, Values>>> {
  const graph = descent(optimizer, shapes, gradsOf);
  let state: Readonly<Record<string, Values>> = { ...start, ...memoryOf(optimizer, shapes) };
  for (let step = 0; step < numSteps; step++) {
    state = interpret(graph, { ...state, ...feeds(step), ...scalarsAt(optimizer.scalars, step) }).updates;
    yield Object.fromEntries(Object.keys(shapes).map((name) => [name, named(state, name)]));
  }
}

/** The params after every so many steps, as an engine computes them. */
export async function* run(
  engine: Engine,
  optimizer: GradientTransformation,
  { shapes, start, gradsOf, feeds }: Problem,
  numSteps: number,
  every: number,
): AsyncGenerator<NamedArrays> {
  await engine.write({ ...start, ...memoryOf(optimizer, shapes) });
  const program = await engine.compile(descent(optimizer, shapes, gradsOf));
  for (let step = 0; step < numSteps; step++) {
    await program.run({ ...feeds(step), ...mapValues(scalarsAt(optimizer.scalars, step), toFloat32) });
    if ((step + 1) % every === 0) yield await engine.read(Object.keys(shapes));
  }
}
