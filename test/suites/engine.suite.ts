/** What every engine must do. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import type { Engine } from "../../src/engine/engine.js";
import { ClosedError } from "../../src/errors.js";
import { add, greater, input, matmul, mul, neg, reduceSum, relu, transpose } from "../../src/graph/ops.js";
import { float32, int32, type NamedArrays, sizeOf } from "../../src/runtime/array.js";
import { normal, rootKey } from "../../src/runtime/random.js";
import { assertAllClose } from "../fixtures/close.js";
import { interpret } from "../numerics/interpreter.js";
import { a, b, moving, safe, unsafe, updates, views } from "./engine-graphs.js";

const start: NamedArrays = { a: float32([1, -2, 3, 4], [2, 2]), b: float32([0.5, 6, -7, 8], [2, 2]) };
const like = { like: float32(Array(12).fill(0), [3, 4]) };

const isClosedError = (who: string) => (error: unknown) =>
  error instanceof ClosedError && error.message.startsWith(`${who} must be open`);

/** Each graph begins from the same state tensors, whatever the ones before have left: a user's engine is not new either. */
function graphTables(make: () => Engine): void {
  let engine: Engine;
  before(() => {
    engine = make();
  });
  after(() => engine.close());

  for (const [name, graph] of Object.entries({ ...safe, ...unsafe, ...views, ...moving })) {
    test(`gives the right values over three runs: ${name}`, async () => {
      await engine.write(start);
      const program = await engine.compile(graph);
      let state: NamedArrays = start;
      for (let run = 0; run < 3; run++) {
        const expected = interpret(graph, { ...state, ...like });
        assertAllClose(await program.run(like), expected.outputs, 1e-6, "outputs");
        const after = await engine.read(["a", "b"]);
        assertAllClose(after, { ...state, ...expected.updates }, 1e-6, "state tensors");
        state = after;
      }
    });
  }
}

