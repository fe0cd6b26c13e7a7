/** Asynchronous SGD whose workers are processes of a launcher of MPI, as whole programs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LoggedEvent } from "../../src/log/events.js";
import { type RunFolder, runFolder } from "../../src/node/runs/run-folder.js";
import { type MpiLauncher, mpiLaunchers } from "../fixtures/mpi-launchers.js";
import { eventsOf, mainFile, nextEvent, ofKind, trainingIn, workplace } from "./fixture.js";
import { eventually, type Running } from "./processes.js";
import { weightsOf } from "./results.js";

const place = workplace();
const asyncSgd = { kind: "asyncSgd" } as const;
const one = { numGroups: 1, numSteps: 60, globalBatchSize: 48, validationInterval: 20, checkpointInterval: 20 };
const endless = { ...one, numSteps: 1_000_000, algorithm: asyncSgd };
/** Longer than a process takes to come on a machine that does much else. */
const SILENT_SECONDS = "10";

/** Start `codistill train <args>` at so many ranks. */
function train({ command, flags, env }: MpiLauncher, ranks: number, args: readonly string[], variables = {}) {
  const line = [...flags, "-n", String(ranks), process.execPath, mainFile, "train", ...args];
  return place.start(command, line, { env: { ...env, ...variables } });
}

/** Let a run take steps, and then stop and save; gives what it said. */
async function savedAfterAStep(run: Running, folder: RunFolder): Promise<string> {
  const before = eventsOf(folder, 0).length;
  await nextEvent(run, folder, 0, "group-start", before);
  await nextEvent(run, folder, 0, "step", before);
  process.kill(run.pid, "SIGUSR1");
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  assert.match(shown, /what was trained is saved: group 0 at step/);
  return shown;
}

let plain: Promise<string> | undefined;

/** The weights of plain training. */
async function plainWeights(): Promise<string> {
  const run = place.train([await place.config("plain.json", { ...one, algorithm: { kind: "plain" } })]);
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  return weightsOf(await run.folder());
}

for (const launcher of mpiLaunchers) {
  const { name } = launcher;

  test(`${name}: a leader and one worker take the steps of plain training, to the bit`, async () => {
    const folder = runFolder(place.path(`${name}-one`));
    const config = await place.config("one.json", { ...one, algorithm: { ...asyncSgd, servers: 2 } });
    const { code, shown } = await train(launcher, 2, [config, "--folder", folder.path]).ended;
    assert.equal(code, 0, shown);
    plain ??= plainWeights();
    assert.equal(await weightsOf(folder), await plain);
  });
}

const [first = undefined, second = first] = mpiLaunchers;
const skip = first === undefined;

test("a group goes on with other numbers of processes and as threads, each gradient counted once", {
  skip,
}, async () => {
  const config = await place.config("endless.json", endless);
  const folder = runFolder(place.path("part"));
  for (const [launcher, ranks] of [
    [first, 3],
    [second, 2],
  ] as const) {
    const run = train(launcher as MpiLauncher, ranks, [config, "--folder", folder.path, "--set", "workers=4"]);
    const shown = await savedAfterAStep(run, folder);
    assert.match(shown, new RegExp(`started ${ranks} processes, which are a leader and ${ranks - 1} workers`));
  }
  await savedAfterAStep(place.codistill(["train", "--resume", folder.path, "--set", "workers=2"]), folder);
  const starts = ofKind(eventsOf(folder, 0), "group-start");
  const ends = ofKind(eventsOf(folder, 0), "staleness");
  assert.deepEqual(
    starts.map(({ workers = 1 }) => workers),
    [2, 1, 2],
  );
  assert.deepEqual(
    starts.slice(1).map(({ step }) => step),
    ends.slice(0, -1).map(({ step }) => step),
  );
  for (const { step, counts } of ends)
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      step,
    );
});

// Each launcher meets a process that stops once: one its leader, the other a worker.
for (const [i, launcher] of mpiLaunchers.entries()) {
  const who = i === 0 ? "a worker" : "the leader";
  test(`${launcher.name}: ${who} that stops ends the group in time, and the same command goes on`, async () => {
    const config = await place.config("stopped.json", endless);
    const folder = runFolder(place.path(`${launcher.name}-stopped`));
    const args = [config, "--folder", folder.path];
    const run = train(launcher, 2, args, { CODISTILL_SILENT_SECONDS: SILENT_SECONDS });
    const { pid: leader = 0 } = await nextEvent(run, folder, 0, "group-start");
    await nextEvent(run, folder, 0, "checkpoint");
    const [worker] = trainingIn(folder).filter((pid) => pid !== leader);
    assert.ok(worker !== undefined);
    process.kill(i === 0 ? worker : leader, "SIGSTOP");
    const { code, shown } = await run.ended;
    assert.ok(code !== 0 && code !== 2, shown);
    assert.match(
      shown,
      new RegExp(
        `and worker ${i === 0 ? 1 : 0} on \\S+ was not heard of for ${SILENT_SECONDS} s: its process has stopped`,
      ),
    );

    await savedAfterAStep(train(launcher, 2, args), folder);
    assert.ok((ofKind(eventsOf(folder, 0), "group-start").at(-1)?.step ?? 0) >= 20, "it goes on from its checkpoint");
  });
}

test("teachers of another group reach workers in processes", { skip }, async () => {
  const codistill = { burnInSteps: 0, publishInterval: 50, exchangeInterval: 10 };
  const far = { validationInterval: 1_000_000, checkpointInterval: 1_000_000 };
  const changes = { ...endless, ...far, numGroups: 2, algorithm: { ...asyncSgd, codistill } };
  const config = await place.config("groups.json", changes);
  const inGroup = (group: number, folder: RunFolder) => {
    return [config, "--store", place.path("store"), "--group", String(group), "--folder", folder.path];
  };
  const other = runFolder(place.path("other"));
  const teacher = place.codistill(["train", ...inGroup(1, other)]);
  for (const name of ["group-start", "published"] as const) await nextEvent(teacher, other, 1, name);
  process.kill(teacher.pid, "SIGUSR1");
  const own = runFolder(place.path("taught"));
  const run = train(first as MpiLauncher, 3, inGroup(0, own));
  const isTaught = ({ distillLoss, gradients }: Extract<LoggedEvent, { readonly event: "step" }>) =>
    distillLoss !== null && gradients?.workers.length === 2;
  await nextEvent(run, own, 0, "group-start");
  await eventually(
    "steps of both workers with a teacher",
    () => ofKind(eventsOf(own, 0), "step").find(isTaught) ?? null,
    run.output,
  );
  process.kill(run.pid, "SIGUSR1");
  for (const { ended } of [teacher, run]) {
    const { code, shown } = await ended;
    assert.equal(code, 0, shown);
  }
});
