import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { LoggedEvent } from "../../log/events.js";
import { logFollower } from "./follow.js";
import { logWriter } from "./log.js";
import { eventOf, readLog } from "./read-log.js";
import { runFolder } from "./run-folder.js";

let root = "";
let folders = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), "codistill-follow-"));
});
after(() => rm(root, { recursive: true, force: true }));

/** A new run folder with one group's folder in it. */
async function newRun(): Promise<ReturnType<typeof runFolder>> {
  const run = runFolder(join(root, `run-${folders++}`));
  await mkdir(run.group(0).path, { recursive: true });
  return run;
}

const line = (step: number, message = "") =>
  `${JSON.stringify({ time: "t", event: "exchange-trouble", group: 0, doing: "fetch", from: step, message })}\n`;
const parseLines = (text: string) => text.split("\n").flatMap((one) => eventOf(Buffer.from(one)) ?? []);
const following = (path: string) => {
  const follow = logFollower(path);
  return () => [...follow()];
};
const stepsOf = (events: readonly LoggedEvent[]) => events.map((event) => ("from" in event ? event.from : event.event));

describe("a log follower", () => {
  test("tells what was added since it was last asked", async () => {
    const run = await newRun();
    const follow = following(run.path);
    assert.deepEqual(follow(), []);
    await appendFile(run.log, line(1) + line(2));
    assert.deepEqual(stepsOf(follow()), [1, 2]);
    assert.deepEqual(follow(), []);
    await appendFile(run.log, line(3));
    assert.deepEqual(stepsOf(follow()), [3]);
    assert.deepEqual(follow(), []);
  });

  test("waits for the end of a line that is being written", async () => {
    const run = await newRun();
    const follow = following(run.path);
    const text = line(1) + line(2);
    for (let at = 0; at < text.length; at++) {
      await appendFile(run.log, text.slice(at, at + 1));
      const expected = at === line(1).length - 1 ? [1] : at === text.length - 1 ? [2] : [];
      assert.deepEqual(stepsOf(follow()), expected, `after character ${at}`);
    }
  });

  test("reads letters of several bytes whole, wherever a write stopped", async () => {
    const run = await newRun();
    const follow = following(run.path);
    const bytes = Buffer.from(line(1, "Zürich, 東京, 🙂"));
    const events: LoggedEvent[] = [];
    for (const byte of bytes) {
      await appendFile(run.log, Uint8Array.of(byte));
      events.push(...follow());
    }
    assert.deepEqual(events, parseLines(bytes.toString("utf8")));
    assert.equal(events.length, 1);
  });

  test("reads a log of many times its buffer, letters across the bounds whole", async () => {
    const run = await newRun();
    const lines = Array.from({ length: 4000 }, (_, i) => line(i, "é".repeat(i % 50)));
    await writeFile(run.log, lines.join(""));
    assert.deepEqual(following(run.path)(), parseLines(lines.join("")));
  });

  test("leaves out lines that are no events and goes on after them", async () => {
    const run = await newRun();
    const follow = following(run.path);
    await appendFile(
      run.log,
      `${line(1)}not JSON\n\n{"event":5}\nnull\n7\n{"time":"t","event":"from the future","x":1}\n${line(2)}`,
    );
    assert.deepEqual(stepsOf(follow()), [1, "from the future", 2]);
  });

  test("finds a run folder, a group and a log that appear later", async () => {
    const run = runFolder(join(root, "later"));
    const follow = following(run.path);
    assert.deepEqual(follow(), []);
    await mkdir(run.group(10).path, { recursive: true });
    await mkdir(run.group(2).path, { recursive: true });
    assert.deepEqual(follow(), []);
    await appendFile(run.group(2).log, line(1));
    assert.deepEqual(stepsOf(follow()), [1]);
    await appendFile(run.log, line(2));
    await appendFile(run.group(10).log, line(3));
    await appendFile(run.group(2).log, line(4));
    assert.deepEqual(new Set(stepsOf(follow())), new Set([2, 3, 4]));
  });

  test("reads the logs of the run and its groups and no other files", async () => {
    const run = await newRun();
    for (const name of ["group-x", "group-1-old", "store"]) {
      await mkdir(join(run.path, name));
      await writeFile(join(run.path, name, "log.jsonl"), line(9));
    }
    await writeFile(join(run.path, "other.jsonl"), line(9));
    assert.deepEqual(following(run.path)(), []);
  });
});

describe("a log", () => {
  test("is read as it was written, with the time of day", async () => {
    const run = await newRun();
    assert.deepEqual(readLog(run.log), []);
    const write = logWriter(run.log);
    write({ event: "stage", stage: "first\nsecond" });
    write({ event: "group-end", group: 1, step: 5, reason: "failed", message: "Zürich", seconds: 1.5 });
    const [first, second, ...more] = readLog(run.log);
    assert.deepEqual(more, []);
    assert.deepEqual({ ...first, time: "" }, { time: "", version: 2, event: "stage", stage: "first\nsecond" });
    assert.ok(second?.version === undefined && second?.event === "group-end" && second.message === "Zürich");
    assert.equal(new Date(second.time).toISOString(), second.time);
    assert.deepEqual(following(run.path)(), [first, second]);
  });

  test("whose last line was torn is read up to there", async () => {
    const run = await newRun();
    await writeFile(run.log, line(1) + line(2).slice(0, 30));
    assert.deepEqual(stepsOf(readLog(run.log)), [1]);
    assert.deepEqual(stepsOf(following(run.path)()), [1]);
  });
});
