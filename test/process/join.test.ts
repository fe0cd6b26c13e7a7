/** Groups of one run that are started one by one, as on machines that share nothing but a store. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { readLog } from "../../src/node/runs/read-log.js";
import { readScope } from "../../src/node/runs/scope.js";
import { withFault } from "./fault.js";
import { ofKind, type Training, workplace } from "./fixture.js";
import { resultOf } from "./results.js";
import { tinyConfig } from "./tiny.js";

const place = workplace();
const endless = { numSteps: 1_000_000, restarts: 3 };

async function stopped(...runs: Training[]): Promise<void> {
  for (const run of runs) process.kill(run.pid, "SIGINT");
  for (const run of runs) assert.equal((await run.ended).code, 130, run.output());
}

async function scopeOf(run: Training) {
  return readScope(await run.folder(), 2);
}

test("joiners take the free groups in order and teach one another, by the path of a store and its URL; one too many is refused", async () => {
  const config = await place.config("join.json", endless);
  const store = place.path("store-join");
  const first = place.train([config, "--store", store]);
  await first.event(0, "the start", ({ event }) => event === "group-start");
  const second = place.train([config, "--store", pathToFileURL(store).href]);
  await second.event(1, "a teacher", ({ event }) => event === "fetched");
  await first.event(0, "a teacher", ({ event }) => event === "fetched");
  assert.deepEqual((await scopeOf(first)).groups, [0]);
  const { groups, store: itsStore, joined } = await scopeOf(second);
  assert.deepEqual([groups, itsStore, joined?.hasEntered], [[1], store, true]);

  const third = await place.command(["train", config, "--store", store]);
  assert.equal(third.code, 2, third.shown);
  assert.match(third.stderr, /all 2 groups of this run are taken.*--group/, third.shown);
  await stopped(first, second);
});

test("a joined run is resumed as the same group of the same store, and ships its own model", async () => {
  const config = await place.config("alone.json", { numSteps: 1500 });
  const store = place.path("store-alone");
  const run = place.train([config, "--store", store, "--group", "1"]);
  await run.event(1, "a checkpoint", ({ event }) => event === "checkpoint");
  await stopped(run);
  const folder = await run.folder();
  const { code, shown } = await place.resume(folder).ended;
  assert.equal(code, 0, shown);
  assert.deepEqual(
    ofKind(readLog(folder.group(1).log), "group-start").map(({ incarnation }) => incarnation),
    [1, 2],
  );
  const result = resultOf(folder);
  assert.deepEqual([result.groups.map(({ group }) => group), result.shippedGroup], [[1], 1]);
  assert.ok(existsSync(folder.model.onnx), shown);
});

test("a group that joins and is stopped while its data is prepared goes on as that group in that store", async () => {
  // Its own rows, so that no other test has filled the cache with them.
  const data = { ...tinyConfig.data, shardBy: "size || hour" };
  const config = await place.config("early.json", { numSteps: 60, data });
  const store = place.path("store-early");
  const fault = withFault({ process: "parent", file: "cache", at: "open", effect: "SIGTERM" });
  // One names its group and one takes the first that is free.
  const named = place.train([config, "--store", store, "--group", "1"], fault);
  assert.equal((await named.ended).code, 0, named.output());
  const free = place.train([config, "--store", store], fault);
  assert.equal((await free.ended).code, 0, free.output());
  assert.equal(existsSync(store), false);
  const first = place.resume(await named.folder());
  assert.equal((await first.ended).code, 0, first.output());
  const second = place.resume(await free.folder());
  assert.equal((await second.ended).code, 0, second.output());
  for (const [run, group] of [
    [named, 1],
    [free, 0],
  ] as const) {
    const folder = await run.folder();
    assert.deepEqual(
      resultOf(folder).groups.map((one) => one.group),
      [group],
    );
    assert.equal(existsSync(folder.store), false);
    assert.ok(existsSync(join(store, "groups", String(group), "latest.json")));
  }

  // Where the store is not there, as without its mount, no other run is begun in its place.
  renameSync(store, `${store}-moved`);
  const { code, stderr, shown } = await place.resume(await free.folder()).ended;
  assert.equal(code, 2, shown);
  assert.match(stderr, /goes on in the store .*store-early, and no run is declared there\. Is it mounted\?/, shown);
  assert.equal(existsSync(store), false);
});

test("a group that is started elsewhere takes over: the older one stops, says why, and is not started again", async () => {
  const config = await place.config("over.json", endless);
  const store = place.path("store-over");
  const older = place.train([config, "--store", store, "--group", "0"]);
  await older.event(0, "a publication", ({ event }) => event === "published");
  const newer = place.train([config, "--store", store, "--group", "0"]);
  const start = await newer.event(0, "its start", ({ event }) => event === "group-start");
  assert.ok(start.event === "group-start" && start.step > 0, newer.output());
  await newer.said(/group 0 has no checkpoint here and begins from its snapshot of step [\d,]+ in the store/);
  const { code, stdout, shown } = await older.ended;
  assert.equal(code, 1, shown);
  assert.match(stdout, /group 0 failed: a group runs once at a time: this is its start number 1, and number 2/, shown);
  assert.equal(ofKind(readLog((await older.folder()).group(0).log), "group-start").length, 1, shown);
  await stopped(newer);
});

test("another run's store is refused with the difference, and no group of it is claimed", async () => {
  const store = place.path("store-other");
  const run = place.train([await place.config("one.json", endless), "--store", store, "--group", "0"]);
  await run.event(0, "the start", ({ event }) => event === "group-start");
  const other = await place.command([
    "train",
    await place.config("other.json", { ...endless, seed: 9 }),
    "--store",
    store,
  ]);
  assert.equal(other.code, 2, other.shown);
  assert.match(other.stderr, /seed: the store declares 1, this group has 9/, other.shown);
  assert.equal(existsSync(place.path("store-other", "claims", "1.json")), false);
  await stopped(run);
});

test("a run folder that is trained in is refused to a second program", async () => {
  const run = place.train([await place.config("locked.json", endless)]);
  await run.event(0, "the start", ({ event }) => event === "group-start");
  const second = await place.command(["train", "--resume", (await run.folder()).path]);
  assert.equal(second.code, 2, second.shown);
  assert.match(second.stderr, /process \d+ on .* is at work in .*Stop it first/, second.shown);
  await stopped(run);
});

test("a group without a store, a store of no known kind, and an index that is none, are refused; nothing is made", async () => {
  const config = await place.config("wrong.json");
  const before = readdirSync(place.path());
  for (const [args, message] of [
    [["--group", "1"], /give --store too/],
    [["--store", "s3://bucket/run"], /a store must be a path or file:.*no store of kind "s3:" is known/],
    [["--store", place.path("s"), "--group", "x"], /index of a group, 0 or more, got "x"/],
    [["--store", place.path("s"), "--group", "2"], /--group must be 0 to 1 \(numGroups is 2\), got 2/],
  ] as const) {
    const { code, stderr, shown } = await place.command(["train", config, ...args]);
    assert.equal(code, 2, shown);
    assert.match(stderr, message, shown);
  }
  assert.deepEqual(readdirSync(place.path()), before);
});
