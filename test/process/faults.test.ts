/** What can befall one group of a run, beside a death after which it comes back. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readPointer } from "../../src/checkpoint/snapshot.js";
import { directoryStore } from "../../src/node/stores/directory-store.js";
import { groupFiles } from "../../src/run/saved-group.js";
import { withFault } from "./fault.js";
import { eventsOf, ofKind, workplace } from "./fixture.js";
import { bestOf, checkpointOf, resultOf } from "./results.js";
import { tinyConfig } from "./tiny.js";

const place = workplace();

test("group 0 killed before its first validation: no model, and the reason; resuming begins again", async () => {
  const fault = withFault({ process: 0, file: "best", at: "rename", effect: "SIGKILL" });
  const run = place.train([await place.config("config.json")], fault);
  const { code, stderr, shown } = await run.ended;
  const folder = await run.folder();
  assert.equal(code, 1, shown);
  assert.match(stderr, /^codistill: train: group 0 ended before its first validation.*killed by SIGKILL\n$/, shown);
  assert.ok(!existsSync(folder.result) && !existsSync(folder.model.onnx), shown);
  assert.equal(ofKind(eventsOf(folder, 1), "group-end").at(-1)?.reason, "finished", shown);

  const resumed = await place.resume(folder).ended;
  assert.equal(resumed.code, 0, resumed.shown);
  assert.equal(resultOf(folder).groups.length, 2, resumed.shown);
});

test("a group that alone is told to stop leaves the run unfinished; one that dies at the start of a resumed run has not stopped", async () => {
  const fault = withFault({ process: 1, file: "checkpoint", at: "rename", effect: "SIGTERM" });
  const run = place.train([await place.config("config.json")], fault);
  const { code, stdout, shown } = await run.ended;
  assert.equal(code, 1, shown);
  assert.match(stdout, /^group 1 .*stopped$/m, shown);
  const folder = await run.folder();

  const deaths = withFault({ process: "groups", file: "declaration", at: "open", effect: "SIGKILL" });
  const dead = await place.resume(folder, deaths).ended;
  assert.equal(dead.code, 1, dead.shown);
  for (const group of [0, 1])
    assert.match(dead.stdout, new RegExp(`group ${group} failed: .*killed by SIGKILL`), dead.shown);
  assert.deepEqual(
    resultOf(folder).groups.map(({ ended }) => ended),
    ["failed", "failed"],
    dead.shown,
  );
  const resumed = await place.resume(folder).ended;
  assert.equal(resumed.code, 0, resumed.shown);
});

test("a group that begins again publishes snapshots that stay, whatever it left of later steps", async () => {
  const algorithm = { ...tinyConfig.algorithm, keepSnapshots: 2 };
  const config = await place.config("config.json", { algorithm, numSteps: 600, checkpointInterval: 1000 });
  const run = place.train([config], withFault({ process: 1, file: "snapshot", at: "open", nth: 4, effect: "SIGKILL" }));
  const ended = await run.ended;
  assert.equal(ended.code, 1, ended.shown);
  const folder = await run.folder();
  const store = directoryStore(folder.store);
  const left = await store.list("groups/1/snapshots/");
  assert.ok(left.length === 2 && left.every((name) => !name.includes("/000000050-")), `${left}\n${ended.shown}`);

  // Killed again when it has published once: the pointer's snapshot is there, though the others are of later steps.
  const fault = withFault({ process: 1, file: "pointer", at: "open", nth: 2, effect: "SIGKILL" });
  const resumed = await place.resume(folder, fault).ended;
  assert.equal(resumed.code, 1, resumed.shown);
  const pointer = await readPointer(store, 1);
  assert.equal(pointer?.step, 50, resumed.shown);
  assert.ok(await store.get(pointer.name), `${pointer.name} is not there. ${resumed.shown}`);
  assert.deepEqual(ofKind(eventsOf(folder, 0), "exchange-trouble"), [], resumed.shown);
});

test("a full disk is noted for a snapshot, a checkpoint and the best params; for the last checkpoint it ends the group, which comes back", async () => {
  const full = { process: 1, effect: "ENOSPC" } as const;
  const faults = withFault(
    { ...full, file: "snapshot", at: "write" },
    { ...full, file: "best", at: "rename", nth: 2 },
    { ...full, file: "checkpoint", at: "rename", nth: 2 },
    { ...full, file: "checkpoint", at: "write", nth: 4 },
  );
  const run = place.train([await place.config("config.json")], faults);
  const { code, stdout, shown } = await run.ended;
  assert.equal(code, 1, shown);
  const cure = "ENOSPC. Free some space";
  assert.match(stdout, new RegExp(`group 1 could not publish and goes on: .*${cure}`), shown);
  for (const file of ["checkpoint", "best"])
    assert.match(stdout, new RegExp(`could not save and goes on: .*${file}.safetensors: ${cure}`), shown);
  assert.match(stdout, new RegExp(`group 1 failed: cannot write .*checkpoint.safetensors: ${cure}`), shown);
  assert.doesNotMatch(stdout, /\n\s+at /, shown);
  const folder = await run.folder();
  const events = eventsOf(folder, 1);
  assert.equal(ofKind(events, "exchange-trouble").length, 1, shown);
  assert.equal(ofKind(events, "published").at(-1)?.step, tinyConfig.numSteps, shown);
  assert.deepEqual(
    ofKind(events, "checkpoint-trouble").map(({ step }) => step),
    [100, 100],
    shown,
  );
  // What failed once was tried again at the next interval.
  assert.equal((await bestOf(folder, 1))?.step, ofKind(events, "validation").findLast(({ best }) => best)?.step, shown);
  assert.deepEqual(
    ofKind(events, "group-end").map(({ reason, code, step }) => [reason, code, step]),
    [["failed", "STORE", 200]],
    shown,
  );
  assert.equal((await checkpointOf(folder, 1))?.info.step, 150, shown);
  const resumed = await place.resume(folder).ended;
  assert.equal(resumed.code, 0, resumed.shown);
  assert.match(resumed.stdout, /group 1 goes on from step 150/, resumed.shown);
  assert.equal((await checkpointOf(folder, 1))?.info.step, tinyConfig.numSteps, resumed.shown);
});

test("the groups of two runs that start at the same moment do not meet", async () => {
  const config = await place.config("config.json");
  const runs = place.path("runs-at-once");
  const one = ["--set", "numSteps=60", "--set", "numGroups=1"];
  const both = [1, 2].map(() => place.codistill(["train", config, "--runs", runs, ...one]));
  const folders = new Set<string | undefined>();
  for (const run of both) {
    const { code, stdout, shown } = await run.ended;
    assert.equal(code, 0, shown);
    folders.add(/^run folder (.*)$/m.exec(stdout)?.[1]);
  }
  assert.equal(folders.size, both.length, both.map(({ output }) => output()).join("\n"));
});

test("a run whose configuration was edited says what differs, and ends", async () => {
  const folder = await place.finishedCopy();
  const saved = JSON.parse(readFileSync(folder.config, "utf8"));
  writeFileSync(folder.config, JSON.stringify({ ...saved, model: { kind: "mlp", hidden: [8] } }));
  const groups = [0, 1].map((group) => join(folder.group(group).path, groupFiles.checkpoint));
  const kept = [...groups, folder.model.onnx, folder.model.safetensors, folder.result, `${folder.store}/run.json`];
  const contents = () => kept.map((file) => readFileSync(file));
  const before = contents();
  const edited = await place.command(["train", "--resume", folder.path]);
  assert.equal(edited.code, 2, edited.shown);
  assert.match(
    edited.stderr,
    /^codistill: train: the groups of a run must share its declaration:\n +model: the store declares /,
    edited.shown,
  );
  assert.deepEqual(contents(), before, "what the run has is left alone");
});
