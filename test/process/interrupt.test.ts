/** Signals to the whole run: groups save and end, nobody is left behind, and the run can be gone on with. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { RunFolder } from "../../src/node/runs/run-folder.js";
import { withFault } from "./fault.js";
import { allGone, eventsOf, groupsRunning, ofKind, type Training, workplace } from "./fixture.js";
import { commandOf, type Ended, eventually } from "./processes.js";
import { checkpointOf, resultOf } from "./results.js";
import { tinyConfig } from "./tiny.js";

const place = workplace();
const both = [0, 1];

/** More steps than any test takes. */
const endless = ["--set", "numSteps=1000000"];

/** The step events that are there once every one of some groups has come to a step. */
async function reached(run: Training, step: number, groups = both): Promise<number[]> {
  const events = await Promise.all(
    groups.map((group) =>
      run.event(group, `step ${step} of group ${group}`, (event) => event.event === "step" && event.step >= step),
    ),
  );
  return events.map((event) => (event.event === "step" ? event.step : 0));
}

/** Each group of these steps has saved a checkpoint at or after a step, has said that it stopped, and is gone. */
async function checkSaved(folder: RunFolder, steps: readonly number[], shown: string): Promise<void> {
  await allGone(folder, () => shown);
  for (const [group, step] of steps.entries()) {
    const saved = (await checkpointOf(folder, group))?.info.step;
    assert.ok(saved !== undefined && saved >= step, `group ${group} saved step ${saved}. ${shown}`);
    const last = eventsOf(folder, group).at(-1);
    assert.ok(last?.event === "group-end", shown);
    assert.deepEqual([last.reason, last.step], ["stopped", saved], shown);
  }
}

function checkSaysHowToGoOn({ stdout, stderr, shown }: Ended, folder: RunFolder): void {
  assert.match(stdout, /saving and stopping/, shown);
  assert.ok(stdout.includes(`codistill train --resume ${folder.path}`), shown);
  assert.equal(stderr, "", shown);
}

test("a budget of time saves and stops, which is no failure", async () => {
  const config = await place.config("config.json", { numGroups: 1 });
  const run = place.train([config, ...endless, "--stop-after", "4s"]);
  const ended = await run.ended;
  assert.equal(ended.code, 0, ended.shown);
  checkSaysHowToGoOn(ended, await run.folder());
  const wrong = await place.command(["train", "config.json", "--stop-after", "20"]);
  assert.deepEqual([wrong.code, /a duration such as 90s, 20m or 1.5h/.test(wrong.stderr)], [2, true], wrong.shown);
  // What only the run itself finds wrong is refused before there is a run, too.
  const runs = place.path("refused");
  for (const variable of ["CODISTILL_STOP_SECONDS", "CODISTILL_MEMORY"]) {
    const env = { [variable]: "some" };
    const { code, stderr, shown } = await place.codistill(["train", "config.json", "--runs", runs], { env }).ended;
    assert.equal(code, 2, shown);
    assert.match(stderr, new RegExp(`${variable} must be .*got "some"`));
    assert.deepEqual(readdirSync(runs), [], shown);
  }
});

for (const [name, signal, code, toAll] of [
  ["SIGINT to the whole process group, as a terminal sends it", "SIGINT", 130, true],
  ["SIGTERM to the parent, as a notice of the end", "SIGTERM", 0, false],
  ["SIGTERM to the whole process group", "SIGTERM", 0, true],
  ["SIGHUP to the whole process group, as the end of a terminal sends it", "SIGHUP", 129, true],
  ["SIGUSR1 to the whole process group, as a batch system sends it", "SIGUSR1", 0, true],
  ["SIGUSR2 to the parent", "SIGUSR2", 0, false],
] as const) {
  test(`${name} saves and stops`, async () => {
    // One group: that both save is shown below, of SIGINT to the parent.
    const run = place.train([await place.config("config.json", { numGroups: 1 }), ...endless], { detached: toAll });
    const steps = await reached(run, 70, [0]);
    process.kill(toAll ? -run.pid : run.pid, signal);
    const ended = await run.ended;
    assert.deepEqual([ended.code, ended.signal], [code, null], ended.shown);
    const folder = await run.folder();
    checkSaysHowToGoOn(ended, folder);
    assert.equal(
      /stopped by SIGHUP, as its terminal ended .*setsid/.test(ended.stdout),
      signal === "SIGHUP",
      ended.shown,
    );
    await checkSaved(folder, steps, ended.shown);
    assert.ok(!existsSync(folder.result), ended.shown);
  });
}

