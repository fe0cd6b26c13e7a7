/** Four groups of a run: who teaches whom, with one that joins late and one that is killed and comes back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunInput } from "../../src/run/schema.js";
import { isFull } from "../fixtures/full.js";
import { type Topology, taughtBy, topologyCases } from "../suites/topology-cases.js";
import { eventsOf, ofKind, pidOf, type Training, workplace } from "./fixture.js";
import { withStore } from "./store-preload.js";
import { tinyConfig } from "./tiny.js";

const place = workplace();

function changes(topology: Topology): Partial<RunInput> {
  // What a group knows of one that has ended goes on counting.
  const algorithm = { ...tinyConfig.algorithm, topology, maxStaleness: 1_000_000 };
  return { numGroups: 4, restarts: 3, numSteps: 1000, algorithm };
}

// The others differ in a list that a group gets at its start, and test/numerics/topologies.test.ts has them all.
test("degree: four groups finish, and each is taught by whom the topology says", async () => {
  const { topology, teachers } = topologyCases.degree;
  const run = place.train([await place.config("degree.json", changes(topology))]);
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  const folder = await run.folder();
  const events = [0, 1, 2, 3].map((group) => eventsOf(folder, group));
  assert.deepEqual(events.map(taughtBy), teachers, shown);
  for (const ofGroup of events) {
    assert.equal(ofKind(ofGroup, "group-end").at(-1)?.reason, "finished", shown);
    assert.deepEqual(ofKind(ofGroup, "exchange-trouble"), [], shown);
  }
});

// Groups of "list" differ in what they are taught, so that it shows more than "all".
for (const name of isFull ? (["all", "list"] as const) : (["list"] as const)) {
  const { topology, teachers } = topologyCases[name];
  test(`${name}: one that joins late and one that comes back teach and are taught like the others`, async () => {
    const config = await place.config(`${name}-late.json`, { ...changes(topology), numSteps: 1_000_000 });
    const store = place.path(`store-${name}`);
    const start = (group: number) => place.train([config, "--store", store, "--group", String(group)]);
    const runs: Training[] = [0, 1, 2].map(start);
    for (const [group, run] of runs.entries()) {
      await run.event(group, "a checkpoint", ({ event }) => event === "checkpoint");
    }
    runs.push(start(3));
    process.kill(await pidOf(runs[1]!, 1), "SIGKILL");
    await runs[1]!.event(1, "its return", (event) => event.event === "group-start" && event.incarnation === 2);
    for (const [group, run] of runs.entries()) {
      const events = eventsOf(await run.folder(), group);
      const isWhole = (used: readonly { group: number }[]) => used.length === teachers[group]?.length;
      await run.event(group, "all its teachers", (e) => e.event === "step" && isWhole(e.teachers), events.length);
    }
    for (const run of runs) process.kill(run.pid, "SIGINT");
    for (const [group, run] of runs.entries()) {
      const { code, shown } = await run.ended;
      assert.equal(code, 130, shown);
      const events = eventsOf(await run.folder(), group);
      assert.deepEqual(taughtBy(events), teachers[group], shown);
      assert.deepEqual(ofKind(events, "exchange-trouble"), [], shown);
      assert.equal(ofKind(events, "group-start").length, group === 1 ? 2 : 1, shown);
    }
  });
}

test("a store in which every second call fails stops nobody, and the exchange goes on", async () => {
  const config = await place.config("flaky.json", { ...changes("all"), numGroups: 3, numSteps: 400 });
  const run = place.train([config], withStore("flaky", 2));
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  const folder = await run.folder();
  for (const group of [0, 1, 2]) assert.equal(ofKind(eventsOf(folder, group), "group-start").length, 1, shown);
  const events = eventsOf(folder, 2);
  assert.equal(ofKind(events, "step").at(-1)?.step, 400, shown);
  assert.ok(
    ofKind(events, "exchange-trouble").some(({ message }) => /EIO/.test(message)),
    shown,
  );
  assert.ok(ofKind(events, "fetched").length > 0, shown);
  for (const group of [0, 1]) assert.deepEqual(ofKind(eventsOf(folder, group), "exchange-trouble"), [], shown);
});
