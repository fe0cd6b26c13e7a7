/** Deaths, many of them inside a checkpoint write or a publication, and one replay without any. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { RunFolder } from "../../src/node/runs/run-folder.js";
import { fold, rootKey, uniform } from "../../src/runtime/random.js";
import { isFull } from "../fixtures/full.js";
import { type Fault, withFault } from "./fault.js";
import { eventsOf, ofKind, pidOf, type Training, workplace } from "./fixture.js";
import { checkpointOf } from "./results.js";

const place = workplace();
const checkpointInterval = 50;
/** Small intervals, so that little of a run holds many checkpoints, publications and teachers. */
const recorded = {
  record: true,
  numSteps: 1_000_000,
  checkpointInterval,
  logInterval: 1,
  algorithm: {
    ...{ burnInSteps: 20, publishInterval: 10, exchangeInterval: 10, freshInputs: 0.3, gramWeight: 0.5 },
    // Between deaths, so that groups die while they keep snapshots, and after.
    consolidate: { from: 150, every: 40 },
  },
};

/** How each of the twenty dies: at a point of the work with a file, or at a number of steps that chance chooses. */
const points: readonly Pick<Fault, "file" | "at" | "nth">[] = [
  ...[2, 3, 2, 3, 2].map((nth) => ({ file: "checkpoint", at: "write", nth }) as const),
  { file: "snapshot", at: "write", nth: 4 },
  { file: "snapshot", at: "rename", nth: 6 },
  { file: "pointer", at: "open", nth: 5 },
  { file: "pointer", at: "write", nth: 7 },
  { file: "pointer", at: "rename", nth: 9 },
];
const SEED = 3;
const chances = uniform(fold(rootKey(SEED), "steps before a death"), 10);
const twenty = [...points, ...Array.from(chances, (chance) => 60 + Math.floor(40 * chance))];
const deaths = isFull ? twenty : twenty.filter((_, i) => i % 5 === 0);

/** Start or go on, let group 0 die, then end the rest once it took a step: by a kill too when the death was by chance. */
async function dieOnce(folder: RunFolder | null, config: string, death: (typeof deaths)[number]): Promise<RunFolder> {
  const fault = typeof death === "number" ? {} : withFault({ process: 0, effect: "SIGKILL", ...death });
  const before = folder ? [0, 1].map((group) => eventsOf(folder, group).length) : [0, 0];
  const run = folder ? place.resume(folder, fault) : place.train([config], fault);
  const start = await run.event(0, "the start", ({ event }) => event === "group-start", before[0]);
  await run.event(1, "a step", ({ event }) => event === "step", before[1]);
  if (typeof death === "number") {
    const from = start.event === "group-start" ? start.step : 0;
    await run.event(0, "its step", (event) => event.event === "step" && event.step >= from + death, before[0]);
    for (const group of [0, 1]) process.kill(await pidOf(run, group), "SIGKILL");
  }
  await run.event(0, "the death", ({ event }) => event === "group-end", before[0]);
  await ended(run, typeof death !== "number");
  return run.folder();
}

async function ended(run: Training, isAsked: boolean): Promise<void> {
  if (isAsked) process.kill(run.pid, "SIGINT");
  await run.ended;
}

test(`after each of ${deaths.length} deaths little is lost, and the replay of them all comes to the same bits`, async () => {
  const config = await place.config("recorded.json", recorded);
  let folder: RunFolder | null = null;
  for (const death of deaths) folder = await dieOnce(folder, config, death);
  assert.ok(folder);

  const shown = JSON.stringify(deaths);
  for (const group of [0, 1]) {
    const starts: number[] = eventsOf(folder, group).flatMap((event, i) => (event.event === "group-start" ? [i] : []));
    assert.equal(starts.length, deaths.length, shown);
    for (const at of starts.slice(1)) {
      const start = eventsOf(folder, group)[at];
      const reached = ofKind(eventsOf(folder, group).slice(0, at), "step").at(-1)?.step ?? 0;
      assert.ok(start?.event === "group-start" && start.step > 0, `group ${group} began again: ${shown}`);
      const lost = reached - start.step;
      assert.ok(lost <= checkpointInterval, `group ${group} lost ${lost} steps at step ${reached}: ${shown}`);
    }
  }
  const taught = ofKind(eventsOf(folder, 0), "teachers");
  assert.ok(taught.length > deaths.length, `only ${taught.length} changes of teachers`);
  assert.ok(
    taught.some(({ teachers }) => teachers.length > 1),
    "group 0 did not come to consolidate",
  );
  assert.ok(((await checkpointOf(folder, 0))?.info.step ?? 0) > 25 * deaths.length);

  const {
    code,
    stdout,
    shown: said,
  } = await place.codistill(["replay", folder.path, "--runs", place.path("runs-r")]).ended;
  assert.equal(code, 0, said);
  for (const group of [0, 1]) assert.match(stdout, new RegExp(`^group ${group}: equal to the bit at step \\d+ `, "m"));

  rmSync(join(folder.group(0).path, "recorded"), { recursive: true });
  const robbed = await place.codistill(["replay", folder.path, "--runs", place.path("runs-r")]).ended;
  assert.notEqual(robbed.code, 0, robbed.shown);
  assert.match(robbed.stdout, /group 0 failed: a replay needs the snapshots of the recorded run, and recorded\/\w+/);
});

test("a run that was not recorded, and what is no run folder, are refused", async () => {
  const { folder } = await place.finished();
  const plain = await place.command(["replay", folder.path]);
  assert.deepEqual([plain.code, /was not. Record with --set record=true/.test(plain.stderr)], [2, true], plain.shown);
  const none = await place.command(["replay", place.path()]);
  assert.deepEqual([none.code, /is not a run folder/.test(none.stderr)], [2, true], none.shown);
});
