import assert from "node:assert/strict";
import { test } from "node:test";
import { lastStepOf, parseLines } from "./read-log.js";

test("lines that are no events are left out", () => {
  const lines = ['{"event":"step","step":3}', "", "null", "5", "[]", '{"event":5}', '{"event":"st', '{"event":"new"}'];
  lines.push(`{"event":"step","step":${"[".repeat(5000)}${"]".repeat(5000)}}`);
  assert.deepEqual(parseLines(lines.join("\n")), [{ event: "step", step: 3 }, { event: "new" }]);
});

test("an event without a step does not hide the last one that has it", () => {
  const steps = ["null", "-1", "1.5", '"7"', "[9]", "1e999"].map((step) => `{"event":"step","step":${step}}`);
  const whole = '{"event":"group-start","step":2}\n{"event":"step","step":4}\n';
  for (const line of [...steps, '{"event":"step"}']) assert.equal(lastStepOf(parseLines(whole + line)), 4, line);
  assert.equal(lastStepOf(parseLines('{"event":"step"}')), 0);
});
