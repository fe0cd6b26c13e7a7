/** A group's process that hung and wakes up when its run has long gone on without it: it changes nothing, and ends. */
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventsOf, ofKind, pidOf, workplace } from "./fixture.js";
import { commandOf, eventually } from "./processes.js";

const place = workplace();

test("a process that was suspended, and wakes when its run was resumed and has ended, leaves all as it is", async () => {
  const config = await place.config("fence.json", { numGroups: 1, numSteps: 600, algorithm: { burnInSteps: 50 } });
  const run = place.train([config]);
  await run.event(0, "a checkpoint", ({ event }) => event === "checkpoint");
  const pid = await pidOf(run, 0);
  process.kill(pid, "SIGSTOP");
  process.kill(run.pid, "SIGKILL");
  await run.ended;
  const folder = await run.folder();
  const resumed = await place.resume(folder).ended;
  assert.equal(resumed.code, 0, resumed.shown);

  const { path, log, errors } = folder.group(0);
  const files = ["checkpoint.safetensors", "best.safetensors"].map((name) => join(path, name)).concat(log);
  const before = files.map((file) => readFileSync(file));
  process.kill(pid, "SIGCONT");
  await eventually(
    "its end",
    () => (commandOf(pid) === "" ? true : null),
    () => resumed.shown,
  );
  assert.deepEqual(
    files.map((file) => readFileSync(file)),
    before,
  );
  assert.match(
    readFileSync(errors, "utf8"),
    /^a group runs once at a time: this process is start number 1 of group 0 in .*a later one has been made/,
  );
  assert.deepEqual(
    ofKind(eventsOf(folder, 0), "group-end").map(({ reason, step }) => [reason, step]),
    [["finished", 600]],
  );
});

test("a run folder that another program has taken over: the older one starts no group there, and says why", async () => {
  const config = await place.config("taken.json", { numGroups: 1, numSteps: 1_000_000 });
  const run = place.train([config]);
  await run.event(0, "a step", ({ event }) => event === "step");
  const folder = await run.folder();
  const starts = eventsOf(folder, 0).length;
  process.kill(run.pid, "SIGSTOP");
  rmSync(join(folder.path, "lock.json"));
  const newer = place.resume(folder);
  await newer.event(0, "the newer start", (event) => event.event === "group-start" && event.incarnation === 2, starts);
  process.kill(run.pid, "SIGCONT");
  const { code, stderr, shown } = await run.ended;
  assert.equal(code, 1, shown);
  assert.match(stderr, /another program has taken .* over, or it was removed\. This one stops/, shown);
  process.kill(newer.pid, "SIGTERM");
  assert.equal((await newer.ended).code, 0, newer.output());
  assert.equal(ofKind(eventsOf(folder, 0), "group-end").at(-1)?.reason, "stopped", newer.output());
});
