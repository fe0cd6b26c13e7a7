/** Contractions by labels against the sum that they stand for. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { ShapeError } from "../../src/errors.js";
import { gradients } from "../../src/graph/grad.js";
import * as ops from "../../src/graph/ops.js";
import type { Axis } from "../../src/graph/shape.js";
import { isOp, type Tensor, topologicalOrder } from "../../src/graph/tensor.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import type { NdArray } from "../../src/runtime/array.js";
import { rootKey } from "../../src/runtime/random.js";
import { assertClose } from "../fixtures/close.js";
import { real } from "../suites/op-case.js";
import { COTANGENT, checkGradients, cotangentFor, tolerances, weighted } from "./gradcheck.js";
import { interpret, type Values } from "./interpreter.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const NUM_EXAMPLES = 2;

async function check(labels: string, sizes: Readonly<Record<string, Axis>>, scale = 1): Promise<void> {
  const [ofA = "", ofB = "", ofResult = ""] = labels.split(/,|->/);
  const shapeOf = (letters: string) => [...letters].map((letter) => sizes[letter] as Axis);
  const [a, b] = [real(shapeOf(ofA)), real(shapeOf(ofB))];
  const [x, y] = [ops.input("a", a.shape), ops.input("b", b.shape)];
  const feeds = { a: a.values(rootKey(1), NUM_EXAMPLES), b: b.values(rootKey(2), NUM_EXAMPLES) };
  const output = ops.contract(labels, x, y, { scale });
  assert.deepEqual(output.shape, shapeOf(ofResult));
  const expected = summed(labels, feeds.a, feeds.b, scale);
  const graph = { outputs: { output }, updates: {} };
  assertClose(interpret(graph, feeds).outputs.output as Values, expected, 1e-12, labels, 1);
  assertClose(
    (await (await engine.compile(graph)).run(feeds)).output as Values,
    expected,
    tolerances.float32,
    labels,
    1,
  );
  checkGradients(weighted(output), [x, y], { ...feeds, [COTANGENT]: cotangentFor(expected.shape) });
}

/** Every letter takes all its values in turn, and the products are added where the result's letters say. */
function summed(labels: string, a: NdArray, b: NdArray, scale: number): Values {
  const [ofA = "", ofB = "", ofResult = ""] = labels.split(/,|->/);
  const letters = [...new Set(ofA + ofB)];
  const sizeOf = (letter: string) =>
    (ofA.includes(letter) ? a.shape[ofA.indexOf(letter)] : b.shape[ofB.indexOf(letter)]) ?? 0;
  const offset = (own: string, at: ReadonlyMap<string, number>) =>
    [...own].reduce((sum, letter) => sum * sizeOf(letter) + (at.get(letter) ?? 0), 0);
  const shape = [...ofResult].map(sizeOf);
  const data = new Float64Array(shape.reduce((product, size) => product * size, 1));
  const at = new Map<string, number>();
  const walk = (depth: number): void => {
    const letter = letters[depth];
    if (letter === undefined) {
      data[offset(ofResult, at)]! += scale * Number(a.data[offset(ofA, at)]) * Number(b.data[offset(ofB, at)]);
      return;
    }
    for (let i = 0; i < sizeOf(letter); i++) {
      at.set(letter, i);
      walk(depth + 1);
    }
  };
  walk(0);
  return { shape, data };
}

test("contractions of attention, of linear layers and of their weights", async () => {
  const sizes = { b: "batch", h: 2, q: 3, k: 4, d: 5, e: 2, s: 3 } as const;
  await check("bhqd,bhkd->bhqk", sizes, 0.25);
  await check("bhqk,bhkd->bhqd", sizes);
  await check("bqhd,bkhd->bhqk", sizes);
  await check("bhqk,bkhd->bqhd", sizes);
  await check("bsd,de->bse", sizes);
  await check("bsd,ed->bse", sizes);
  await check("bsd,bse->de", sizes);
  await check("de,bsd->bse", sizes);
  await check("b,b->", sizes);
  await check("bd,d->b", sizes);
  await check("bd,->bd", sizes);
  await check("bd,be->", sizes);
  await check("d,e->de", sizes);
  await check("bsd,bsd->bs", sizes);
});

test("contractions by any labels", async () => {
  const term = fc
    .subarray(["i", "j", "k", "l"])
    .chain((letters) => fc.shuffledSubarray(letters, { minLength: letters.length }));
  const sizes = fc.record({
    i: fc.integer({ min: 1, max: 3 }),
    j: fc.integer({ min: 1, max: 3 }),
    k: fc.integer({ min: 1, max: 3 }),
    l: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(term, term, fc.nat(), sizes, async (ofA, ofB, choice, of) => {
      const all = [...new Set([...ofB, ...ofA])];
      const result = all.filter((_, i) => (choice >> i) % 2 === 0);
      await check(`${ofA.join("")},${ofB.join("")}->${result.join("")}`, of);
    }),
    { numRuns: 60 },
  );
});

test("the gradient of a weight that all rows share is one product of two matrices", () => {
  const [x, weight] = [ops.input("x", ["batch", 3, 4]), ops.input("weight", [4, 5])];
  for (const product of [ops.matmul(x, weight), ops.contract("bsd,de->bse", x, weight)]) {
    const [gradient] = gradients(ops.reduceSum(product), [weight]);
    const products = topologicalOrder([gradient as Tensor]).filter(
      (tensor) => isOp(tensor, "matmul") && ops.sameShape(tensor.shape, [4, 5]),
    );
    assert.deepEqual(
      products.map(({ inputs }) => inputs.map(({ shape }) => shape)),
      [
        [
          ["batch*3", 4],
          ["batch*3", 5],
        ],
      ],
    );
  }
});

test("labels that do not fit are refused", () => {
  const [x, y] = [ops.input("x", ["batch", 3]), ops.input("y", [4, 3])];
  const refuses = (labels: string, message: RegExp) =>
    assert.throws(
      () => ops.contract(labels, x, y),
      (error) => error instanceof ShapeError && message.test(error.message),
    );
  refuses("bd,ed", /labels must read as "ij,jk->ik", got "bd,ed"/);
  refuses("bd,dd->b", /a letter may be in each term once, got "d" twice in "bd,dd->b"/);
  refuses("bd,ed->bx", /"x" of the result is in neither operand of "bd,ed->bx"/);
  refuses("bde,ed->b", /"bde" of "bde,ed->b" has 3 letters, got \[batch, 3\]/);
  refuses("bd,de->be", /"d" of "bd,de->be" must have one size, got 3 and 4/);
  refuses("bd,ed->eb", /"batch" must be the leading axis/);
});
