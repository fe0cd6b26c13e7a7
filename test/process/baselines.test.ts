/** Local SGD, DiLoCo, mutual learning and controls, as whole programs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readLog } from "../../src/node/runs/read-log.js";
import { type RunFolder, runFolder } from "../../src/node/runs/run-folder.js";
import { launched, mpiLaunchers } from "../fixtures/mpi-launchers.js";
import { mainFile, pidOf, workplace } from "./fixture.js";
import { eventually } from "./processes.js";
import { resultOf, weightsOf } from "./results.js";

const place = workplace();

const diloco = { kind: "diloco", localSteps: 15 } as const;
const one = { numGroups: 1, numSteps: 100, globalBatchSize: 48, validationInterval: 20, checkpointInterval: 20 };

async function trained(name: string, changes: object): Promise<RunFolder> {
  const run = place.train([await place.config(name, { ...one, ...changes })]);
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  return run.folder();
}

const averagedIn = (folder: RunFolder) =>
  readLog(folder.group(0).log).flatMap((event) => (event.event === "averaged" ? [event] : []));

const onThreads = new Map<number, Promise<RunFolder>>();

/** A run of so many workers on threads, trained once. */
function threads(workers: number): Promise<RunFolder> {
  const run = onThreads.get(workers) ?? trained(`threads-${workers}.json`, { workers, algorithm: diloco });
  onThreads.set(workers, run);
  return run;
}

test("two workers exchange every 15 steps and after the last one, and the result has the bytes", async () => {
  const folder = await threads(2);
  const averaged = averagedIn(folder);
  assert.deepEqual(
    averaged.map(({ step }) => step),
    [15, 30, 45, 60, 75, 90, 100],
  );
  const [group] = resultOf(folder).groups;
  const sent = averaged.reduce((sum, { bytes }) => sum + bytes, 0);
  assert.ok(sent > 0);
  assert.deepEqual([group?.bytesPublished, group?.bytesFetched], [sent, sent]);
});

for (const launcher of mpiLaunchers) {
  for (const workers of [2, 3]) {
    test(`${workers} processes of ${launcher.name} take the steps of as many threads, to the bit`, async () => {
      const config = await place.config(`mpi-${workers}.json`, { ...one, algorithm: diloco });
      const folder = runFolder(place.path(`${launcher.name.replace(" ", "-")}-${workers}`));
      const { code, shown } = await launched(launcher, workers, [mainFile, "train", config, "--folder", folder.path]);
      assert.equal(code, 0, shown);
      const same = await threads(workers);
      assert.equal(await weightsOf(folder), await weightsOf(same));
      const bytes = (of: RunFolder) => averagedIn(of).map((event) => [event.step, event.bytes]);
      assert.deepEqual(bytes(folder), bytes(same));
    });
  }
}

test("a group of two workers that is killed, and one that is stopped, come to the model of one that was not", async () => {
  const changes = { numSteps: 1000, workers: 2, algorithm: { kind: "localSgd", localSteps: 7 } } as const;
  const whole = await weightsOf(await trained("whole.json", changes));
  const config = await place.config("stopped.json", { ...one, ...changes, restarts: 0 });
  const killed = place.train([config]);
  await killed.event(0, "a checkpoint", ({ event }) => event === "checkpoint");
  process.kill(await pidOf(killed, 0), "SIGKILL");
  const dead = await killed.ended;
  const folder = await killed.folder();
  // A fast machine may have come to the end before.
  const isOver = () =>
    readLog(folder.group(0).log).some((event) => event.event === "group-end" && event.reason === "finished");
  assert.ok(dead.code !== 0 || isOver(), dead.shown);

  const stopped = place.codistill(["train", "--resume", folder.path]);
  const isResumed = () => readLog(folder.group(0).log).filter(({ event }) => event === "group-start").length > 1;
  await eventually("a second start", () => isResumed() || isOver() || null, stopped.output);
  process.kill(stopped.pid, "SIGINT");
  await stopped.ended;
  if (!isOver()) {
    const wrong = await place.command(["train", "--resume", folder.path, "--set", "workers=3"]);
    assert.equal(wrong.code, 2, wrong.shown);
    assert.match(wrong.stderr, /workers: the run has 2, this configuration has 3/);
    const { code, shown } = await place.codistill(["train", "--resume", folder.path]).ended;
    assert.equal(code, 0, shown);
  }
  assert.equal(await weightsOf(folder), whole);
});

test("two students of one group learn from one another, and a run that was stopped goes on", async () => {
  const changes = { numSteps: 1000, algorithm: { kind: "mutual" } } as const;
  const whole = await weightsOf(await trained("mutual.json", changes));
  const run = place.train([await place.config("mutual-stopped.json", { ...one, ...changes })]);
  await run.event(0, "a checkpoint", ({ event }) => event === "checkpoint");
  process.kill(run.pid, "SIGINT");
  const { code, shown } = await run.ended;
  assert.ok(code === 130 || code === 0, shown);
  const folder = await run.folder();
  const resumed = await place.codistill(["train", "--resume", folder.path]).ended;
  assert.equal(resumed.code, 0, resumed.shown);
  assert.equal(await weightsOf(folder), whole);
});

test("a control says what it is when it begins and with its result", async () => {
  const algorithm = { control: "own", burnInSteps: 20 } as const;
  const run = place.train([await place.config("control.json", { ...one, algorithm })]);
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  assert.equal(shown.match(/CONTROL "own": each group is taught by an older copy of itself/g)?.length, 2, shown);
  assert.match(resultOf(await run.folder()).remarks?.[0] ?? "", /^CONTROL "own"/);
});
