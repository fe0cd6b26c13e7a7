/** Which teachers are left out: those that are sure and wrong, and no honest one. Signs are computed from logits in plain arithmetic. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { QuarantineEvent } from "../log/events.js";
import { float32 } from "../runtime/array.js";
import { fold, normal, rootKey, uniform } from "../runtime/random.js";
import { teacherQuarantine } from "./quarantine.js";

type Logits = readonly (readonly number[])[];
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Softmax of each row. */
function probsOf(logits: Logits): Logits {
  return logits.map((row) => {
    const most = Math.max(...row);
    const powers = row.map((z) => Math.exp(z - most));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  });
}

const lossOf = (logits: Logits, labels: readonly number[]) =>
  mean(probsOf(logits).map((p, i) => -Math.log(Math.max(1e-30, p[labels[i] ?? 0] ?? 0))));
const expectedLossOf = (logits: Logits) =>
  mean(probsOf(logits).map((p) => -p.reduce((sum, value) => sum + value * Math.log(Math.max(1e-30, value)), 0)));

function varianceOf(logits: Logits): number {
  const probs = probsOf(logits);
  const classes = probs[0] ?? [];
  const variances = classes.map((_, k) => {
    const centre = mean(probs.map((p) => p[k] ?? 0));
    return mean(probs.map((p) => ((p[k] ?? 0) - centre) ** 2));
  });
  return variances.reduce((sum, variance) => sum + variance, 0) / (classes.length === 2 ? 2 : 1);
}

function priorLossOf(labels: readonly number[], numClasses: number): number {
  const counts = Array.from({ length: numClasses }, (_, k) => labels.filter((label) => label === k).length);
  const n = labels.length;
  return mean(labels.map((label) => -Math.log((counts[label] ?? 0) / n))) + Math.log(1 + (numClasses - 1) / n) / 2;
}

/** What is to be known of rows: logits of the truth, by which labels are drawn. */
interface World {
  readonly numClasses: number;
  readonly batch: number;
  /** How well classes can be told apart, and how much more frequent each is than the one before. */
  readonly strength: number;
  readonly skew: number;
}

function drawBatch({ numClasses, batch, strength, skew }: World, step: number) {
  const draw = fold(rootKey(7), step);
  const values = normal(fold(draw, "logits"), batch * numClasses);
  const truth = Array.from({ length: batch }, (_, i) =>
    Array.from({ length: numClasses }, (_, k) => strength * (values[i * numClasses + k] ?? 0) - skew * k),
  );
  const chances = uniform(fold(draw, "labels"), batch);
  const labels = probsOf(truth).map((p, i) => {
    let rest = chances[i] ?? 0;
    for (const [k, value] of p.entries()) {
      rest -= value;
      if (rest < 0) return k;
    }
    return numClasses - 1;
  });
  const noise = normal(fold(draw, "noise"), batch * numClasses);
  return { truth, labels, noise };
}

interface Case {
  readonly world: World;
  /** The logits of a teacher, and of the student by default the truth. */
  readonly teacher: (truth: Logits, labels: readonly number[], noise: Float32Array, step: number) => Logits;
  readonly student?: (truth: Logits, labels: readonly number[], step: number) => Logits;
  /** The student's validation loss is that of these logits, on rows that it has not learned from. */
  readonly validated?: (truth: Logits, noise: Float32Array) => Logits;
  readonly isAlike?: boolean;
}

const NUM_STEPS = 120;
/** Before it a student judges nothing but what is absurd. */
const FIRST_STEP = 200;

/** The step at which the teacher is left out for the first time; null when it stays. */
function leftOutAt({ world, teacher, student = (truth) => truth, validated, isAlike = true }: Case): number | null {
  const events: QuarantineEvent[] = [];
  const quarantine = teacherQuarantine(0, (event) => events.push(event), isAlike);
  if (validated) {
    const unseen = Array.from({ length: 100 }, (_, i) => drawBatch(world, 1000 + i));
    quarantine.validated(mean(unseen.map(({ truth, labels, noise }) => lossOf(validated(truth, noise), labels))));
  }
  for (let step = 0; step < NUM_STEPS && events.length === 0; step++) {
    const { truth, labels, noise } = drawBatch(world, step);
    const [own, taught] = [student(truth, labels, step), teacher(truth, labels, noise, step)];
    quarantine.observe(FIRST_STEP + step, [{ group: 1, step, digest: "d", params: { w: float32([1]) } }], {
      labelLoss: lossOf(own, labels),
      distillLoss: 1,
      divergence: 1,
      gradNorm: 1,
      learningRate: 1,
      skipped: null,
      statistics: {
        teachers: [
          {
            loss: lossOf(taught, labels),
            expectedLoss: expectedLossOf(taught),
            variance: varianceOf(taught),
            distance: 0.1,
          },
        ],
        student: { variance: varianceOf(own), priorLoss: priorLossOf(labels, world.numClasses) },
      },
    });
  }
  const [first] = events;
  return first ? first.step - FIRST_STEP : null;
}

