/** Groups whose workers are processes of a launcher of MPI, as whole programs. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { readLog } from "../../src/node/runs/read-log.js";
import { runFolder } from "../../src/node/runs/run-folder.js";
import { mpiLaunchers } from "../fixtures/mpi-launchers.js";
import { eventsOf, mainFile, nextEvent, workplace } from "./fixture.js";

const place = workplace();
const one = { numGroups: 1, numSteps: 60, globalBatchSize: 48, validationInterval: 20, checkpointInterval: 20 };

for (const { name, command, flags, env } of mpiLaunchers) {
  /** Start `codistill train <args>` at two ranks; `atRank1` changes the arguments of rank 1. */
  function train(args: readonly string[], atRank1: readonly string[] = args) {
    const line = (own: readonly string[]) => ["-n", "1", process.execPath, mainFile, "train", ...own];
    // Open MPI and MPICH both take programs of different arguments, one after the other.
    return place.start(command, [...flags, ...line(args), ":", ...line(atRank1)], { env });
  }

  test(`${name}: two processes train the model of one worker, to the bit, and are gone on with as threads`, async () => {
    const config = await place.config("one.json", one);
    const alone = place.train([config, "--set", "accumulate=2"]);
    assert.equal((await alone.ended).code, 0);
    const folder = runFolder(place.path(`${name}-whole`));
    const { code, shown } = await train([config, "--folder", folder.path]).ended;
    assert.equal(code, 0, shown);
    const bytesOf = (path: string) => readFileSync(path).toString("base64");
    const whole = bytesOf((await alone.folder()).model.safetensors);
    assert.equal(bytesOf(folder.model.safetensors), whole, shown);
    for (const event of readLog(folder.group(0).log))
      if (event.event === "step") assert.equal(event.workers?.length, 2);

    const part = runFolder(place.path(`${name}-part`));
    const run = train([config, "--folder", part.path, "--set", "numSteps=1000000"]);
    await nextEvent(run, part, 0, "checkpoint");
    process.kill(run.pid, "SIGUSR1");
    const stopped = await run.ended;
    assert.equal(stopped.code, 0, stopped.shown);
    assert.match(stopped.shown, /what was trained is saved: group 0 at step/);
    const resumed = place.resume(part);
    const { step, workers } = await nextEvent(resumed, part, 0, "group-start", eventsOf(part, 0).length);
    assert.equal(workers, 2);
    assert.ok(step >= 20);
    process.kill(resumed.pid, "SIGTERM");
    const saved = await resumed.ended;
    assert.equal(saved.code, 0, saved.shown);
  });

  test(`${name}: what one process has otherwise is refused by all before the first step, with both sides`, async () => {
    const config = await place.config("right.json", one);
    const folder = place.path(`${name}-refused`);
    const wrong: readonly (readonly [args: readonly string[], pattern: RegExp])[] = [
      [
        [config, "--set", "optimizer.learningRate=0.5"],
        /worker 1 on .*: all workers of a group must have the same optimizer\.learningRate: worker 0 on \S+ has [\d.]+, and worker 1 on \S+ has 0\.5\n/,
      ],
      [[place.path("nowhere.json")], /worker 1 on .*: no configuration at .*nowhere\.json/],
    ];
    for (const [args, pattern] of wrong) {
      const { code, shown } = await train([config, "--folder", folder], [...args, "--folder", folder]).ended;
      assert.equal(code, 2, shown);
      assert.match(shown, pattern);
      assert.equal(shown.match(/codistill: /g)?.length, 1, shown);
    }
    const groups = await train([config, "--set", "numGroups=2"]).ended;
    assert.equal(groups.code, 2, groups.shown);
    assert.match(groups.shown, /a launcher starts the workers of one group, and this run has 2 groups/);
  });
}

test("a run folder of --folder is made once and gone on with, in its own store alone", async () => {
  const config = await place.config("folder.json", { ...one, numGroups: 2 });
  const folder = place.path("kept");
  const train = (store: string, group: string) =>
    place.codistill(["train", config, "--folder", folder, "--store", place.path(store), "--group", group]).ended;
  const first = await train("store", "1");
  assert.equal(first.code, 0, first.shown);
  const again = await train("store", "1");
  assert.equal(again.code, 0, again.shown);
  assert.match(again.shown, /have finished, so that it is only scored once more/);
  for (const [store, group, pattern] of [
    ["other", "1", /a run goes on in the store it began in/],
    ["store", "0", /a folder goes on with the group it began with: .* has group 1, and --group says 0/],
  ] as const) {
    const { code, shown } = await train(store, group);
    assert.equal(code, 2, shown);
    assert.match(shown, pattern);
  }
  const taken = await place.codistill(["train", config, "--folder", dirname(config)]).ended;
  assert.equal(taken.code, 2, taken.shown);
  assert.match(taken.shown, /--folder must name a run folder, or one that is empty or not there yet, and .* holds /);
});
