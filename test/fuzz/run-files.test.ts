/** The run declaration and the logs: what else a group reads of what others wrote. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStore } from "../../src/checkpoint/store.js";
import { ConfigError } from "../../src/errors.js";
import { eventOf, lastStepOf } from "../../src/node/runs/read-log.js";
import { declarationOf, declareRun } from "../../src/run/declaration.js";
import { tableRunSpec } from "../../src/run/table-spec.js";
import { tinyConfig, tinyPreprocessing } from "../fixtures/tiny-run.js";
import type { Draw } from "./draw.js";
import { editJson } from "./edit-json.js";
import { tally } from "./tally.js";

const own = declarationOf(
  tinyConfig(),
  tableRunSpec(tinyConfig(), { digest: "d".repeat(64), preprocessing: tinyPreprocessing }),
  "a".repeat(64),
);
const events = [
  { time: "2026-01-01T00:00:00.000Z", event: "group-start", group: 0, pid: 1, incarnation: 1, step: 0, numSteps: 9 },
  {
    time: "2026-01-01T00:00:01.000Z",
    event: "step",
    group: 0,
    step: 3,
    labelLoss: 0.5,
    teachers: [{ group: 1, step: 2 }],
  },
  { time: "2026-01-01T00:00:02.000Z", event: "group-end", group: 0, step: 9, reason: "finished" },
];

/** Text with some bytes replaced, perhaps cut, as bytes: it need not be UTF-8 any more. */
function damaged(text: string, draw: Draw): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  for (let left = draw.int(4); left >= 0; left--) bytes[draw.int(bytes.length)] = draw.int(256);
  return draw.int(3) === 0 ? bytes.slice(0, draw.int(bytes.length)) : bytes;
}

test("a run declaration is the own one, or refused with the difference", async (t) => {
  const results = tally("run.json", (error) => error instanceof ConfigError && error.message.length < 4000);
  const declare = async (bytes: Uint8Array) => {
    const store = memoryStore();
    await store.put("run.json", bytes);
    await declareRun(store, own);
    const said = JSON.parse(new TextDecoder().decode(bytes));
    for (const [name, value] of Object.entries(own)) assert.equal(JSON.stringify(said[name]), JSON.stringify(value));
    assert.deepEqual(await store.get("run.json"), bytes);
  };
  await results.run("edited", 3000, "both", (draw) => declare(new TextEncoder().encode(editJson(own, draw))));
  await results.run("damaged bytes", 2000, "some refused", (draw) => declare(damaged(JSON.stringify(own), draw)));
  t.diagnostic(`\n${results.table()}\n`);
});

test("a log gives the lines that are events, and leaves out the others", async (t) => {
  class LeftOut extends Error {}
  const results = tally("log", (error) => error instanceof LeftOut);
  /** The damaged line stands between two whole ones, which must both be there. */
  const readBetween = async (line: string, isOneLine: boolean) => {
    const [before, after] = [JSON.stringify(events[0]), JSON.stringify(events[2])];
    const read = `${before}\n${line}\n${after}\n`.split("\n").flatMap((one) => eventOf(Buffer.from(one)) ?? []);
    assert.deepEqual([read[0], read.at(-1)], [events[0], events[2]]);
    for (const event of read) {
      assert.equal(typeof event.event, "string");
      assert.equal(Object.getPrototypeOf(event), Object.prototype);
    }
    const step = lastStepOf(read);
    assert.ok(Number.isSafeInteger(step) && step >= 0, `the last step is ${step}`);
    if (isOneLine) assert.ok(read.length <= 3);
    if (read.length === 2) throw new LeftOut();
    if (isOneLine) assert.deepEqual(read[1], JSON.parse(line));
  };
  await results.run("edited", 3000, "both", (draw) => readBetween(editJson(draw.pick(events), draw), true));
  await results.run("damaged bytes", 2000, "both", (draw) => {
    const line = new TextDecoder().decode(damaged(JSON.stringify(draw.pick(events)), draw));
    return readBetween(line, !line.includes("\n"));
  });
  t.diagnostic(`\n${results.table()}\n`);
});