const each = (logits: Logits, change: (z: number, k: number, i: number) => number): Logits =>
  logits.map((row, i) => row.map((z, k) => change(z, k, i)));
const worlds = {
  "two classes": { numClasses: 2, batch: 32, strength: 1, skew: 0 },
  "two classes, one of them rare": { numClasses: 2, batch: 64, strength: 1.2, skew: 2.5 },
  "two classes that are hard to tell": { numClasses: 2, batch: 256, strength: 0.5, skew: 1 },
  "ten classes": { numClasses: 10, batch: 32, strength: 1.5, skew: 0.1 },
  "more classes than rows": { numClasses: 50, batch: 32, strength: 2.5, skew: 0.01 },
} as const satisfies Readonly<Record<string, World>>;

for (const [name, world] of Object.entries(worlds)) {
  const { numClasses, strength, skew } = world;
  /** Logits so far known, with errors of a size beside their own; how frequent classes are is known. */
  const known =
    (share: number, error: number) =>
    (truth: Logits, noise: Float32Array): Logits =>
      each(truth, (z, k, i) => share * (z + skew * k) - skew * k + error * strength * (noise[i * numClasses + k] ?? 0));
  const knowing =
    (share: number, error: number): Case["teacher"] =>
    (truth, _, noise) =>
      known(share, error)(truth, noise);

  describe(`of ${name}`, () => {
    const spoilt: Readonly<Record<string, Case["teacher"]>> = {
      "of another sign": (truth) => each(truth, (z) => -z),
      "ten times too sure": (truth, _, noise) => each(known(1, 0.7)(truth, noise), (z) => 10 * z),
      "with the bias of the least frequent class moved": (truth) =>
        each(truth, (z, k) => (k === numClasses - 1 ? z + 8 * strength : z)),
      "of another model": knowing(0, 2),
    };
    for (const [what, teacher] of Object.entries(spoilt)) {
      test(`a teacher ${what} is left out within 40 steps, with a validation and without`, () => {
        for (const validated of [undefined, known(1, 0.1)]) {
          const at = leftOutAt({ world, teacher, ...(validated && { validated }) });
          assert.ok(at !== null && at < 40, String(at));
        }
      });
    }

    test("a teacher a hundredth as sure, or untrained, is left out beside a student that has shown what it learned", () => {
      const hardly: Case["teacher"] = (truth) => each(truth, (z) => z / 100);
      for (const teacher of [hardly, knowing(0, 0.05)]) {
        assert.equal(leftOutAt({ world, teacher }), null);
        assert.notEqual(leftOutAt({ world, teacher, validated: known(1, 0.1) }), null);
      }
    });

    const honest: Readonly<Record<string, Omit<Case, "world">>> = {
      "as good as the student": { teacher: knowing(1, 0.1), validated: known(1, 0.1) },
      "much worse than the student": { teacher: knowing(0.3, 0.1), validated: known(1, 0.1) },
      "much worse than a student that was not validated yet": { teacher: knowing(0.3, 0.1) },
      "untrained, as the student": {
        teacher: knowing(0, 0.1),
        student: (truth) => each(truth, () => 0),
        validated: known(0, 0),
      },
      "some steps behind, from the first one": {
        teacher: (truth, _, __, step) => each(truth, (z) => (z * Math.max(2, step - 30)) / 90),
        student: (truth, _, step) => each(truth, (z) => (z * step) / 90),
      },
      "too sure, as the student is of rows that it does not know by heart": {
        teacher: (truth, _, noise) => each(known(1, 0.5)(truth, noise), (z) => 3 * z),
        student: (truth, labels) => truth.map((row, i) => row.map((_z, k) => (k === labels[i] ? 6 : 0))),
        validated: (truth, noise) => each(known(1, 0.5)(truth, noise), (z) => 3 * z),
      },
    };
    for (const [what, given] of Object.entries(honest)) {
      test(`a teacher ${what} stays`, () => assert.equal(leftOutAt({ world, ...given }), null));
    }
  });
}

test("where groups have data of different kinds, a teacher whose labels are more frequent stays, and an absurd one does not", () => {
  const world = worlds["two classes"];
  const shifted: Case["teacher"] = (truth) => each(truth, (z, k) => (k === 1 ? z + 2 : z));
  assert.equal(leftOutAt({ world, teacher: shifted, isAlike: false }), null);
  assert.notEqual(leftOutAt({ world, teacher: shifted }), null);
  const absurd: Case["teacher"] = (truth) => each(truth, (z) => -20 * z);
  assert.notEqual(leftOutAt({ world, teacher: absurd, isAlike: false }), null);
});
