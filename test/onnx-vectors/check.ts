/** A vector's program, run by the engine and by the interpreter, against what the vector says it must give. */
import assert from "node:assert/strict";
import type { Engine } from "../../src/engine/engine.js";
import type { NdArray } from "../../src/runtime/array.js";
import { named } from "../../src/runtime/named.js";
import { assertClose } from "../fixtures/close.js";
import { interpret } from "../numerics/interpreter.js";
import type { WholeProgram } from "./whole.js";

/**
 * What results may differ by, of the largest magnitude among the expected ones: float32 has a relative spacing of
 * 1.2e-7, and the expected values were computed in it as well.
 */
const TOLERANCE = 1e-5;

/** Results near 0 are often differences of larger numbers. */
const SCALE = 0.01;

/** Assert that both give the expected results. */
export async function checkVector(engine: Engine, program: WholeProgram, expected: readonly NdArray[]): Promise<void> {
  const { graph, feeds, kept, results } = program;
  const { outputs, updates } = interpret(graph, { ...feeds, ...kept });
  const interpreted = { ...outputs, ...updates };
  await engine.write(kept);
  const returned = await (await engine.compile(graph)).run(feeds);
  const computed = { ...returned, ...(await engine.read(Object.keys(graph.updates))) };
  for (const [i, { name }] of results.entries()) {
    const target = expected[i] as NdArray;
    assert.equal(named(computed, name).dtype, target.dtype, `the dtype of ${name}`);
    assertClose(named(interpreted, name), target, TOLERANCE, `${name} of the interpreter`, SCALE);
    assertClose(named(computed, name), target, TOLERANCE, `${name} of the engine`, SCALE);
  }
}
