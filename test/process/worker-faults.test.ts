/** What can befall a group of several workers, while another one of the same run trains on and never notices. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { LoggedEvent } from "../../src/log/events.js";
import type { RunInput } from "../../src/run/schema.js";
import { befall, withFault, withThreadFaults, withWorkerFault } from "./fault.js";
import { allGone, eventsOf, ofKind, pidOf, type Training, workplace } from "./fixture.js";
import { checkpointOf, resultOf } from "./results.js";
import { tinyConfig } from "./tiny.js";

const place = workplace();
const crew = { workers: 2, threads: 2, checkpointInterval: 20 } satisfies Partial<RunInput>;
const groups = [0, 1];
/** Longer than an engine takes to answer on a machine that does much else. */
const SILENT_SECONDS = "5";

const isCheckpoint = ({ event }: LoggedEvent) => event === "checkpoint";
const isRestart = ({ event }: LoggedEvent) => event === "group-restart";

/** Wait until both groups have gone on by a checkpoint. */
async function bothGoOn(run: Training): Promise<void> {
  const folder = await run.folder();
  await Promise.all(
    groups.map((group) => run.event(group, "a checkpoint", isCheckpoint, eventsOf(folder, group).length)),
  );
}

/**
 * Wait until group 1 has been started again, from its checkpoint, and trains on; group 0 must have taken steps while group 1 was
 * down, and have been started once. Returns why group 1 ended.
 */
async function comesBack(run: Training, before: number): Promise<string> {
  await run.event(1, "the restart", isRestart, before);
  const restart = eventsOf(await run.folder(), 1).findIndex((event, i) => i >= before && isRestart(event));
  await run.event(1, "a checkpoint of the second start", isCheckpoint, restart);
  const shown = run.output();
  const folder = await run.folder();
  const events = eventsOf(folder, 1);
  const end = events.findIndex(({ event }, i) => i >= before && event === "group-end");
  const [last, failed] = [events[end - 1], events[end]];
  assert.ok(last && failed?.event === "group-end" && failed.reason === "failed", shown);
  const start = ofKind(events, "group-start").at(-1);
  assert.ok(start && start.step > 0, shown);
  const meanwhile = ofKind(eventsOf(folder, 0), "step").filter(({ time }) => time > last.time && time < start.time);
  assert.ok(meanwhile.length > 0, `group 0 took no step from ${last.time} to ${start.time}. ${shown}`);
  assert.equal(ofKind(eventsOf(folder, 0), "group-start").length, 1, shown);
  return failed.message ?? "";
}

test("a group that is suspended, or whose worker ends or is stuck, comes back; a run that is suspended as a whole loses nothing", async () => {
  const when = place.path("befall-worker");
  const { env } = withWorkerFault({ group: 1, worker: 1, when });
  const config = await place.config("config.json", { ...crew, numSteps: 1_000_000, restarts: 3 });
  const run = place.train([config], { env: { ...env, CODISTILL_SILENT_SECONDS: SILENT_SECONDS } });
  for (const group of groups) await run.event(group, "a checkpoint", isCheckpoint);
  const folder = await run.folder();

  const all = [run.pid, await pidOf(run, 0), await pidOf(run, 1)];
  for (const pid of all) process.kill(pid, "SIGSTOP");
  // What is tested is that this time passes: it is longer than any silence that is borne.
  await pause(7500);
  for (const pid of all) process.kill(pid, "SIGCONT");
  await bothGoOn(run);
  for (const group of groups) assert.equal(ofKind(eventsOf(folder, group), "group-start").length, 1, run.output());

  for (const [fault, message] of [
    [() => befall(when, "exit"), /^worker 1 of 2 has ended with code 7$/],
    [
      async () => process.kill(await pidOf(run, 1), "SIGSTOP"),
      /^its process gave no sign of life for more than 5 s, and was ended$/,
    ],
    [
      () => befall(when, "stuck"),
      /^a worker that calls \w+ waits for all others, and of 2 workers 1 have come within 5 s$/,
    ],
  ] as const) {
    const before = eventsOf(folder, 1).length;
    await fault();
    assert.match(await comesBack(run, before), message);
  }

  process.kill(run.pid, "SIGTERM");
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  await allGone(folder, () => shown);
  for (const group of groups) {
    const last = ofKind(eventsOf(folder, group), "group-end").at(-1);
    assert.deepEqual([last?.reason, last?.step], ["stopped", (await checkpointOf(folder, group))?.info.step], shown);
  }
  assert.deepEqual(ofKind(eventsOf(folder, 0), "exchange-trouble"), [], shown);
});

