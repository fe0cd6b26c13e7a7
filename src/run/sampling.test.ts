import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError } from "../errors.js";
import { checkSampling, chooseUnit, type SamplingOptions } from "./sampling.js";

const probs = [0.1, 0.4, 0.2, 0.3];
const logProbs = Float32Array.from(probs, Math.log);

/** The share of numbers, evenly over [0, 1), by which each unit is chosen. */
function shares(options: SamplingOptions): number[] {
  const n = 10_000;
  const counts = probs.map(() => 0);
  for (let i = 0; i < n; i++) counts[chooseUnit(logProbs, (i + 0.5) / n, options)]! += 1 / n;
  return counts.map((share) => Number(share.toFixed(3)));
}

describe("choosing a unit", () => {
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

  test("of impossible units takes none, however the number falls", () => {
    const some = Float32Array.of(Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY);
    for (const u of [0, 0.5, 1 - 2 ** -24]) assert.equal(chooseUnit(some, u), 1);
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
