/** Groups that are killed, in mid-training and at each point of a publication: the others go on, no file is torn. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { readPointer } from "../../src/checkpoint/snapshot.js";
import type { RunFolder } from "../../src/node/runs/run-folder.js";
import { directoryStore } from "../../src/node/stores/directory-store.js";
import { type Fault, withFault } from "./fault.js";
import { allGone, eventsOf, ofKind, pidOf, workplace } from "./fixture.js";
import type { Ended } from "./processes.js";
import { bestOf, checkpointOf, resultOf } from "./results.js";
import { tinyConfig } from "./tiny.js";

const place = workplace();

test("a group killed in mid-training", async (t) => {
  for (const dead of [0, 1]) {
    await t.test(`group ${dead}`, async () => {
      const numSteps = 1500;
      const run = place.train([await place.config("config.json"), "--set", `numSteps=${numSteps}`]);
      await run.event(dead, "step 60", (event) => event.event === "step" && event.step >= 60);
      process.kill(await pidOf(run, dead), "SIGKILL");
      const folder = await run.folder();
      await checkDeath(folder, dead, numSteps, await run.ended);
      await checkReturn(folder, dead, numSteps);
    });
  }
});

/** Where a dead writer leaves its temporary file. */
const folders: Readonly<Record<string, string>> = { snapshot: "snapshots", pointer: "pointers", checkpoint: "own" };

interface Case extends Pick<Fault, "file" | "at" | "nth"> {
  readonly name: string;
}

/**
 * The second time, which comes however slow the disk is: by then there is a whole one of each file. The group that dies
 * alternates: what writes a file does not know the group's index, and what a run makes of a dead group 0 or 1 is above.
 */
const cases: readonly Case[] = [
  { name: "before a snapshot is opened", file: "snapshot", at: "open", nth: 2 },
  { name: "in the middle of a snapshot", file: "snapshot", at: "write", nth: 2 },
  { name: "between a snapshot and its name", file: "snapshot", at: "rename", nth: 2 },
  { name: "between a snapshot and its pointer", file: "pointer", at: "open", nth: 2 },
  { name: "in the middle of a pointer", file: "pointer", at: "write", nth: 2 },
  { name: "between a pointer and its name", file: "pointer", at: "rename", nth: 2 },
  { name: "in the middle of a checkpoint", file: "checkpoint", at: "write", nth: 2 },
];

test("a group killed", { concurrency: 2 }, async (t) => {
  const config = await place.config("config.json");
  const kill = async ({ name: _, ...point }: Case, dead: number) => {
    const run = place.train([config], withFault({ process: dead, effect: "SIGKILL", ...point }));
    const ended = await run.ended;
    const folder = await run.folder();
    await checkDeath(folder, dead, tinyConfig.numSteps, ended);
    // Others may be there too: a snapshot is written in the background, beside a checkpoint.
    assert.equal(temporariesOf(folder, dead).includes(folders[point.file] ?? ""), point.at !== "open", ended.shown);
    await checkReturn(folder, dead, tinyConfig.numSteps);
  };
  await Promise.all(cases.map((each, i) => t.test(`${each.name}, group ${i % 2}`, () => kill(each, i % 2))));
});