test("a group of asynchronous SGD whose server or worker ends comes back from its checkpoint", async () => {
  // The first engine is the leader's, and those after it are the servers'.
  const server = { group: 1, program: "engine-worker", nth: 3, when: place.path("end-server") } as const;
  const worker = { group: 1, program: "async-worker-main", nth: 1, when: place.path("end-worker") } as const;
  const algorithm = { kind: "asyncSgd", servers: 2, codistill: tinyConfig.algorithm } as const;
  const changes = { ...crew, numSteps: 1_000_000, restarts: 3, algorithm };
  const run = place.train([await place.config("servers.json", changes)], withThreadFaults(server, worker));
  for (const group of groups) await run.event(group, "a checkpoint", isCheckpoint);
  const folder = await run.folder();
  for (const [{ when }, message] of [
    [server, /^server 2 of 2 failed: the thread of its engine has ended$/],
    [worker, /^worker 1 of 2 has ended with code 1$/],
  ] as const) {
    const before = eventsOf(folder, 1).length;
    befall(when, "exit");
    assert.match(await comesBack(run, before), message);
  }
  process.kill(run.pid, "SIGTERM");
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  await allGone(folder, () => shown);
});

test("a group whose disk hangs is ended, and the run ends with what the other one has", async () => {
  const fault = withFault({ process: 1, file: "checkpoint", at: "write", effect: "stuck" });
  const run = place.train([await place.config("hangs.json", { ...crew, checkpointInterval: 50 })], {
    env: { ...fault.env, CODISTILL_SILENT_SECONDS: SILENT_SECONDS },
  });
  const { code, stdout, shown } = await run.ended;
  assert.equal(code, 1, shown);
  const folder = await run.folder();
  await allGone(folder, () => shown);
  const silent = "its process gave no sign of life for more than 5 s, and was ended";
  assert.equal(ofKind(eventsOf(folder, 1), "group-end").at(-1)?.message, silent, shown);
  assert.ok(stdout.includes(`group 1 failed: ${silent}`), shown);
  const end = ofKind(eventsOf(folder, 0), "group-end").at(-1);
  assert.deepEqual([end?.reason, end?.step], ["finished", tinyConfig.numSteps], shown);
  const { groups: scored, shippedGroup } = resultOf(folder);
  assert.deepEqual([shippedGroup, scored.map(({ ended }) => ended)], [0, ["finished", "failed"]], shown);
  assert.equal(await checkpointOf(folder, 1), null, "half of one was written");
});

test("a worker that finds other data than its leader has ends its group before the first step", async () => {
  const when = place.path("befall-data");
  const fault = withWorkerFault({ group: 1, worker: 1, when, waits: true });
  // Its own rows, so that no other test has them in the cache.
  const data = { ...tinyConfig.data, shardBy: "date || city || hour" };
  const run = place.train([await place.config("other.json", { ...crew, data, numSteps: 60 })], fault);
  await run.event(0, "a step", ({ event }) => event === "step");
  befall(when, "other data");
  const { code, shown } = await run.ended;
  assert.notEqual(code, 0, shown);
  const events = eventsOf(await run.folder(), 1);
  assert.deepEqual(ofKind(events, "step"), [], shown);
  assert.match(ofKind(events, "group-end")[0]?.message ?? "", /worker 1 of 2 failed: .*train\.bin/, shown);
  assert.equal(ofKind(eventsOf(await run.folder(), 0), "group-end").at(-1)?.reason, "finished", shown);
});