test("a stopped run is gone on with where it was, and ends with a full result", async () => {
  // Held in their first validation until the word to stop comes, the groups stop at that step and no other.
  const fault = withFault({ process: "groups", file: "best", at: "rename", effect: "hold" });
  const run = place.train([await place.config("config.json", { checkpointInterval: 1000 })], fault);
  assert.deepEqual(await reached(run, 50), [50, 50]);
  process.kill(run.pid, "SIGINT");
  const ended = await run.ended;
  assert.deepEqual([ended.code, ended.signal], [130, null], ended.shown);
  const folder = await run.folder();
  checkSaysHowToGoOn(ended, folder);
  await checkSaved(folder, [50, 50], ended.shown);
  assert.ok(!existsSync(folder.result), ended.shown);

  const before = both.map((group) => eventsOf(folder, group).length);
  const resumed = await place.resume(folder).ended;
  const { shown } = resumed;
  assert.equal(resumed.code, 0, shown);
  assert.doesNotMatch(resumed.stdout, /saving and stopping/, shown);
  for (const group of both) {
    const events = eventsOf(folder, group).slice(before[group]);
    assert.deepEqual(
      ofKind(events, "group-start").map(({ step, incarnation }) => [step, incarnation]),
      [[50, 2]],
      shown,
    );
    assert.deepEqual(
      ofKind(events, "step").map(({ step }) => step),
      [60, 70, 80, 90, 100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200],
      shown,
    );
    assert.match(resumed.stdout, new RegExp(`group ${group} goes on from step 50`), shown);
  }
  assert.deepEqual(
    resultOf(folder).groups.map((group) => group.ended),
    ["finished", "finished"],
    shown,
  );
  assert.ok(existsSync(folder.model.onnx) && existsSync(folder.model.safetensors), shown);
});

test("a second SIGINT leaves at once and leaves no group behind", async () => {
  const fault = withFault({ process: "groups", file: "checkpoint", at: "write", effect: "stuck" });
  const run = place.train([await place.config("config.json", { checkpointInterval: 60 })], fault);
  await reached(run, 60);
  const folder = await run.folder();
  process.kill(run.pid, "SIGINT");
  await run.said(/saving and stopping/);
  assert.equal(groupsRunning(folder).length, 2, run.output());
  process.kill(run.pid, "SIGINT");
  const ended = await run.ended;
  assert.deepEqual([ended.code, ended.signal], [130, null], ended.shown);
  await allGone(folder, () => ended.shown);
});

test("groups whose parent was killed save and end", async () => {
  const run = place.train([await place.config("config.json"), ...endless]);
  const steps = await reached(run, 70);
  const folder = await run.folder();
  process.kill(run.pid, "SIGKILL");
  const ended = await run.ended;
  assert.equal(ended.signal, "SIGKILL", ended.shown);
  await checkSaved(folder, steps, ended.shown);

  const before = eventsOf(folder, 0).length;
  const resumed = place.resume(folder);
  await resumed.event(0, "a step after the resumption", ({ event }) => event === "step", before);
  process.kill(resumed.pid, "SIGTERM");
  assert.equal((await resumed.ended).code, 0, resumed.output());
});

test("groups whose parent was killed while they started end too", async () => {
  const fault = withFault({ process: "groups", file: "program", at: "open", effect: "orphan" });
  const run = place.train([await place.config("config.json"), ...endless], fault);
  const folder = await run.folder();
  const pids = await Promise.all(
    both.map((group) => {
      const { errors } = folder.group(group);
      const look = () => /process (\d+) waits/.exec(existsSync(errors) ? readFileSync(errors, "utf8") : "");
      return eventually(`group ${group} waiting`, look, run.output).then((match) => Number(match[1]));
    }),
  );
  process.kill(run.pid, "SIGKILL");
  const { shown } = await run.ended;
  const isLeft = (pid: number) => commandOf(pid).includes(folder.path);
  await eventually(
    "the end of all groups",
    () => (pids.some(isLeft) ? null : true),
    () => shown,
  );
  for (const group of both) {
    const last = eventsOf(folder, group).at(-1);
    assert.ok(last?.event === "group-end" && last.reason === "stopped", shown);
  }
});

test("one SIGTERM ends a run of which one group is stuck at its start, the other one saves, and the code is no 0", async () => {
  const { env } = withFault({ process: 1, file: "program", at: "open", effect: "orphan" });
  const run = place.train([await place.config("config.json"), ...endless], {
    env: { ...env, CODISTILL_STOP_SECONDS: "20" },
  });
  const step = await run.event(0, "a step", ({ event }) => event === "step");
  process.kill(run.pid, "SIGTERM");
  const { code, stdout, stderr, shown } = await run.ended;
  assert.equal(code, 1, shown);
  assert.match(stdout, /group 1 failed: its process did not answer, asked to stop, within 20 s, and was ended/, shown);
  assert.match(stderr, /a run that is stopped saves every group, and group 1 did not save/, shown);
  const folder = await run.folder();
  await allGone(folder, () => shown);
  const saved = (await checkpointOf(folder, 0))?.info.step ?? 0;
  assert.ok(step.event === "step" && saved >= step.step, shown);
});

test("a run goes on when nobody reads what it says any more", async () => {
  const run = place.train([await place.config("config.json", { numGroups: 1 })]);
  await run.said(/run folder/);
  run.child.stdout?.destroy();
  const { code, stderr, shown } = await run.ended;
  assert.deepEqual([code, stderr], [0, ""], shown);
  assert.equal(resultOf(await run.folder()).groups.length, 1, shown);
});