/** What holds once a group was killed after its first validation and the run has ended. */
async function checkDeath(folder: RunFolder, dead: number, numSteps: number, ended: Ended): Promise<void> {
  const { shown } = ended;
  const alive = 1 - dead;
  await allGone(folder, () => shown);

  const others = eventsOf(folder, alive);
  const lastOfOthers = ofKind(others, "group-end").at(-1);
  assert.deepEqual([lastOfOthers?.reason, lastOfOthers?.step], ["finished", numSteps], shown);
  assert.deepEqual(ofKind(others, "exchange-trouble"), [], shown);

  const own = eventsOf(folder, dead);
  const lastStep = ofKind(own, "step").at(-1)?.step;
  const last = own.at(-1);
  assert.ok(last?.event === "group-end", shown);
  assert.deepEqual([last.reason, last.step], ["failed", lastStep], shown);
  assert.match(last.message ?? "", /its process was killed by SIGKILL/, shown);
  await checkFiles(folder, shown);

  assert.equal(ended.code, 1, shown);
  assert.match(ended.stdout, new RegExp(`group ${dead} failed.*SIGKILL`), shown);
  assert.match(ended.stdout, new RegExp(`group ${dead} +${lastStep?.toLocaleString("en-US")}/.* failed`), shown);
  const result = resultOf(folder);
  assert.deepEqual(
    result.groups.map(({ group, ended: how }) => [group, how]),
    [0, 1].map((group) => [group, group === dead ? "failed" : "finished"]),
    shown,
  );
  const best = await bestOf(folder, dead);
  assert.equal(result.groups[dead]?.step, best?.step, shown);
  assert.equal(result.shippedGroup, 0, shown);
  assert.ok(existsSync(folder.model.onnx) && existsSync(folder.model.safetensors), shown);
  assert.match(ended.stdout, new RegExp(`^group ${dead} .*failed$`, "m"), shown);
}

/** Resuming brings the dead group back from its own checkpoint and ends well. */
async function checkReturn(folder: RunFolder, dead: number, numSteps: number): Promise<void> {
  const checkpoint = await checkpointOf(folder, dead);
  const before = eventsOf(folder, dead).length;
  const ended = await place.resume(folder).ended;
  const { shown } = ended;
  assert.equal(ended.code, 0, shown);
  // What befell it before is not said again.
  assert.doesNotMatch(ended.stdout, /group \d failed/, shown);
  const events = eventsOf(folder, dead).slice(before);
  const start = ofKind(events, "group-start").at(0);
  assert.deepEqual(
    [start?.step, start?.incarnation],
    [checkpoint?.info.step ?? 0, (checkpoint?.info.incarnation ?? 0) + 1],
    shown,
  );
  assert.deepEqual(ofKind(events, "exchange-trouble"), [], shown);
  const end = ofKind(events, "group-end").at(-1);
  assert.deepEqual([end?.reason, end?.step], ["finished", numSteps], shown);
  assert.equal((await checkpointOf(folder, dead))?.info.step, numSteps, shown);
  assert.deepEqual(
    resultOf(folder).groups.map(({ ended: how }) => how),
    ["finished", "finished"],
    shown,
  );
  await checkFiles(folder, shown);
}

/** Every file of the store is what its name says, every pointer points to one, and the groups' own files are whole. */
async function checkFiles(folder: RunFolder, shown: string): Promise<void> {
  const store = directoryStore(folder.store);
  const names = await store.list("");
  assert.ok(names.includes("run.json"), shown);
  for (const name of names.filter((each) => each.endsWith(".safetensors"))) {
    const digest = createHash("sha256")
      .update((await store.get(name)) ?? "")
      .digest("hex");
    assert.equal(/-([0-9a-f]{8})\.safetensors$/.exec(name)?.[1], digest.slice(0, 8), `${name}\n${shown}`);
  }
  for (const group of [0, 1]) {
    const pointer = await readPointer(store, group);
    assert.ok(pointer, `group ${group} has no pointer\n${shown}`);
    const bytes = await store.get(pointer.name);
    assert.ok(bytes, `${pointer.name} is not there\n${shown}`);
    assert.equal(createHash("sha256").update(bytes).digest("hex"), pointer.sha256, shown);
    assert.equal(bytes.length, pointer.bytes, shown);
    assert.ok(await checkpointOf(folder, group), shown);
    assert.ok(await bestOf(folder, group), shown);
  }
}

/** The temporary files that a group has left, as the kinds of folders they are in. */
function temporariesOf(folder: RunFolder, group: number): string[] {
  const roots = [join(folder.store, "groups", String(group)), folder.group(group).path];
  const paths = roots.flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: "utf8" }).map((name) => join(root, name)),
  );
  return paths
    .filter((path) => basename(path).startsWith(".tmp-"))
    .map((path) => {
      if (dirname(path) === folder.group(group).path) return "own";
      return basename(dirname(path)) === "snapshots" ? "snapshots" : "pointers";
    });
}
