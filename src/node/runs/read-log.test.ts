import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { LoggedEvent } from "../../log/events.js";
import { logFollower } from "./follow.js";
import { logWriter } from "./log.js";
import { eventOf, lastStepOf, readEvents } from "./read-log.js";

const root = mkdtempSync(join(tmpdir(), "codistill-read-log-"));
after(() => rmSync(root, { recursive: true }));

const parseLines = (text: string): LoggedEvent[] =>
  text.split("\n").flatMap((line) => eventOf(Buffer.from(line)) ?? []);

test("lines that are no events are left out", () => {
  const lines = [
    '{"time":"t","event":"step","step":3}',
    "",
    "null",
    "5",
    "[]",
    '{"time":"t","event":5}',
    '{"event":"step"}',
  ];
  lines.push('{"time":5,"event":"step"}', '{"time":"t","event":"st', '{"time":"t","event":"new"}');
  lines.push(`{"time":"t","event":"step","step":${"[".repeat(5000)}${"]".repeat(5000)}}`);
  assert.deepEqual(parseLines(lines.join("\n")), [
    { time: "t", event: "step", step: 3 },
    { time: "t", event: "new" },
  ]);
});

test("an event without a step does not hide the last one that has it", () => {
  const stepLine = (step: string) => `{"time":"t","event":"step","step":${step}}`;
  const whole = '{"time":"t","event":"group-start","step":2}\n{"time":"t","event":"step","step":4}\n';
  for (const step of ["null", "-1", "1.5", '"7"', "[9]", "1e999"]) {
    assert.equal(lastStepOf(parseLines(whole + stepLine(step))), 4, step);
  }
  for (const text of [whole, ""]) {
    assert.equal(lastStepOf(parseLines(`${text}{"time":"t","event":"step"}`)), text === "" ? 0 : 4);
  }
});

test("events are chosen by name, however their lines are written, and from a byte on", () => {
  const path = join(root, "names.jsonl");
  const lines = [
    '{"time":"t","version":2,"event":"step","step":1}',
    '{"time":"t","event":"step","step":2}',
    '{"time":"t","event":"group-start","step":3,"message":"\\"event\\":\\"step\\""}',
    '{ "event": "step", "time": "t", "step": 4 }',
  ];
  writeFileSync(path, lines.join("\n"));
  const steps = (from?: number) => Array.from(readEvents(path, ["step"], from), ({ step }) => step);
  assert.deepEqual(steps(), [1, 2, 4]);
  assert.deepEqual(steps(`${lines[0]}\n`.length), [2, 4]);
});

/** More than any string can have. */
const HUGE = 600 << 20;

test("a line longer than any string is left out and told of, by those that read and by those that follow", () => {
  const run = join(root, "run");
  mkdirSync(run);
  const path = join(run, "log.jsonl");
  logWriter(path)({ event: "stage", stage: "before" });
  // The file system holds no block for the zeros.
  truncateSync(path, HUGE);
  logWriter(path)({ event: "stage", stage: "after" });
  for (const events of [[...readEvents(path)], [...logFollower(run)()]]) {
    const [before, trouble, after, ...more] = events;
    assert.ok(before?.event === "stage" && before.stage === "before");
    assert.ok(trouble?.event === "log-trouble" && trouble.numLost === 1);
    assert.match(trouble.message, /^a line must have at most 1\.0 MB and had 629\.1 MB; it is left out$/);
    assert.ok(after?.event === "stage" && after.stage === "after");
    assert.deepEqual(more, []);
  }
  assert.equal([...readEvents(path, ["stage"])].length, 2);
});

test("a follower that begins at the end tells of nothing that is there by then", () => {
  const run = join(root, "later");
  mkdirSync(run);
  const path = join(run, "log.jsonl");
  logWriter(path)({ event: "stage", stage: "before" });
  appendFileSync(path, '{"time":"t","event":"st');
  const follow = logFollower(run, "end");
  assert.deepEqual([...follow()], []);
  logWriter(path)({ event: "stage", stage: "after" });
  assert.deepEqual(
    Array.from(follow(), (event) => event.event === "stage" && event.stage),
    ["after"],
  );
});

test("texts of an event are cut where they would make a line too long", () => {
  const path = join(root, "long.jsonl");
  const digests = Array.from({ length: 1500 }, (_, group) => ({
    group,
    step: 1,
    digest: "d".repeat(64),
    seenAtStep: 1,
  }));
  logWriter(path)({ event: "teachers", group: 0, step: 1, teachers: digests });
  logWriter(path)({ event: "group-end", group: 0, step: 1, reason: "failed", message: "x".repeat(10e6), seconds: 0 });
  const [teachers, end] = readEvents(path);
  assert.ok(teachers?.event === "teachers");
  assert.deepEqual(teachers.teachers, digests);
  assert.ok(end?.event === "group-end");
  assert.equal(end.message, `${"x".repeat(2000)}... (9998000 more characters)`);
});
