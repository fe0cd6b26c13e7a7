/** Outcomes from logs as they are written, also by runs that were stopped, or whose numbers were not finite. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runFolder } from "../runs/run-folder.js";
import { curveOf, outcomeOf, secondsOfRun } from "./outcome.js";

const root = mkdtempSync(join(tmpdir(), "codistill-outcome-"));
after(() => rmSync(root, { recursive: true, force: true }));

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + 1000 * seconds).toISOString();
const lines = (events: readonly object[]) => events.map((event) => `${JSON.stringify(event)}\n`).join("");
const step = (number: number, stepsPerSecond: number, time: number) => ({
  event: "step",
  group: 0,
  step: number,
  stepsPerSecond,
  time: at(time),
});
const validation = (number: number, loss: number | null, time: number) => ({
  event: "validation",
  group: 0,
  step: number,
  loss,
  time: at(time),
});

const folder = runFolder(join(root, "run"));
mkdirSync(folder.group(0).path, { recursive: true });
writeFileSync(
  folder.log,
  lines([
    { event: "run-start", time: at(0) },
    { event: "run-start", time: at(1000) },
    { event: "result", time: at(1009) },
  ]),
);
writeFileSync(
  folder.group(0).log,
  lines([
    step(10, 5, 3),
    step(20, 5, 5),
    validation(20, 3, 5),
    step(30, 10, 6),
    // Killed here, and gone on with from step 20 a quarter of an hour later.
    step(30, 2, 1004),
    step(40, 10, 1005),
    validation(40, null, 1005),
  ]),
);

test("steps that were taken again count once, and what lies between two starts does not", () => {
  assert.deepEqual(curveOf(folder.group(0).log), [
    { step: 20, loss: 3, seconds: 4 },
    // 4 seconds, then 5 of ten steps at two a second, then 1.
    { step: 40, loss: Number.NaN, seconds: 10 },
  ]);
  assert.equal(secondsOfRun(folder.path, [0]), 6 + 9);
});

test("a loss that is not finite stays one", () => {
  const group = { group: 0, step: 20, validationLoss: 3, testLoss: null, stepsPerSecond: 1, ended: "finished" };
  const result = {
    version: 2,
    lossName: "log loss",
    groups: [{ ...group, bytesPublished: 2, bytesFetched: 3 }],
    shippedGroup: 0,
    testRows: 5,
  };
  writeFileSync(folder.result, JSON.stringify(result));
  assert.equal(outcomeOf("single", 1, folder.path).taught, undefined);
  const { test: tested, meanTestLoss, bytes, step: best } = outcomeOf("single", 1, folder.path);
  assert.deepEqual([tested, meanTestLoss, bytes, best], [{ testLoss: Number.NaN }, Number.NaN, 5, 20]);
});

test("an outcome says from which step on each group had how many teachers, over restarts", () => {
  const run = runFolder(join(root, "codistilled"));
  const group = (number: number) => ({ group: number, step: 90, validationLoss: 3, testLoss: 3, ended: "finished" });
  const bytes = { bytesPublished: 0, bytesFetched: 0, stepsPerSecond: 1 };
  const groups = [0, 1].map((number) => ({ ...group(number), ...bytes }));
  mkdirSync(run.path);
  writeFileSync(run.result, JSON.stringify({ version: 2, lossName: "log loss", groups, shippedGroup: 0, testRows: 5 }));
  writeFileSync(run.log, "");
  const teachers = (number: number, from: number, steps: readonly number[]) => ({
    ...{ event: "teachers", group: number, step: from, time: at(0) },
    teachers: steps.map((taught) => ({ group: 1 - number, step: taught, digest: "d", seenAtStep: taught })),
  });
  const events = [
    [
      teachers(0, 50, []),
      teachers(0, 60, [55]),
      teachers(0, 70, [65]),
      { event: "checkpoint", group: 0, step: 70, path: "p", time: at(0) },
      teachers(0, 72, []),
      // Killed here, and gone on with from the checkpoint.
      { event: "group-start", group: 0, step: 70, time: at(0) },
      teachers(0, 80, []),
    ],
    [teachers(1, 50, [])],
  ];
  for (const [number, own] of events.entries()) {
    mkdirSync(run.group(number).path, { recursive: true });
    writeFileSync(run.group(number).log, lines(own));
  }
  const steps = outcomeOf("codistilled", 1, run.path).taught;
  assert.deepEqual(steps, [
    [
      { step: 50, numTeachers: 0 },
      { step: 60, numTeachers: 1 },
      { step: 80, numTeachers: 0 },
    ],
    [{ step: 50, numTeachers: 0 }],
  ]);
});