/** Tests of an engine that is made anew for each, but for the tables of graphs: those share one, and all that it has kept. */
export function engineSuite(name: string, make: () => Engine): void {
  describe(`${name}: graphs`, () => graphTables(make));
  describe(name, () => {
    let engine: Engine;
    beforeEach(() => {
      engine = make();
    });
    afterEach(() => engine.close());

    test("gives the right values for matrices that are large enough for several threads", async () => {
      const shape = [128, 128];
      const [x, y] = [input("a", shape), input("b", shape)];
      const random = (seed: number) =>
        float32(
          normal(rootKey(seed), sizeOf(shape)).map((v) => v / 20),
          shape,
        );
      const kept = { a: random(1), b: random(2) };
      const programs = { product: matmul(x, y), transposed: transpose(x), both: add(relu(matmul(y, x)), x) };
      for (const [name, updated] of Object.entries(programs)) {
        await engine.write(kept);
        const graph = updates({ a: updated });
        await (await engine.compile(graph)).run({});
        assertAllClose(await engine.read(["a"]), interpret(graph, kept).updates, 1e-5, name);
      }
    });

    test("programs share the state tensors, and changes in place reach all of them", async () => {
      await engine.write(start);
      const step = await engine.compile(updates({ a: add(a, b) }));
      const swap = await engine.compile(updates({ a: b, b: a }));
      const total = await engine.compile({ outputs: { total: reduceSum(a) }, updates: {} });
      const sumNow = async () => (await total.run({})).total?.data[0];
      assert.equal(await sumNow(), 6);
      await step.run({});
      assert.equal(await sumNow(), 13.5);
      await swap.run({});
      assert.equal(await sumNow(), 7.5);
      await step.run({});
      assert.equal(await sumNow(), 21);
      await swap.run({});
      assert.equal(await sumNow(), 13.5);
      await engine.write({ a: float32([1, 1, 1, 1], [2, 2]) });
      assert.equal(await sumNow(), 4);
      await step.run({});
      assert.equal(await sumNow(), 25);
    });

    test("what is read and what was written are copies", async () => {
      const written = float32([1, -2, 3, 4], [2, 2]);
      await engine.write({ a: written, b: start.b as NamedArrays[string] });
      written.data[0] = 99;
      const program = await engine.compile(updates({ a: add(a, 1) }));
      const before = await engine.read(["a"]);
      assert.deepEqual([...(before.a?.data ?? [])], [1, -2, 3, 4]);
      await program.run({});
      assert.deepEqual([...(before.a?.data ?? [])], [1, -2, 3, 4]);
      const after = await engine.read(["a"]);
      (after.a?.data as Float32Array)[0] = 99;
      assert.deepEqual([...((await engine.read(["a"])).a?.data ?? [])], [2, -1, 4, 5]);
    });

    test("arrays that are lent are read, and never changed, by steps in place and through a second buffer", async () => {
      const array = (values: readonly number[]) => float32(values, [2, 2]);
      const lent = { a: array([1, 2, 3, 4]), b: array([5, 6, 7, 8]) };
      const total = await engine.compile({ outputs: { total: reduceSum(add(a, b)) }, updates: {} });
      const step = await engine.compile(updates({ a: add(a, 1), b: transpose(b) }));
      await engine.write(lent, { memory: "lent" });
      assert.equal((await total.run({})).total?.data[0], 36);
      await step.run({});
      await step.run({});
      await step.run({});
      assert.equal((await total.run({})).total?.data[0], 48);
      assert.deepEqual(await engine.read(["a", "b"]), { a: array([4, 5, 6, 7]), b: array([5, 7, 6, 8]) });
      assert.deepEqual(lent, { a: array([1, 2, 3, 4]), b: array([5, 6, 7, 8]) });
      await engine.write({ b: array([0, 0, 0, 1]) }, { memory: "lent" });
      await engine.write({ a: array([0, 0, 1, 0]) });
      assert.equal((await total.run({})).total?.data[0], 2);
      assert.deepEqual(lent, { a: array([1, 2, 3, 4]), b: array([5, 6, 7, 8]) });
    });

    test("a lent array may lie anywhere in a larger buffer, and is let go of when it is replaced", async () => {
      const total = await engine.compile({ outputs: { total: reduceSum(a) }, updates: {} });
      for (let offset = 1; offset < 20; offset++) {
        const data = new Float32Array(new Float32Array(40).buffer, 4 * offset, 4).fill(offset);
        await engine.write({ a: { dtype: "float32", shape: [2, 2], data } }, { memory: "lent" });
        assert.equal((await total.run({})).total?.data[0], 4 * offset);
      }
    });

    test("results of a run are not changed by the next", async () => {
      const program = await engine.compile({ outputs: { doubled: mul(a, 2) }, updates: {} });
      const first = await program.run({ a: float32([1, 2, 3, 4], [2, 2]) });
      await program.run({ a: float32([5, 6, 7, 8], [2, 2]) });
      assert.deepEqual([...(first.doubled?.data ?? [])], [2, 4, 6, 8]);
    });

    test("a fed tensor hides a kept one of the same name for this run only", async () => {
      await engine.write(start);
      const program = await engine.compile({ outputs: { total: reduceSum(a) }, updates: {} });
      assert.equal((await program.run({ a: float32([1, 1, 1, 1], [2, 2]) })).total?.data[0], 4);
      assert.equal((await program.run({})).total?.data[0], 6);
    });

    test("batches of any size, one after the other, and an empty one", async () => {
      const x = input("x", ["batch", 2]);
      const program = await engine.compile({ outputs: { doubled: mul(x, 2), sum: reduceSum(x) }, updates: {} });
      for (const size of [3, 1, 3, 0, 2, 7, 5, 4, 6, 8, 9, 3, 1, 0]) {
        const data = Float32Array.from({ length: 2 * size }, (_, i) => i + size);
        const expected = {
          doubled: float32(
            data.map((v) => 2 * v),
            [size, 2],
          ),
          sum: float32([data.reduce((s, v) => s + v, 0)], []),
        };
        assert.deepEqual(await program.run({ x: float32(data, [size, 2]) }), expected);
      }
    });

    test("bools go out as bytes", async () => {
      const program = await engine.compile({ outputs: { isPositive: greater(a, 0) }, updates: {} });
      const result = await program.run({ a: float32([1, -1, 0, 2], [2, 2]) });
      assert.deepEqual(result.isPositive, { dtype: "bool", shape: [2, 2], data: Uint8Array.of(1, 0, 0, 1) });
    });

    test("a state tensor may get another shape", async () => {
      const x = input("x", ["batch"]);
      const program = await engine.compile({ outputs: { negative: neg(x) }, updates: {} });
      for (const data of [[1, 2], [3], [4, 5, 6], [7, 8, 9]]) {
        await engine.write({ x: float32(data) });
        assert.deepEqual((await program.run({})).negative, float32(data.map((v) => -v)));
      }
    });

    test("a program of a closed engine is refused", async () => {
      const program = await engine.compile({ outputs: { total: reduceSum(a) }, updates: {} });
      await program.run(start);
      await engine.close();
      await assert.rejects(program.run(start), isClosedError("an engine"));
      await assert.rejects(engine.read(["a"]), isClosedError("an engine"));
      await engine.close();
      await program.close();
    });

    test("a closed program is refused, after the runs before; the others and what is kept stay", async () => {
      await engine.write(start);
      const [step, total] = [
        await engine.compile(updates({ a: add(a, b) })),
        await engine.compile({ outputs: { total: reduceSum(a) }, updates: {} }),
      ];
      const before = step.run({});
      await Promise.all([step.close(), step.close(), before]);
      await step[Symbol.asyncDispose]();
      await assert.rejects(step.run({}), isClosedError("a program"));
      assert.equal((await total.run({})).total?.data[0], 13.5);
      await using again = await engine.compile(updates({ a: add(a, b) }));
      await again.run({});
      assert.equal((await total.run({})).total?.data[0], 21);
    });

    test("goes on after a run that failed", async () => {
      const program = await engine.compile(updates({ a: add(a, input("by", [2, 2])) }, { total: reduceSum(a) }));
      await engine.write(start);
      await assert.rejects(program.run({ by: float32([1, 2, 3]) }), Error);
      assert.equal((await program.run({ by: float32([1, 1, 1, 1], [2, 2]) })).total?.data[0], 6);
      assert.deepEqual(await engine.read(["a"]), { a: float32([2, -1, 4, 5], [2, 2]) });
    });

    test("a tensor that is neither fed nor kept is named", async () => {
      const program = await engine.compile(updates({ a: add(a, b) }));
      await engine.write({ a: start.a as NamedArrays[string] });
      await assert.rejects(program.run({}), /"b" is neither fed nor kept/);
      await assert.rejects(engine.read(["a", "c"]), /"c" is neither fed nor kept/);
    });

    test("a feed of the wrong shape or dtype is refused", async () => {
      const program = await engine.compile({ outputs: { total: reduceSum(a) }, updates: {} });
      await assert.rejects(program.run({ a: float32([1, 2, 3]) }), /rank|shape|dimension/i);
      await assert.rejects(program.run({ a: int32([1, 2, 3, 4], [2, 2]) }), /data type/i);
    });
  });
}
