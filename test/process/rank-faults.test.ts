/** What can befall a group whose workers are processes of a launcher of MPI: it ends in time, and the same command goes on. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import type { LoggedEvent } from "../../src/log/events.js";
import { type RunFolder, runFolder } from "../../src/node/runs/run-folder.js";
import { type MpiLauncher, mpiLaunchers } from "../fixtures/mpi-launchers.js";
import { withFault } from "./fault.js";
import { eventsOf, kernelFile, mainFile, nextEvent, ofKind, trainingIn, workplace } from "./fixture.js";
import { cannotMount, fill, mountSmall } from "./mounts.js";
import { eventually, type Running } from "./processes.js";
import { checkpointOf } from "./results.js";

const place = workplace();
const one = { numGroups: 1, numSteps: 60, globalBatchSize: 48, validationInterval: 20, checkpointInterval: 20 };
const endless = { ...one, numSteps: 1_000_000 };
/** Longer than a process takes to come on a machine that does much else. */
const SILENT_SECONDS = "10";

interface RankOptions {
  /** What stands before the command of rank 1. */
  readonly before?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Start `codistill train <args>` at two ranks. */
function train(launcher: MpiLauncher, args: readonly string[], { before = [], env }: RankOptions = {}): Running {
  const rank = (...program: string[]) => ["-n", "1", ...program, process.execPath, mainFile, "train", ...args];
  const { command, flags } = launcher;
  return place.start(command, [...flags, ...rank(), ":", ...rank(...before)], { env: { ...launcher.env, ...env } });
}

/** The steps at which a group's starts began. */
const starts = (folder: RunFolder, group = 0) => ofKind(eventsOf(folder, group), "group-start").map(({ step }) => step);

/** Start a group again by the command that it had, and let it save as soon as it trains; gives the step at which it began. */
async function goOn(launcher: MpiLauncher, args: readonly string[], folder: RunFolder): Promise<number> {
  const before = eventsOf(folder, 0).length;
  const run = train(launcher, args);
  const { step } = await nextEvent(run, folder, 0, "group-start", before);
  process.kill(run.pid, "SIGUSR1");
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  return step;
}

for (const [i, launcher] of mpiLaunchers.entries()) {
  const { name } = launcher;
  for (const [j, signal] of (["SIGKILL", "SIGSTOP"] as const).entries()) {
    // Each launcher meets one of them at the leader, and the other at the other process.
    const isLeader = (i + j) % 2 === 0;
    test(`${name}: ${signal} of the ${isLeader ? "leader" : "other process"} ends the group in time, and the same command goes on`, async () => {
      const folder = runFolder(place.path(`${name}-${signal}`));
      const args = [await place.config("long.json", endless), "--folder", folder.path];
      const run = train(
        launcher,
        args,
        signal === "SIGSTOP" ? { env: { CODISTILL_SILENT_SECONDS: SILENT_SECONDS } } : {},
      );
      await nextEvent(run, folder, 0, "checkpoint");
      const { pid: leader } = await nextEvent(run, folder, 0, "group-start");
      const [other, ...more] = trainingIn(folder).filter((pid) => pid !== leader);
      assert.ok(leader !== undefined && other !== undefined && more.length === 0);
      process.kill(isLeader ? leader : other, signal);
      const { code, shown } = await run.ended;
      assert.ok(code !== 0 && code !== 2, shown);
      const named = new RegExp(
        `of 2 workers not all have come within ${SILENT_SECONDS} s \\(missing: worker ${isLeader ? 0 : 1} on \\S+\\): a process has stopped, or a machine or the network`,
      );
      if (signal === "SIGSTOP") assert.match(shown, named);

      assert.ok((await goOn(launcher, args, folder)) >= 20, "it goes on from its checkpoint");
    });
  }

  test(`${name}: a process that is held back is waited for, and given up in time`, async () => {
    const gate = place.path(`${name}-gate`);
    execFileSync("mkfifo", [gate]);
    const before = ["sh", "-c", 'read -r word < "$0"; exec "$@"', gate];
    const folder = runFolder(place.path(`${name}-late`));
    const args = [await place.config("late.json", one), "--folder", folder.path];

    const without = await train(launcher, args, { before, env: { CODISTILL_START_SECONDS: "1" } }).ended;
    assert.ok(without.code !== 0 && without.code !== 2, without.shown);
    assert.match(
      without.shown,
      /of 2 that mpi\w+ of (Open MPI|MPICH).* started not all have come within 1 s, for which worker 0 waited/,
    );

    const late = train(launcher, args, { before });
    const isInMpi = (pid: number) => kernelFile(pid, "maps").includes("libmpi");
    await eventually("the leader in MPI", () => trainingIn(folder).find(isInMpi) ?? null, late.output);
    await writeFile(gate, "go\n");
    const { code, shown } = await late.ended;
    assert.equal(code, 0, shown);
    assert.deepEqual(starts(folder), [0]);
  });
}

const [first, second = first] = mpiLaunchers;
const skip = first === undefined ? "no launcher of MPI is installed" : false;
const launchers = [first, second] as readonly [MpiLauncher, MpiLauncher];

test("a full disk of the leader: the group that is told to stop cannot save and says so, and with space it goes on from what it had", {
  skip: skip || cannotMount,
}, async (t) => {
  const folder = runFolder(place.path("leader-full"));
  mountSmall(t, folder.path, 4 << 20);
  const args = [await place.config("full.json", endless), "--folder", folder.path];
  const run = train(launchers[0], args);
  await nextEvent(run, folder, 0, "checkpoint");
  const makeRoom = fill(folder.path);
  process.kill(run.pid, "SIGUSR1");
  const { code, shown } = await run.ended;
  assert.ok(code !== 0 && code !== 2, shown);
  assert.match(shown, /ENOSPC\. Free some space/);
  const kept = await checkpointOf(folder, 0);
  assert.ok(kept && kept.info.step >= 20);
  makeRoom();
  assert.equal(await goOn(launchers[0], args, folder), kept.info.step);
});

test("a full disk of another process ends the group before its first step with that process's name, and with space the same command trains", {
  skip: skip || cannotMount,
}, async (t) => {
  const cache = place.path("cache-full");
  mountSmall(t, cache, 4 << 20);
  const makeRoom = fill(cache);
  const folder = runFolder(place.path("other-full"));
  const args = [await place.config("cached.json", one), "--folder", folder.path];
  const before = ["env", `CODISTILL_CACHE=${cache}`];
  const { code, shown } = await train(launchers[1], args, { before }).ended;
  assert.notEqual(code, 0, shown);
  assert.match(shown, /worker 1 on \S+: data: prepared data is kept in .*cache-full, and .*Make room there/);
  assert.deepEqual(ofKind(eventsOf(folder, 0), "step"), []);
  makeRoom();
  const again = await train(launchers[1], args, { before }).ended;
  assert.equal(again.code, 0, again.shown);
});

test("of two groups with a launcher each, one whose process is killed comes back and is taught again, and the other one never notices", {
  skip,
}, async () => {
  const algorithm = { burnInSteps: 20, publishInterval: 10, exchangeInterval: 10 };
  const config = await place.config("two.json", { ...endless, numGroups: 2, algorithm });
  const store = place.path("two-store");
  const folders = [0, 1].map((group) => runFolder(place.path(`two-${group}`))) as [RunFolder, RunFolder];
  const start = (group: 0 | 1, options?: RankOptions) => {
    const args = [config, "--store", store, "--group", String(group), "--folder", folders[group].path];
    return train(launchers[group], args, options);
  };
  const isTaught = (event: LoggedEvent) => event.event === "step" && event.teachers.length > 0;
  const taught = (group: 0 | 1, run: Running, skip = 0) =>
    eventually(
      "steps with a teacher",
      () => eventsOf(folders[group], group).slice(skip).find(isTaught) ?? null,
      run.output,
    );

  const whole = start(0);
  // With half of its second checkpoint written.
  const killed = await start(
    1,
    withFault({ process: "parent", file: "checkpoint", at: "write", nth: 2, effect: "SIGKILL" }),
  ).ended;
  assert.ok(killed.code !== 0 && killed.code !== 2, killed.shown);
  const before = eventsOf(folders[1], 1);
  const steps = eventsOf(folders[0], 0).length;
  await nextEvent(whole, folders[0], 0, "step", steps);

  const back = start(1);
  await taught(1, back, before.length);
  assert.deepEqual(starts(folders[1], 1), [0, 20]);
  await taught(0, whole, steps);
  for (const run of [whole, back]) {
    process.kill(run.pid, "SIGUSR1");
    const { code, shown } = await run.ended;
    assert.equal(code, 0, shown);
  }
  assert.deepEqual(starts(folders[0], 0), [0]);
  assert.deepEqual(ofKind(eventsOf(folders[0], 0), "exchange-trouble"), []);
});
