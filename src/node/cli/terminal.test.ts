import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, test } from "node:test";
import { showProgress } from "./terminal.js";

const root = mkdtempSync(join(tmpdir(), "codistill-terminal-"));
after(() => rmSync(root, { recursive: true }));

test("events that lack what their kind has are not shown, and hide no other", async () => {
  mkdirSync(join(root, "group-0"));
  const out = new PassThrough();
  const progress = await showProgress(root, out as unknown as NodeJS.WriteStream);
  const step = { step: 10, stepsPerSecond: 5, labelLoss: 0.25, distillLoss: null, teachers: [] };
  const events = [
    { event: "run-start", name: 5 },
    { event: "step" },
    { event: "validation", group: 0 },
    { event: "group-start", group: 0, step: 0, numSteps: 20 },
    { event: "step", group: 0, ...step },
    { event: "step", group: 0, ...step, step: "x", labelLoss: "y" },
  ];
  const lines = events.map((event) => `${JSON.stringify({ time: "t", ...event })}\n`);
  writeFileSync(join(root, "group-0", "log.jsonl"), lines.join(""));
  progress.close();
  assert.match(String(out.read()), /group 0 +10\/20 .*label 0\.2500/);
});
