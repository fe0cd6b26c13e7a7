/** Asynchronous SGD, as whole programs. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { LoggedEvent } from "../../src/log/events.js";
import { readLog } from "../../src/node/runs/read-log.js";
import type { RunFolder } from "../../src/node/runs/run-folder.js";
import { eventsOf, ofKind, workplace } from "./fixture.js";
import { weightsOf } from "./results.js";

const place = workplace();

const one = { numGroups: 1, numSteps: 100, globalBatchSize: 48, validationInterval: 20, checkpointInterval: 20 };

async function trained(name: string, changes: object): Promise<RunFolder> {
  const run = place.train([await place.config(name, { ...one, ...changes })]);
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  return run.folder();
}

test("one worker takes the steps of plain training, to the bit, with one server and with two", async () => {
  const plain = await weightsOf(await trained("plain.json", { algorithm: { kind: "plain" } }));
  assert.equal(await weightsOf(await trained("one.json", { algorithm: { kind: "asyncSgd" } })), plain);
  assert.equal(await weightsOf(await trained("two.json", { algorithm: { kind: "asyncSgd", servers: 2 } })), plain);
});

test("two groups of two workers codistill, and their log and result have the staleness of every gradient", async () => {
  const folder = await trained("groups.json", {
    numGroups: 2,
    numSteps: 300,
    workers: 2,
    algorithm: { kind: "asyncSgd", codistill: { burnInSteps: 20, publishInterval: 10, exchangeInterval: 10 } },
  });
  let numTaught = 0;
  for (const group of [0, 1]) {
    const events = readLog(folder.group(group).log);
    const steps = events.flatMap((event) => (event.event === "step" ? [event] : []));
    assert.equal(steps.at(-1)?.step, 300);
    const brought = steps.flatMap(({ gradients }) => gradients?.workers ?? []);
    assert.deepEqual([...new Set(brought.map(({ worker }) => worker))].sort(), [1, 2]);
    assert.equal(
      brought.reduce((sum, { gradients }) => sum + gradients, 0),
      300,
    );
    numTaught += steps.filter(({ distillLoss, teachers }) => distillLoss !== null && teachers.length === 1).length;
    const [staleness] = events.flatMap((event) => (event.event === "staleness" ? [event.counts] : []));
    assert.equal(
      staleness?.reduce((sum, one) => sum + one, 0),
      300,
    );
    const result = JSON.parse(readFileSync(folder.result, "utf8"));
    assert.deepEqual(result.groups[group].staleness, staleness);
  }
  // The group that was started last finds what the other one has published.
  assert.ok(numTaught > 0);
});

test("updates of the servers are signs of life: a run is not ended that validates later than silence is borne", async () => {
  const far = 1_000_000;
  const changes = { ...one, workers: 2, numSteps: far, validationInterval: far, checkpointInterval: far };
  const config = await place.config("alive.json", { ...changes, algorithm: { kind: "asyncSgd" } });
  const run = place.train([config], { env: { CODISTILL_SILENT_SECONDS: "2" } });
  const started = await run.event(0, "the start", ({ event }) => event === "group-start");
  const isLater = ({ event, time }: LoggedEvent) =>
    event === "step" && Date.parse(time) > Date.parse(started.time) + 4000;
  await run.event(0, "steps after that time", isLater);
  process.kill(run.pid, "SIGTERM");
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  assert.equal(ofKind(eventsOf(await run.folder(), 0), "group-start").length, 1, shown);
});
