import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { QuarantineEvent } from "../log/events.js";
import { float32 } from "../runtime/array.js";
import type { StepMetrics } from "../train/student.js";
import type { TeacherStatistics } from "../train/teacher-statistics.js";
import { teacherQuarantine } from "./quarantine.js";

const teacher = (digest: string, group = 1) => ({ group, step: 5, digest, params: { w: float32([1]) } });
const well: TeacherStatistics = { loss: 0.6, expectedLoss: 0.58, variance: 0.01, distance: 0.1 };

function metricsOf(teachers: readonly TeacherStatistics[], labelLoss = 0.5, priorLoss = 0.69): StepMetrics {
  return {
    labelLoss,
    distillLoss: 0.5,
    divergence: 0.1,
    gradNorm: 1,
    learningRate: 0.1,
    skipped: null,
    statistics: { teachers, student: { variance: 0.02, priorLoss } },
  };
}

/** A quarantine, and its events as short lines. */
function watched() {
  const told: string[] = [];
  const quarantine = teacherQuarantine(0, (event: QuarantineEvent) =>
    told.push(
      event.event === "teacher-returned"
        ? `${event.from} back at ${event.step}`
        : `${event.from} out until ${event.untilStep}: ${event.reason}`,
    ),
  );
  return { ...quarantine, told };
}

describe("a teacher is left out", () => {
  for (const [name, statistics, reason] of [
    ["a loss that is not finite", { ...well, loss: Number.POSITIVE_INFINITY }, /not finite/],
    ["predictions that are not finite", { ...well, variance: Number.NaN }, /not finite/],
    [
      "predictions that are constant",
      { ...well, variance: 1e-11 },
      /constant \(variance 1\.0e-11, the student's 2\.0e-2\)/,
    ],
  ] as const) {
    test(`at once for ${name}`, () => {
      const { admits, observe, told } = watched();
      observe(10, [teacher("a")], metricsOf([statistics]));
      assert.match(told[0] ?? "", reason);
      assert.equal(admits(teacher("a"), 11), false);
    });
  }

  test("for absurd predictions, over twenty steps and no fewer", () => {
    const { observe, told } = watched();
    // 3 x 0.69 + 0.1 = 2.17
    for (let step = 0; step < 19; step++) observe(step, [teacher("a")], metricsOf([{ ...well, loss: 2.18 }]));
    assert.deepEqual(told, []);
    observe(19, [teacher("a")], metricsOf([{ ...well, loss: 2.18 }]));
    assert.deepEqual(told, [
      "1 out until 119: its predictions are absurd (label loss 2.1800 over 20 steps, at most 2.1700)",
    ]);
  });

  test("and the others stay", () => {
    const { admits, observe, told } = watched();
    observe(3, [teacher("a", 1), teacher("b", 2)], metricsOf([well, { ...well, variance: 0 }]));
    assert.equal(told.length, 1);
    assert.deepEqual([admits(teacher("a", 1), 4), admits(teacher("b", 2), 4)], [true, false]);
  });
});

describe("a teacher stays", () => {
  const cases = {
    "that is worse than guessing, as the untrained are": metricsOf([{ ...well, loss: 2.16 }]),
    "that is worse than a student which knows its own data by heart": metricsOf([{ ...well, loss: 0.65 }], 0.01),
    "that is as bad as a bad student": metricsOf([{ ...well, loss: 4 }], 3),
    "whose predictions are as constant as the student's": {
      ...metricsOf([{ ...well, variance: 0 }]),
      statistics: { teachers: [{ ...well, variance: 0 }], student: { variance: 0, priorLoss: 0.69 } },
    },
  };
  for (const [name, metrics] of Object.entries(cases)) {
    test(name, () => {
      const { observe, told } = watched();
      for (let step = 0; step < 100; step++) observe(step, [teacher("a")], metrics);
      assert.deepEqual(told, []);
    });
  }
});

test("it comes back with another snapshot, not earlier than told, and each relapse doubles the time", () => {
  const { admits, observe, told } = watched();
  const unhealthy = metricsOf([{ ...well, variance: 0 }]);
  observe(0, [teacher("a")], unhealthy);
  assert.deepEqual(
    [admits(teacher("a"), 500), admits(teacher("b"), 99), admits(teacher("b"), 100)],
    [false, false, true],
  );
  observe(100, [teacher("b")], unhealthy);
  assert.deepEqual([admits(teacher("c"), 299), admits(teacher("c"), 300)], [false, true]);
  for (let step = 300; step < 800; step++) observe(step, [teacher("c")], metricsOf([well]));
  observe(800, [teacher("c")], unhealthy);
  assert.deepEqual(
    told.map((line) => line.split(":")[0]),
    ["1 out until 100", "1 back at 100", "1 out until 300", "1 back at 300", "1 out until 900"],
  );
});
