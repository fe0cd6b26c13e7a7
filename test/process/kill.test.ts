/** Groups that are killed, in mid-training and at each point of a publication: the others go on, no file is torn. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { readPointer } from "../../src/checkpoint/snapshot.js";
import type { RunFolder } from "../../src/node/runs/run-folder.js";
import { directoryStore } from "../../src/node/stores/directory-store.js";
import { type Fault, withFault } from "./fault.js";
import { allGone, eventsOf, type Options, ofKind, pidOf, workplace } from "./fixture.js";
import type { Ended } from "./processes.js";
import { bestOf, checkpointOf, resultOf } from "./results.js";

const place = workplace();

/** Where a dead writer leaves its temporary file. */
const folders: Readonly<Record<string, string>> = { snapshot: "snapshots", pointer: "pointers", checkpoint: "own" };

interface Case extends Pick<Fault, "file" | "at" | "nth"> {
  readonly name: string;
}

/**
 * The second time, which comes however slow the disk is: by then there is a whole one of each file. The group that dies
 * alternates: what writes a file does not know the group's index. No group leaves a temporary file of one kind twice, and what is not
 * left comes before what is.
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

/** More than a group takes before it is killed in mid-training. */
const numSteps = 1500;

// A run goes on from each death to the next one: that a death does not become the better for it, and half of the starts.
test("a group killed", { concurrency: 2 }, async (t) => {
  const config = await place.config("config.json", { numSteps });
  const dieAgainAndAgain = async (t: TestContext, dead: number) => {
    const run = place.train([config]);
    const folder = await run.folder();
    await t.test("in mid-training", async () => {
      // Its first snapshot is written in the background, however long that takes.
      await run.event(dead, "a snapshot", (event) => event.event === "published");
      await run.event(dead, "step 60", (event) => event.event === "step" && event.step >= 60);
      process.kill(await pidOf(run, dead), "SIGKILL");
      await checkDeath(folder, dead, await run.ended);
    });
    for (const { name, ...point } of cases.filter((_, i) => i % 2 === dead)) {
      await t.test(name, async () => {
        const kind = folders[point.file] ?? "";
        // The death in mid-training may have left one, as a snapshot is written in the background.
        const wasThere = temporariesOf(folder, dead).includes(kind);
        const ended = await goneOn(folder, dead, withFault({ process: dead, effect: "SIGKILL", ...point }));
        await checkDeath(folder, dead, ended);
        // Others may be there too: a snapshot is written in the background, beside a checkpoint.
        const isThere = temporariesOf(folder, dead).includes(kind);
        assert.ok(point.at === "open" ? wasThere || !isThere : isThere, ended.shown);
      });
    }
    await t.test("and going on to its end", () => checkReturn(folder, dead));
  };
  await Promise.all([0, 1].map((dead) => t.test(`group ${dead}`, (t) => dieAgainAndAgain(t, dead))));
});

/** What holds once a group was killed after its first validation and the run has ended. */
async function checkDeath(folder: RunFolder, dead: number, ended: Ended): Promise<void> {
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

/** Resume, which brings the dead group back from its own checkpoint, as a new start of it. */
async function goneOn(folder: RunFolder, dead: number, options: Options = {}): Promise<Ended> {
  const checkpoint = await checkpointOf(folder, dead);
  const before = eventsOf(folder, dead);
  const last = ofKind(before, "group-start").at(-1)?.incarnation ?? 0;
  const ended = await place.resume(folder, options).ended;
  const events = eventsOf(folder, dead).slice(before.length);
  assert.deepEqual(
    ofKind(events, "group-start").map(({ step, incarnation }) => [step, incarnation]),
    [[checkpoint?.info.step ?? 0, last + 1]],
    ended.shown,
  );
  assert.deepEqual(ofKind(events, "exchange-trouble"), [], ended.shown);
  return ended;
}

/** Resuming ends well. */
async function checkReturn(folder: RunFolder, dead: number): Promise<void> {
  const ended = await goneOn(folder, dead);
  const { shown } = ended;
  assert.equal(ended.code, 0, shown);
  // What befell it before is not said again.
  assert.doesNotMatch(ended.stdout, /group \d failed/, shown);
  const end = ofKind(eventsOf(folder, dead), "group-end").at(-1);
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
