/** Everything that must hold of one case of an operation. */

import type { Engine } from "../../src/engine/engine.js";
import { isDifferentiable } from "../../src/graph/grad.js";
import type { Graph } from "../../src/graph/graph.js";
import type { Op } from "../../src/graph/tensor.js";
import { assertAllClose } from "../fixtures/close.js";
import { COTANGENT, checkGradients, cotangentFor, gradientGraph, tolerances, weighted } from "../numerics/gradcheck.js";
import { interpret } from "../numerics/interpreter.js";
import { buildCase, type Case } from "./op-case.js";

/** Of the terms, which are about 1: where they cancel, what is left is as wrong as they are. */
const SCALE = 1;

/** The engine computes what the interpreter computes, forward and backward, and gradients are central differences. */
export async function checkCase(engine: Engine, op: Op, opCase: Case): Promise<void> {
  const { output, feeds, wrt } = buildCase(op, opCase);
  const forward: Graph = { outputs: { output }, updates: {} };
  const expected = interpret(forward, feeds).outputs;
  assertAllClose(await (await engine.compile(forward)).run(feeds), expected, tolerances.float32, op, SCALE);
  if (!isDifferentiable(op)) return;

  const all = { ...feeds, [COTANGENT]: cotangentFor(expected.output?.shape ?? []) };
  checkGradients(weighted(output), wrt, all);
  const backward = gradientGraph(weighted(output), wrt);
  const grads = interpret(backward, all).outputs;
  assertAllClose(await (await engine.compile(backward)).run(all), grads, tolerances.float32, `${op} backward`, SCALE);
}
