import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { assertClose } from "../../test/fixtures/close.js";
import { readGolden, resultOf } from "../../test/golden/golden.js";
import { type LossResult, lossCases } from "../../test/golden/losses.js";
import { checkGradients, tolerances } from "../../test/numerics/gradcheck.js";
import { interpret, type Values } from "../../test/numerics/interpreter.js";
import { gradients } from "../graph/grad.js";
import type { Graph } from "../graph/graph.js";
import { input } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { float32, type NamedArrays } from "../runtime/array.js";
import { binary } from "./losses.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const logits = input("logits", ["batch"]);
const targets = input("targets", ["batch"]);
const loss = binary.distillLoss(logits, targets);
const graph: Graph = {
  outputs: {
    loss,
    gradient: gradients(loss, [logits])[0] as Tensor,
    probs: binary.probs(logits),
    entropy: binary.entropy(targets),
  },
  updates: {},
};
const program = await engine.compile(graph);

const feedsOf = (z: readonly number[], t: readonly number[]): NamedArrays => ({
  logits: float32(z),
  targets: float32(t),
});
const vector = (data: readonly number[]): Values => ({ shape: [data.length], data });
const number = (value: number): Values => ({ shape: [], data: [value] });

describe("PyTorch gives the same losses, gradients, probabilities and entropies", () => {
  const golden = readGolden<LossResult>("losses");
  for (const [name, { logits: z, targets: t }] of Object.entries(lossCases)) {
    const check = (actual: Readonly<Record<string, Values>>, tolerance: number) => {
      const expected = resultOf(golden, name);
      assertClose(actual.loss as Values, number(expected.loss), tolerance, "loss", 1);
      assertClose(actual.gradient as Values, vector(expected.gradient), tolerance, "gradient");
      assertClose(actual.probs as Values, vector(expected.probs), tolerance, "probs");
      // The least float32 in place of 0 log 0 costs nothing that shows.
      assertClose(actual.entropy as Values, number(expected.entropy), tolerance, "entropy", 1);
    };
    test(`${name}, in the interpreter`, () => check(interpret(graph, feedsOf(z, t)).outputs, 1e-10));
    test(`${name}, in the engine`, async () => check(await program.run(feedsOf(z, t)), tolerances.float32));
  }
});

const finite = { noNaN: true, noDefaultInfinity: true };
const logitsAndTargets = (most: number) =>
  fc.array(fc.tuple(fc.float({ min: -most, max: most, ...finite }), fc.float({ min: 0, max: 1, ...finite })), {
    minLength: 1,
    maxLength: 8,
  });

test("the loss is -t log p - (1 - t) log(1 - p), its gradient (p - t) / batch, and central differences agree", () => {
  fc.assert(
    fc.property(logitsAndTargets(8), (pairs) => {
      const z = pairs.map(([logit]) => logit);
      const t = pairs.map(([, target]) => target);
      const p = z.map((logit) => 1 / (1 + Math.exp(-logit)));
      const q = z.map((logit) => 1 / (1 + Math.exp(logit)));
      const terms = pairs.map(([, target], i) => -target * Math.log(p[i] ?? 0) - (1 - target) * Math.log(q[i] ?? 0));
      const mean = terms.reduce((sum, term) => sum + term, 0) / pairs.length;
      const { outputs } = interpret(graph, feedsOf(z, t));
      assertClose(outputs.loss as Values, number(mean), 1e-10, "loss", 1);
      const expected = p.map((prob, i) => (prob - (t[i] ?? 0)) / pairs.length);
      assertClose(outputs.gradient as Values, vector(expected), 1e-10, "gradient", 1);
      checkGradients(loss, [logits, targets], feedsOf(z, t));
    }),
  );
});

test("the entropy is -p log p - (1 - p) log(1 - p), 0 for certainty and log 2 at most", async () => {
  const entropyOf = async (t: readonly number[]) => (await program.run(feedsOf(t, t))).entropy?.data[0];
  assert.ok(Math.abs(Number(await entropyOf([0, 1, 1, 0]))) === 0);
  assert.ok(Math.abs(Number(await entropyOf([0.5])) - Math.LN2) < 1e-7);
  assert.ok(Math.abs(Number(await entropyOf([0.25, 0])) - (0.25 * Math.log(4) - 0.75 * Math.log(0.75)) / 2) < 1e-7);
});

test("targets that are the predictions give a loss equal to their entropy, and no gradient", async () => {
  await fc.assert(
    fc.asyncProperty(logitsAndTargets(12), async (pairs) => {
      const z = pairs.map(([logit]) => Math.fround(logit));
      const { probs } = await program.run(feedsOf(z, z));
      const own = await program.run({ logits: float32(z), targets: probs as NamedArrays[string] });
      assertClose(own.loss as Values, own.entropy as Values, 1e-5, "loss", 1);
      assertClose(own.gradient as Values, vector(z.map(() => 0)), 1e-7, "gradient", 1);
    }),
    { numRuns: 50 },
  );
});

test("extreme logits give finite losses and gradients in float32", async () => {
  for (const z of [100, -100, 1e4, -1e4, 3e38, -3e38]) {
    for (const t of [0, 0.25, 1]) {
      const { loss, gradient, probs, entropy } = await program.run(feedsOf([z], [t]));
      const p = z > 0 ? 1 : 0;
      assertClose(probs as Values, vector([p]), 1e-7, `probs of ${z}`, 1);
      assertClose(gradient as Values, vector([p - t]), 1e-6, `gradient of ${z} for ${t}`, 1);
      assertClose(loss as Values, number(Math.max(z, 0) - t * z), 1e-6, `loss of ${z} for ${t}`, 1e-30);
      assert.ok(Number.isFinite(entropy?.data[0]));
    }
  }
});

test("labels and teachers are met by the same formula", () => {
  assert.equal(binary.labelLoss, binary.distillLoss);
});
