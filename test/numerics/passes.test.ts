/** Passes over graphs: what they promise of results holds in the engine, for every operation and for whole training steps. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { workloads } from "../../bench/workloads.js";
import { updatedInPlace } from "../../src/engine/in-place.js";
import { planOf } from "../../src/engine/plan.js";
import type { Graph } from "../../src/graph/graph.js";
import { toOnnx } from "../../src/graph/onnx.js";
import { noPasses, simplify } from "../../src/graph/simplify.js";
import type { Op } from "../../src/graph/tensor.js";
import { forwardOnnx } from "../../src/nn/forward-onnx.js";
import { initWeights } from "../../src/nn/model.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { filled, type NamedArrays, scalar } from "../../src/runtime/array.js";
import { mapValues, withPrefix } from "../../src/runtime/named.js";
import { rootKey } from "../../src/runtime/random.js";
import { carriedSpecs, type Learner, stateNames, stepGraph, weightState } from "../../src/train/graphs.js";
import { flightsLike } from "../fixtures/flights-like.js";
import { smallLearners } from "../fixtures/small-learners.js";
import { buildCase } from "../suites/op-case.js";
import { opCases } from "../suites/op-cases.js";
import { assertAgree, numOperations, passSets } from "../suites/pass-agreement.js";
import { COTANGENT, cotangentFor, gradientGraph, weighted } from "./gradcheck.js";
import { interpret } from "./interpreter.js";

/** Runs graphs as they are: what is simplified here is simplified once. */
const engine = onnxRuntimeEngine({ threads: 1, passes: noPasses });
after(() => engine.close());

/** Of so many cases of each operation the passes are tried one by one too. */
const NUM_APART = 4;

const run = async (graph: Graph, feeds: NamedArrays) => (await engine.compile(graph)).run(feeds);

describe("of every operation, the engine gives what it gives without passes", () => {
  for (const op of Object.keys(opCases) as Op[]) {
    test(op, async () => {
      for (const [i, opCase] of opCases[op].entries()) {
        const sets = i < NUM_APART ? passSets : passSets.filter(([name]) => name.startsWith("all"));
        const { output, feeds, wrt } = buildCase(op, opCase);
        const forward: Graph = { outputs: { output }, updates: {} };
        await checkPasses(sets, forward, feeds, opCase.name);
        if (wrt.length === 0) continue;
        const cotangent = cotangentFor(interpret(forward, feeds).outputs.output?.shape ?? []);
        const backward = gradientGraph(weighted(output), wrt);
        await checkPasses(sets, backward, { ...feeds, [COTANGENT]: cotangent }, opCase.name);
      }
    });
  }
});

/** By every set of passes that finds something to do; what is the same to the engine runs once. */
async function checkPasses(sets: typeof passSets, graph: Graph, feeds: NamedArrays, what: string): Promise<void> {
  const encoded = (some: Graph) => Buffer.from(toOnnx(some)).toString("latin1");
  const results = new Map<string, NamedArrays>();
  const resultsOf = async (some: Graph) => {
    const known = results.get(encoded(some)) ?? (await run(some, feeds));
    results.set(encoded(some), known);
    return known;
  };
  for (const [name, passes] of sets) {
    const simple = simplify(graph, passes);
    if (simple === graph) continue;
    assert.ok(numOperations(simple) <= numOperations(graph), `${what}, ${name}`);
    assert.equal(simplify(simple, passes), simple, `${what}, ${name}: nothing is left to do`);
    assertAgree(await resultsOf(simple), await resultsOf(graph), `${what}, ${name}`);
  }
}

describe("two training steps", () => {
  for (const [name, build] of Object.entries(smallLearners)) {
    const { learner, batch } = build();
    const graph = stepGraph(learner, 0);
    const names = Object.keys(graph.updates);
    const steps = async (passes: (typeof passSets)[number][1]) => {
      const program = await engine.compile(simplify(graph, passes));
      await engine.write(startOf(learner));
      const outputs: Record<string, NamedArrays[string]> = {};
      for (const step of [0, 1]) {
        const scalars = mapValues(learner.optimizer.scalars, (at) => scalar(at(step)));
        Object.assign(outputs, withPrefix(`${step}`, await program.run({ ...batch(step), ...scalars })));
      }
      return { outputs, state: await engine.read(names) };
    };
    test(`of ${name} end where they end without passes`, async () => {
      const expected = await steps(noPasses);
      for (const [set, passes] of passSets) {
        const { outputs, state } = await steps(passes);
        assertAgree(outputs, expected.outputs, `the losses of ${name}, ${set}`);
        assertAgree(state, expected.state, `${name}, ${set}`);
      }
    });
    test(`of ${name} update all that they did in place`, () => {
      const [before, now] = [updatedInPlace(graph), updatedInPlace(simplify(graph))];
      for (const updated of before) assert.ok(now.has(updated), updated);
    });
  }
});

function startOf({ model, optimizer }: Learner): NamedArrays {
  const memory = mapValues(optimizer.stateSpec(model.params), ({ shape, fill }) => filled(shape, fill));
  const carried = mapValues(carriedSpecs(model, 0), ({ shape, fill }) => filled(shape, fill));
  return {
    ...weightState(model, initWeights(model, rootKey(1))),
    ...carried,
    ...withPrefix(stateNames.optState, memory),
  };
}

describe("training steps that are measured have fewer operations", () => {
  const { residual128: _, ...measured } = workloads;
  for (const [name, build] of Object.entries(measured)) {
    test(name, (t) => {
      const { graph } = build();
      const [before, now] = [numOperations(graph), numOperations(simplify(graph))];
      t.diagnostic(`${name}: ${before} operations, ${now} after all passes`);
      assert.ok(now < before, `${before} operations, ${now} after all passes`);
    });
  }
});

test("an engine gets the simplified graph, unless it is told otherwise", () => {
  // Without a condition there is no guard, which would be added after.
  const { when: _, ...graph } = stepGraph(flightsLike(), 2);
  assert.deepEqual(planOf(graph).onnx, toOnnx(simplify(graph)));
  assert.notDeepEqual(planOf(graph).onnx, toOnnx(graph));
  assert.deepEqual(planOf(graph, { passes: noPasses }).onnx, toOnnx(graph));
  assert.equal(simplify(graph, noPasses), graph);
});

test("the same graph gives the same bytes, simplified again or built again", () => {
  for (const build of Object.values(smallLearners)) {
    const { learner } = build();
    const graph = stepGraph(learner, 1);
    const { onnx } = planOf(graph);
    assert.deepEqual(planOf(graph).onnx, onnx);
    assert.deepEqual(planOf(stepGraph(build().learner, 1)).onnx, onnx);
    assert.deepEqual(forwardOnnx(build().learner.model), forwardOnnx(learner.model));
  }
});