test("SIGINT while the data is prepared stops too, and the run can be gone on with", async () => {
  // Its own rows, so that no other test has filled the cache with them.
  const data = { ...tinyConfig.data, shardBy: "date || city || size" };
  const fault = withFault({ process: "parent", file: "cache", at: "open", effect: "SIGINT" });
  const run = place.train([await place.config("config.json", { data, numGroups: 1 })], fault);
  const ended = await run.ended;
  const folder = await run.folder();
  assert.equal(ended.code, 130, ended.shown);
  checkSaysHowToGoOn(ended, folder);
  const resumed = await place.resume(folder).ended;
  assert.equal(resumed.code, 0, resumed.shown);
});

test("a run whose data has changed is refused by its declaration where data.json is gone, and its model stays", async () => {
  const folder = await place.finishedCopy();
  const half = readFileSync(place.path("rows.csv"), "utf8").split("\n").slice(0, 3000);
  const config = JSON.parse(readFileSync(folder.config, "utf8"));
  config.data.source = [await place.write("half.csv", half.join("\n"))];
  writeFileSync(folder.config, JSON.stringify(config));
  rmSync(folder.data);
  const model = readFileSync(folder.model.onnx);
  const { code, stderr, shown } = await place.command(["train", "--resume", folder.path]);
  assert.equal(code, 2, shown);
  assert.match(stderr, /the groups of a run must share its declaration:\n +data: the store declares/, shown);
  assert.deepEqual(readFileSync(folder.model.onnx), model);
});

test("resuming what is no run folder is refused", async () => {
  for (const [args, pattern] of [
    [["--resume", place.path("nowhere")], /nowhere is not a run folder: it has no config\.json/],
    [["--resume", place.path()], /is not a run folder/],
    [["config.json", "--resume", place.path()], /is not a run folder/],
  ] as const) {
    const ended = await place.command(["train", ...args]);
    assert.equal(ended.code, 2, ended.shown);
    assert.match(ended.stderr, pattern, ended.shown);
    assert.doesNotMatch(ended.stderr, /\n\s+at /, ended.shown);
    assert.equal(ended.stdout, "", ended.shown);
  }
  assert.ok(!existsSync(place.path("nowhere")));
});

test("a run that has ended is scored again by its own configuration, and another one is refused with each difference", async () => {
  const config = await place.config("config.json");
  const folder = await place.finishedCopy();
  const { path, config: saved } = folder;
  const result = resultOf(folder);
  const before = readFileSync(saved);
  const resumed = (...args: string[]) => ["train", ...args, "--resume", path];
  for (const args of [[config], [config, "--set", "seed=5"], ["--set", "numSteps=200"]]) {
    const { code, stdout, stderr, shown } = await place.command(resumed(...args));
    assert.equal(code, 2, shown);
    assert.equal(stdout, "", shown);
    assert.match(stderr, /\n {2}numSteps: the run has 60, this configuration has 200\n/, shown);
    assert.equal(/\n {2}seed: the run has 1, this configuration has 5\n/.test(stderr), args.includes("seed=5"), shown);
    assert.match(stderr, /\nLeave the configuration and --set out to go on with the run's, or /, shown);
    assert.deepEqual(readFileSync(saved), before, "a refused configuration is not saved");
  }
  const same = await place.codistill(resumed(config, "--set", "numSteps=60", "--set", "logInterval=7")).ended;
  assert.equal(same.code, 0, same.shown);
  assert.deepEqual(resultOf(folder), result, same.shown);
  assert.match(same.stdout, /group 0 goes on from step 60/, same.shown);
  assert.equal(JSON.parse(readFileSync(saved, "utf8")).logInterval, 7, same.shown);
  const set = await place.codistill(resumed("--set", "restarts=2")).ended;
  assert.equal(set.code, 0, set.shown);
  const { restarts, logInterval } = JSON.parse(readFileSync(saved, "utf8"));
  assert.deepEqual({ restarts, logInterval }, { restarts: 2, logInterval: 7 }, set.shown);
});

test("a run folder of a newer version is refused, and the file named", async () => {
  const folder = await place.finishedCopy();
  for (const [file, name] of [
    [folder.config, "config.json"],
    [folder.data, "data.json"],
    [folder.group(0).log, "log.jsonl"],
    [folder.result, "result.json"],
  ] as const) {
    const before = readFileSync(file, "utf8");
    assert.match(before, /"version": ?2\b/, name);
    writeFileSync(file, before.replace(/"version": ?2\b/, '"version":3'));
    const command = name === "result.json" ? ["inspect", folder.path] : ["train", "--resume", folder.path];
    const { code, stderr, shown } = await place.command(command);
    assert.equal(code, 2, shown);
    assert.match(stderr, new RegExp(`${name}.* version must be 2, got 3`), shown);
    writeFileSync(file, before);
  }
});
