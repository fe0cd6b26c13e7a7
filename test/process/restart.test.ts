/** Groups that die and are started again from their own checkpoints, a bounded number of times. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { withFault } from "./fault.js";
import { allGone, eventsOf, ofKind, pidOf, workplace } from "./fixture.js";
import { resultOf } from "./results.js";

const place = workplace();

test("a group of two workers that is killed is started again, goes on from its checkpoint, and the run ends whole", async () => {
  const config = await place.config("config.json", { workers: 2, restarts: 3, numSteps: 1500 });
  const run = place.train([config]);
  await run.event(1, "a checkpoint", ({ event }) => event === "checkpoint");
  process.kill(await pidOf(run, 1), "SIGKILL");
  const { code, stdout, shown } = await run.ended;
  assert.equal(code, 0, shown);
  const folder = await run.folder();
  const starts = ofKind(eventsOf(folder, 1), "group-start");
  assert.deepEqual(
    starts.map(({ incarnation }) => incarnation),
    [1, 2],
    shown,
  );
  assert.ok((starts[1]?.step ?? 0) > 0, shown);
  assert.equal(ofKind(eventsOf(folder, 0), "group-start").length, 1, shown);
  assert.match(stdout, /group 1 failed: its process was killed by SIGKILL/, shown);
  assert.match(stdout, /group 1 is started again from its checkpoint in 0\.5 s \(1 of 3\)/, shown);
  assert.deepEqual(
    resultOf(folder).groups.map(({ ended }) => ended),
    ["finished", "finished"],
    shown,
  );
});

test("a group that dies every time is given up after its restarts, each after a longer wait", async () => {
  const fault = withFault({ process: 1, file: "checkpoint", at: "write", effect: "SIGKILL" });
  const run = place.train([await place.config("config.json", { restarts: 2 })], fault);
  const { code, shown } = await run.ended;
  assert.equal(code, 1, shown);
  const folder = await run.folder();
  assert.equal(ofKind(eventsOf(folder, 1), "group-start").length, 3, shown);
  assert.deepEqual(
    ofKind(eventsOf(folder, 1), "group-restart").map(({ restart, delaySeconds }) => [restart, delaySeconds]),
    [
      [1, 0.5],
      [2, 1],
    ],
    shown,
  );
  assert.deepEqual(
    resultOf(folder).groups.map(({ ended }) => ended),
    ["finished", "failed"],
    shown,
  );
});

test("a stop during the wait for a restart ends the run at once", async () => {
  const fault = withFault({ process: 0, file: "checkpoint", at: "write", effect: "SIGKILL" });
  const config = await place.config("config.json", { numGroups: 1, restarts: 9, numSteps: 1_000_000 });
  const run = place.train([config], fault);
  await run.event(0, "the third restart", (event) => event.event === "group-restart" && event.restart === 3);
  process.kill(run.pid, "SIGINT");
  const { code, shown } = await run.ended;
  assert.equal(code, 130, shown);
  await allGone(await run.folder(), () => shown);
});
