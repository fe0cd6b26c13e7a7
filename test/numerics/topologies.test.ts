/**
 * Every topology, its four groups side by side in this process with one store: one of them joins late, and one is
 * stopped and comes back. `test/process/topologies.test.ts` does it with processes and a kill, where the topology makes
 * no difference any more.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStore, type Store } from "../../src/checkpoint/store.js";
import type { TrainEvent } from "../../src/log/events.js";
import type { TableRunInput } from "../../src/run/input/run.js";
import { runTiny, type TinyOutcome } from "../fixtures/group-run.js";
import { type Topology, type TopologyCase, taughtBy, topologyCases } from "../suites/topology-cases.js";

function changes(topology: Topology): Partial<TableRunInput> {
  return {
    numGroups: 4,
    numSteps: 1_000_000,
    // What a group knows of one that has stopped goes on counting.
    algorithm: { burnInSteps: 20, publishInterval: 10, exchangeInterval: 10, topology, maxStaleness: 1_000_000 },
  };
}

/** A group that trains until it is stopped. */
interface Training {
  readonly files: Store;
  /** Comes with the first event from now on that is wanted. */
  next(isWanted: (event: TrainEvent) => boolean): Promise<void>;
  stop(): Promise<TinyOutcome>;
}

function start(store: Store, groupIndex: number, topology: Topology, files = memoryStore()): Training {
  const waiting = new Map<(event: TrainEvent) => boolean, () => void>();
  const stop = new AbortController();
  const onEvent = (event: TrainEvent) => {
    for (const [isWanted, resolve] of waiting) {
      if (!isWanted(event)) continue;
      waiting.delete(isWanted);
      resolve();
    }
  };
  const ended = runTiny({ changes: changes(topology), groupIndex, store, files, stop, onEvent });
  return {
    files,
    next: (isWanted) =>
      Promise.race([
        new Promise<void>((resolve) => waiting.set(isWanted, resolve)),
        ended.then(({ reason }) => assert.fail(`group ${groupIndex} has ended: ${reason}`)),
      ]),
    stop() {
      stop.abort();
      return ended;
    },
  };
}

for (const [name, { topology, teachers }] of Object.entries<TopologyCase>(topologyCases)) {
  test(`${name}: one that joins late and one that comes back teach and are taught like the others`, async () => {
    const store = memoryStore();
    const groups = [0, 1, 2].map((group) => start(store, group, topology));
    await Promise.all(groups.map((group) => group.next(({ event }) => event === "checkpoint")));
    const before = await (groups[1] as Training).stop();
    groups[1] = start(store, 1, topology, before.files);
    groups.push(start(store, 3, topology));
    const isWhole = (used: readonly unknown[], group: number) => used.length === teachers[group]?.length;
    await Promise.all(groups.map((each, group) => each.next((e) => e.event === "step" && isWhole(e.teachers, group))));
    const outcomes = await Promise.all(groups.map((group) => group.stop()));
    for (const [group, { reason, events }] of outcomes.entries()) {
      assert.equal(reason, "stopped");
      assert.deepEqual(taughtBy(events), teachers[group], `group ${group}`);
      assert.deepEqual(
        events.filter(({ event }) => event === "exchange-trouble"),
        [],
      );
    }
    const [again] = outcomes[1]?.events ?? [];
    assert.ok(again?.event === "group-start" && again.incarnation === 2 && again.step > 0);
  });
}
