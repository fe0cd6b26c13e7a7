import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../src/node/runs/load-config.js";
import { chosenArms } from "../src/study/arms.js";
import type { ArmFigures } from "../src/study/figures.js";
import type { Apart } from "../src/study/outcome.js";
import { ARMS, answersOf, answerText, claims } from "./images-claims.js";

/** Figures of an arm as far as claims read them. */
function figuresOf(arm: string, loss: readonly number[], ratio: ArmFigures["less"] = null): ArmFigures {
  return { arm, seeds: [1, 2, 3], loss, toTarget: { ratio } } as unknown as ArmFigures;
}

const single = figuresOf("single", [0.5, 0.52, 0.51]);
const answerOf = (figures: readonly ArmFigures[], apart: readonly Apart[], of: string, than: string) =>
  answersOf(figures, apart).find((one) => one.of === of && one.lower === "codistilled" && one.than === than);

test("a claim is true or false where the whole interval is on one side, and else not told apart", () => {
  const cases: readonly (readonly [readonly number[], string])[] = [
    [[0.4, 0.421, 0.409], "yes"],
    [[0.6, 0.621, 0.609], "no"],
    [[0.4, 0.7, 0.5], "not told apart"],
  ];
  for (const [loss, expected] of cases) {
    const answer = answerOf([single, figuresOf("codistilled", loss)], [], "test loss", "single");
    assert.equal(answer?.isTrue, expected);
  }
  const ratio = { value: 0.8, low: 0.7, high: 0.9 };
  const faster = answerOf([single, figuresOf("codistilled", [1, 1, 1], ratio)], [], "steps", "single");
  assert.equal(faster?.isTrue, "yes");
  assert.equal(answerOf([single], [], "test loss", "single")?.isTrue, "not measured");
});

test("churn is a ratio over pairs of seeds", () => {
  const pairs = [[1, 2] as const, [1, 3] as const, [2, 3] as const];
  const apart = pairs.flatMap((seeds, i) => [
    { arm: "single", seeds, distance: 0, changed: 0.2 + 0.001 * i },
    { arm: "codistilled", seeds, distance: 0, changed: 0.1 + 0.001 * i },
  ]);
  const answer = answerOf([single, figuresOf("codistilled", [1, 1, 1])], apart, "churn", "single");
  assert.ok(Math.abs((answer?.found?.value ?? 0) - 0.101 / 0.201) < 1e-12);
  assert.equal(answer?.isTrue, "yes");
  assert.match(answer ? answerText(answer) : "", /lower churn than single .*: yes, 0\.50 \(.* of single/);
});

test("the arms of the claims are those of the comparison, and the configuration can be compared by them", async () => {
  for (const { lower, than } of claims) assert.ok(ARMS.includes(lower) && ARMS.includes(than));
  const base = await loadConfig("studies/images.config.ts");
  for (const { options } of chosenArms(ARMS, [], base)) await loadConfig("studies/images.config.ts", options);
});
