import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ConfigError } from "../errors.js";
import { checkSampling, chooseToken, type SamplingOptions } from "./sampling.js";

const probs = [0.1, 0.4, 0.2, 0.3];
const logProbs = Float32Array.from(probs, Math.log);

/** The share of numbers, evenly over [0, 1), by which each token is chosen. */
function shares(options: SamplingOptions): number[] {
  const n = 10_000;
  const counts = probs.map(() => 0);
  for (let i = 0; i < n; i++) counts[chooseToken(logProbs, (i + 0.5) / n, options)]! += 1 / n;
  return counts.map((share) => Number(share.toFixed(3)));
}

/** The rule as it reads: all in order, the most probable of them, their nucleus, and the one that u falls on. */
function inOrderFirst(logProbs: readonly number[], u: number, options: SamplingOptions): number {
  const { temperature = 1, topK = logProbs.length, topP = 1 } = options;
  const order = [...logProbs.keys()].sort((a, b) => (logProbs[b] ?? 0) - (logProbs[a] ?? 0) || a - b);
  const best = order[0] as number;
  if (temperature === 0) return best;
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const weights = order
    .slice(0, topK)
    .map((token) => Math.exp(((logProbs[token] ?? 0) - (logProbs[best] ?? 0)) / temperature));
  const isEnough = (n: number) => topP < 1 && sum(weights.slice(0, n)) >= topP * sum(weights);
  const numKept = weights.findIndex((_, i) => isEnough(i + 1)) + 1 || weights.length;
  const nucleus = weights.slice(0, numKept);
  const place = nucleus.findIndex((_, i) => u * sum(nucleus) < sum(nucleus.slice(0, i + 1)));
  return order[place < 0 ? numKept - 1 : place] as number;
}

describe("choosing a token", () => {
  const cases: readonly (readonly [string, SamplingOptions, readonly number[]])[] = [
    ["is by its probability", {}, probs],
    ["at temperature 0 is the most probable", { temperature: 0 }, [0, 1, 0, 0]],
    // Squares of the probabilities: 1, 16, 4, 9 of 30.
    ["at temperature 1/2 is by the squares", { temperature: 0.5 }, [0.033, 0.533, 0.133, 0.3]],
    ["of the top 2 is by what they have of both", { topK: 2 }, [0, 0.571, 0, 0.429]],
    ["of a nucleus of 0.6 is of two, which have 0.7", { topP: 0.6 }, [0, 0.571, 0, 0.429]],
    ["of a nucleus of 0.75 is of three", { topP: 0.75 }, [0, 0.444, 0.222, 0.333]],
    ["of a nucleus smaller than the most probable is that one", { topP: 0.01 }, [0, 1, 0, 0]],
    ["of more than there are is of all", { topK: 9 }, probs],
  ];
  for (const [name, options, expected] of cases) test(name, () => assert.deepEqual(shares(options), expected));

  test("is that of putting all tokens in order first", () => {
    const whole = fc.record({
      // Few different values, so that many are equal.
      logProbs: fc.array(fc.integer({ min: -8, max: 0 }), { minLength: 1, maxLength: 40 }),
      u: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      temperature: fc.constantFrom(0, 0.5, 1, 2),
      topK: fc.option(fc.integer({ min: 1, max: 45 }), { nil: undefined }),
      topP: fc.constantFrom(0.01, 0.3, 0.9, 0.999, 1),
    });
    fc.assert(
      fc.property(whole, ({ logProbs: values, u, topK, ...options }) => {
        const given = { ...options, ...(topK && { topK }) };
        assert.equal(chooseToken(Float32Array.from(values), u, given), inOrderFirst(values, u, given));
      }),
    );
  });

  test("of impossible tokens takes none, however the number falls", () => {
    const some = Float32Array.of(Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY);
    for (const u of [0, 0.5, 1 - 2 ** -24]) assert.equal(chooseToken(some, u), 1);
  });

  for (const options of [
    { temperature: -1 },
    { temperature: Number.NaN },
    { topK: 0 },
    { topK: 1.5 },
    { topP: 0 },
    { topP: 1.1 },
  ]) {
    test(`refuses ${JSON.stringify(options)}`, () => assert.throws(() => checkSampling(options), ConfigError));
  }
});
