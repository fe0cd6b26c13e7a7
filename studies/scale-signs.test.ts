import assert from "node:assert/strict";
import { test } from "node:test";
import type { ScaleFigures, SecondGroup } from "../src/study/scale/figures.js";
import { type Kept, signLines } from "./scale-signs.js";

const ends = (value: number, half: number) => ({ value, low: value - half, high: value + half });
function kept(name: string, ensemble: number, pair: number | null, half = 0.001): Kept {
  const secondGroup: SecondGroup = {
    ...{ workers: 4, numSteps: 100, numSeeds: 3, lossName: "log loss", notes: [] },
    ensembleLessTwice: ends(ensemble, half),
    codistilledLessTwice: pair === null ? null : ends(pair, half),
    codistilledLessSingle: null,
  };
  const limit = { workers: null, next: null, ratio: null };
  const figures: ScaleFigures = { target: 1, all: [], limit, critical: null, noise: [], times: null, secondGroup };
  return { name, what: "", date: "", advice: [], figures };
}

test("signs are counted over what was checked, and over what seeds tell apart", () => {
  const lines = signLines([
    kept("a", -0.1, -0.05),
    kept("b", 0.1, 0.05),
    kept("c", 0.1, -0.05),
    kept("d", 0.1, 0.05, 0.5),
    kept("e", 0.1, null),
  ]).join("\n");
  assert.match(lines, /right on 3 of 4 problems; where both intervals leave 0 out, on 2 of 3\./);
  assert.match(lines, /\| c \| .* \| wrong \|/);
  assert.match(lines, /\| d \| .* \| right, not told apart \|/);
});

test("ends that a file has not are no interval", () => {
  const one = kept("a", -0.1, -0.05, Number.NaN);
  const read: Kept = JSON.parse(JSON.stringify(one));
  assert.match(signLines([read]).join("\n"), /\| -0\.1000 \| -0\.0500 \| {2}\| right, not told apart \|/);
});
