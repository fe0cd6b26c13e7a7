/** What holds for every recurrent layer: its gradients, what a loop carries on the way back, and carrying on. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError, ShapeError } from "../../src/errors.js";
import { gradients } from "../../src/graph/grad.js";
import { add, input, mul, reduceSum, slice } from "../../src/graph/ops.js";
import { isOp, type Tensor, type Tensors, topologicalOrder } from "../../src/graph/tensor.js";
import { gru, gruParams } from "../../src/nn/gru.js";
import { initWeights } from "../../src/nn/model.js";
import { float32, sizeOf } from "../../src/runtime/array.js";
import { mapValues, named } from "../../src/runtime/named.js";
import { fold, normal, rootKey } from "../../src/runtime/random.js";
import { type CellName, cells, inputsFor } from "../fixtures/cells.js";
import { assertClose } from "../fixtures/close.js";
import { COTANGENT, checkGradients, weighted } from "./gradcheck.js";
import { interpret, type Values } from "./interpreter.js";

const [TIME, BATCH, INPUTS, HIDDEN] = [4, 2, 3, 3];
const names = Object.keys(cells) as CellName[];

interface Layer {
  readonly params: Tensors;
  readonly x: Tensor;
  readonly before: Tensors;
  readonly outputs: Tensor;
  readonly after: Tensors;
}

function layerOf(name: CellName): Layer {
  const { paramsOf, stateOf, layer } = cells[name];
  const params = inputsFor(paramsOf("", INPUTS, HIDDEN));
  const [x, before] = [input("x", [TIME, BATCH, INPUTS]), stateOf("before", BATCH, HIDDEN)];
  const { outputs, state } = layer(params, "", x, before);
  return { params, x, before, outputs, after: state };
}

/** Drawn values for inputs and for the cotangent of the outputs, gains about 1. */
function feedsFor({ params, x, before, outputs }: Layer): Record<string, Values> {
  const inputs = [...Object.values(params), x, ...Object.values(before), input(COTANGENT, outputs.shape)];
  return Object.fromEntries(
    inputs
      .filter((tensor) => isOp(tensor, "input"))
      .map(({ attributes, shape }) => {
        const centre = attributes.name.endsWith(".gain") ? 1 : 0;
        const values = normal(fold(rootKey(3), attributes.name), sizeOf(shape as number[]));
        return [
          attributes.name,
          float32(
            values.map((value) => centre + 0.7 * value),
            shape as number[],
          ),
        ];
      }),
  );
}

/** A number that depends on all outputs, and on the last state in its own way. */
function lossOf({ outputs, after }: Layer): Tensor {
  return Object.values(after).reduce((sum, part) => add(sum, reduceSum(mul(part, part))), weighted(outputs));
}

describe("gradients by params, x and the state before are those of central differences", () => {
  for (const name of names) {
    test(name, () => {
      const layer = layerOf(name);
      const wrt = [...Object.values(layer.params), layer.x, ...Object.values(layer.before)];
      checkGradients(lossOf(layer), wrt, feedsFor(layer));
    });
  }
});

describe("products with weights are taken once over all time steps where they can be", () => {
  for (const name of names) {
    test(name, () => {
      const layer = layerOf(name);
      const weights = [named(layer.params, ".inputWeight"), named(layer.params, ".recurrentWeight")];
      const grads = gradients(lossOf(layer), weights);
      const scans = topologicalOrder(grads).filter((tensor) => isOp(tensor, "scan"));
      assert.equal(scans.length, 2);
      // No loop adds up the gradient of a weight, and none multiplies the inputs.
      for (const { attributes } of scans) {
        const { states, nextStates, outputs, captured } = attributes.body;
        for (const { shape } of states) assert.ok(shape.length === 1 || shape[0] === BATCH, `a state ${shape}`);
        for (const tensor of topologicalOrder([...nextStates, ...outputs])) assert.notEqual(tensor, weights[0]);
        for (const tensor of captured) assert.notEqual(tensor, weights[0]);
      }
      // What is there for the recurrent weight is made outside, of all rows at once.
      const [, recurrent] = grads as [Tensor, Tensor];
      const products = topologicalOrder([recurrent])
        .filter((tensor) => isOp(tensor, "matmul"))
        .filter(({ inputs }) => inputs.every(({ shape }) => shape.includes(TIME * BATCH)));
      assert.equal(products.length, name === "gruResetBefore" ? 2 : 1);
    });
  }
});

