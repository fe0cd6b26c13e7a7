import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { logWriter } from "./log.js";
import { readLog } from "./read-log.js";

function logPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "log-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "log.jsonl");
}

const stage = (number: number) => ({ event: "stage", stage: String(number) }) as const;
const stagesIn = (path: string) =>
  readLog(path).map((event) => (event.event === "stage" ? Number(event.stage) : event));

test("events wait while the log cannot be written, and come in order when it can", (t) => {
  const path = logPath(t);
  const log = logWriter(path);
  mkdirSync(path); // nothing can be appended to a folder
  log(stage(1));
  log(stage(2));
  rmdirSync(path);
  log(stage(3));
  log(stage(4));
  const [first, second, third, trouble, fourth] = stagesIn(path);
  assert.deepEqual([first, second, third, fourth], [1, 2, 3, 4]);
  assert.ok(typeof trouble === "object" && trouble.event === "log-trouble");
  assert.equal(trouble.numLost, 0);
  assert.match(trouble.message, /it is a folder/);
});

test("of very many that wait the oldest are lost, and counted", (t) => {
  const path = logPath(t);
  const log = logWriter(path);
  mkdirSync(path);
  for (let number = 0; number < 6000; number++) log(stage(number));
  rmdirSync(path);
  log(stage(6000));
  const events = stagesIn(path);
  const trouble = events.pop();
  assert.deepEqual(
    events,
    Array.from({ length: 5001 }, (_, index) => 1000 + index),
  );
  assert.ok(typeof trouble === "object" && trouble.event === "log-trouble" && trouble.numLost === 1000);
});

test("a part of a line that was left behind swallows no event", (t) => {
  const path = logPath(t);
  writeFileSync(path, "");
  logWriter(path)(stage(1));
  appendFileSync(path, '{"event":"sta');
  logWriter(path)(stage(2));
  assert.deepEqual(stagesIn(path), [1, 2]);
  assert.match(readFileSync(path, "utf8"), /"sta\n/);
});