describe("a sequence in two parts, the state carried over, is the sequence in one", () => {
  for (const name of names) {
    test(name, () => {
      const whole = layerOf(name);
      const { layer } = cells[name];
      const first = layer(whole.params, "", slice(whole.x, 0, 0, 1), whole.before);
      const second = layer(whole.params, "", slice(whole.x, 0, 1, TIME), first.state);
      const { outputs } = interpret(
        {
          outputs: {
            whole: slice(whole.outputs, 0, 1, TIME),
            parts: second.outputs,
            ...Object.fromEntries(Object.entries(whole.after).map(([part, tensor]) => [`whole ${part}`, tensor])),
            ...Object.fromEntries(Object.entries(second.state).map(([part, tensor]) => [`parts ${part}`, tensor])),
          },
          updates: {},
        },
        feedsFor(whole),
      );
      for (const what of ["", ...Object.keys(whole.after).map((part) => ` ${part}`)]) {
        assertClose(named(outputs, `parts${what}`), named(outputs, `whole${what}`), 1e-14, `${name}${what}`);
      }
      // The last output is the hidden state that is carried.
      const last = named(outputs, "parts").data.slice(-BATCH * HIDDEN);
      assert.deepEqual([...last], [...named(outputs, "parts hidden").data]);
    });
  }
});

describe("recurrent weights begin orthogonal for each gate, biases as 0 but for the forget gate", () => {
  for (const name of names) {
    test(name, () => {
      const size = 6;
      const params = initWeights(
        { params: cells[name].paramsOf("", 5, size), inputs: {}, apply: () => input("", []) },
        rootKey(1),
      );
      const { shape, data } = named(params, ".recurrentWeight");
      const columns = shape[1] as number;
      for (let gate = 0; gate < columns; gate += size) {
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++) {
            let product = 0;
            for (let k = 0; k < size; k++)
              product += Number(data[k * columns + gate + i]) * Number(data[k * columns + gate + j]);
            assert.ok(Math.abs(product - Number(i === j)) < 1e-6, `gate ${gate / size}: ${i}, ${j} is ${product}`);
          }
        }
      }
      const bias = [...(params[".bias"]?.data ?? [])];
      assert.deepEqual(
        bias,
        bias.map((_, i) => Number(name === "lstm" && i < size)),
      );
    });
  }
});

describe("what does not fit is refused", () => {
  for (const name of names) {
    test(`${name}: a state of another batch, and an x without times`, () => {
      const { paramsOf, stateOf, layer } = cells[name];
      const params = inputsFor(paramsOf("", INPUTS, HIDDEN));
      const x = input("x", [TIME, BATCH, INPUTS]);
      assert.throws(
        () => layer(params, "", x, stateOf("before", BATCH + 1, HIDDEN)),
        (error) =>
          error instanceof ShapeError &&
          /the state "hidden" must be \[batch, hidden\], here \[2, 3\], got \[3, 3\]; give/.test(error.message),
      );
      assert.throws(
        () => layer(params, "", input("x", ["batch", INPUTS]), stateOf("before", BATCH, HIDDEN)),
        (error) =>
          error instanceof ShapeError &&
          /x must be \[time, batch, inputs\] of known sizes, got \["?batch"?, 3\]; reshape/.test(error.message),
      );
    });
  }

  test("gru: params of the other convention", () => {
    const x = input("x", [TIME, BATCH, INPUTS]);
    const state = { hidden: input("before.hidden", [BATCH, HIDDEN]) };
    for (const reset of ["before", "after"] as const) {
      const other = reset === "before" ? "after" : "before";
      const params = inputsFor(gruParams("layer", INPUTS, HIDDEN, { reset: other }));
      assert.throws(
        () => gru(params, "layer", x, state, { reset }),
        (error) =>
          error instanceof ConfigError &&
          error.message.includes(`got params for "${other}"`) &&
          error.message.includes(`a layer with "${reset}"; give both the same options`),
      );
    }
  });
});

test("the two conventions of the reset gate are two functions of the same params", () => {
  const after = layerOf("gru");
  const feeds = { ...feedsFor(after), "params..candidateBias": float32([0, 0, 0]) };
  const { ".candidateBias": _, ...params } = after.params;
  const { outputs } = gru(params, "", after.x, after.before as { hidden: Tensor }, { reset: "before" });
  const both = interpret({ outputs: { after: after.outputs, before: outputs }, updates: {} }, feeds).outputs;
  const differences = mapValues(both, ({ data }) => data);
  const largest = named(differences, "after").reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (named(differences, "before")[i] ?? Number.NaN))),
    0,
  );
  assert.ok(largest > 0.01, `they differ by ${largest}`);
});
