import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { deadPid } from "../../../test/fixtures/dead-process.js";
import { tinyConfig } from "../../../test/fixtures/tiny-run.js";
import { publishSnapshot, readPointer, readSnapshot } from "../../checkpoint/snapshot.js";
import { ConfigError } from "../../errors.js";
import type { LoggedProcess } from "../../log/events.js";
import { float32 } from "../../runtime/array.js";
import { directoryStore } from "../stores/directory-store.js";
import { type CleanOptions, carryOut, planClean, planLines } from "./clean.js";
import { ownIdentity } from "./process-identity.js";
import { encodeRunFile } from "./run-file.js";

const root = mkdtempSync(join(tmpdir(), "codistill-clean-"));
after(() => rmSync(root, { recursive: true }));
let numFolders = 0;

const keepSnapshots = 2;
const numSnapshots = 5;

interface Run {
  /** How group 1 ended; null when it has not, and the process `pid` trains it. */
  readonly end?: "finished" | "stopped" | "failed" | null;
  readonly pid?: number;
  /** The process that starts the groups. */
  readonly parent?: number;
  /** All of them, as newer versions tell of them. */
  readonly start?: LoggedProcess;
  readonly cache?: string;
}

/** A folder of runs, each with two groups, five snapshots of each, checkpoints, and temporary files new and old. */
async function makeRuns(runs: Readonly<Record<string, Run>>): Promise<string> {
  const folder = join(root, String(numFolders++));
  for (const [name, run] of Object.entries(runs)) await makeRun(join(folder, name), run);
  return folder;
}

async function makeRun(path: string, { end = "finished", pid = deadPid, parent = deadPid, start, ...rest }: Run) {
  const { cache = "a".repeat(64) } = rest;
  const { algorithm, ...config } = tinyConfig({ numGroups: 2 });
  const write = (name: string, content: string | Uint8Array) => writeFileSync(join(path, name), content);
  const logged = (events: readonly object[]) =>
    events.map((event) => `${JSON.stringify({ time: "2026-01-01T00:00:00.000Z", ...event })}\n`).join("");
  mkdirSync(path, { recursive: true });
  write("config.json", encodeRunFile({ ...config, algorithm: { ...algorithm, keepSnapshots } }));
  write("data.json", encodeRunFile({ cache: `.codistill/cache/${cache}`, digest: cache }));
  const isFinished = end === "finished";
  write(
    "log.jsonl",
    logged([{ event: "run-start", pid: parent, ...start }, ...(isFinished ? [{ event: "result" }] : [])]),
  );
  if (isFinished) write("result.json", encodeRunFile({ groups: [], shippedGroup: 0 }));
  for (const group of [0, 1]) {
    const ended = group === 0 ? "finished" : end;
    mkdirSync(join(path, `group-${group}`));
    const events = [
      { event: "group-start", group, pid, ...start, step: 0 },
      ...(ended ? [{ event: "group-end", reason: ended }] : []),
    ];
    write(`group-${group}/log.jsonl`, logged(events));
    for (const name of ["checkpoint", "best"]) write(`group-${group}/${name}.safetensors`, "12345");
    const store = directoryStore(join(path, "store"));
    for (let step = 1; step <= numSnapshots; step++) {
      await publishSnapshot(store, { group, step, incarnation: 1, model: "m", params: { w: float32([step]) } });
    }
    await store.create(`groups/${group}/incarnations/000001.json`, Uint8Array.of(1));
  }
  for (const [name, isOld] of [
    [temporary(deadPid, 1), true],
    [temporary(deadPid, 2), false],
    [temporary(process.pid, 3), true],
  ] as const) {
    write(`group-0/${name}`, "123");
    if (isOld) utimesSync(join(path, "group-0", name), 1e9, 1e9);
  }
}

const temporary = (pid: number, number: number) => `.tmp-${pid}-${String(number).padStart(16, "0")}`;

/** Every file in a folder, its links not followed. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Plan, check that planning changes nothing, carry out; gives what has gone. */
async function clean(folder: string, options?: CleanOptions): Promise<string[]> {
  const before = filesIn(folder);
  const plan = await planClean(folder, options);
  assert.deepEqual(filesIn(folder), before, "a plan removes nothing");
  const freed = carryOut(plan);
  assert.equal(
    freed,
    plan.removals.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  assert.equal(carryOut(plan), 0, "what has gone is not freed once more");
  const rest = filesIn(folder);
  return before.filter((name) => !rest.includes(name));
}

/** The oldest snapshots of both groups and the one temporary file that is old and whose writer is gone. */
function checkOnlyOld(gone: readonly string[], prefix: string): void {
  const expected = [
    ...[0, 1].flatMap((group) => [1, 2, 3].map((step) => `${prefix}store/groups/${group}/snapshots/00000000${step}-`)),
    `${prefix}group-0/${temporary(deadPid, 1)}`,
  ];
  assert.equal(gone.length, expected.length, gone.join("\n"));
  for (const name of expected)
    assert.ok(
      gone.some((path) => path.startsWith(name)),
      name,
    );
}

test("runs that have ended keep their newest snapshots, and nothing else goes but old temporary files", async () => {
  for (const end of ["finished", "stopped", "failed"] as const) {
    const folder = await makeRuns({ one: { end } });
    checkOnlyOld(await clean(folder), "one/");
    const store = directoryStore(join(folder, "one", "store"));
    const pointer = await readPointer(store, 1);
    assert.ok(pointer !== null);
    assert.equal((await readSnapshot(store, pointer, "m")).step, numSnapshots);
    assert.deepEqual(await clean(folder), []);
  }
  checkOnlyOld(await clean(join(await makeRuns({ one: {} }), "one")), "");
});

test("a group that died without a word has ended; a run with a living process is left alone, and said to be", async () => {
  checkOnlyOld(await clean(await makeRuns({ dead: { end: null } })), "dead/");
  const folder = await makeRuns({
    training: { end: null, pid: process.pid },
    waiting: { end: "failed", parent: process.pid },
    elsewhere: { end: "failed", start: { ...ownIdentity(), host: "elsewhere", bootId: "another", pid: deadPid } },
  });
  assert.deepEqual(await clean(folder, { checkpoints: true, recordings: true }), []);
  const { left } = await planClean(folder);
  assert.deepEqual(
    left.map(({ why }) => why),
    [
      `its process ${deadPid} on elsewhere is at work, for all that can be seen from here`,
      "it is training",
      `its process ${process.pid} is at work, for all that can be seen from here`,
    ],
  );
  // Its id came again.
  checkOnlyOld(
    await clean(await makeRuns({ again: { end: null, start: { ...ownIdentity(), startTime: "1" } } })),
    "again/",
  );
});

test("a recorded run keeps what its replay needs unless told otherwise", async () => {
  const folder = await makeRuns({ recorded: {} });
  const recording = join("recorded", "group-1", "recorded", "abc.safetensors");
  mkdirSync(join(folder, "recorded", "group-1", "recorded"));
  writeFileSync(join(folder, recording), "12345");
  checkOnlyOld(await clean(folder), "recorded/");
  assert.deepEqual(await clean(folder, { recordings: true }), [recording]);
});

test("checkpoints go only when asked for, and only those of finished runs", async () => {
  const folder = await makeRuns({ finished: {}, stopped: { end: "stopped" } });
  await clean(folder);
  assert.deepEqual(await clean(folder, { checkpoints: true }), [
    "finished/group-0/checkpoint.safetensors",
    "finished/group-1/checkpoint.safetensors",
  ]);
});

test("caches go only when asked for, no run refers to them and no run is about to", async () => {
  const [used, unused] = ["a".repeat(64), "b".repeat(64)];
  const runs = await makeRuns({ one: { cache: used } });
  const cacheFolder = join(root, "cache");
  for (const name of [used, unused, ".making-x", "other"]) {
    mkdirSync(join(cacheFolder, name), { recursive: true });
    writeFileSync(join(cacheFolder, name, "train.bin"), "1234567");
  }
  await clean(runs);
  assert.equal(readdirSync(cacheFolder).length, 4);
  await assert.rejects(planClean(join(runs, "one"), { cacheFolder }), ConfigError);
  await makeRun(join(runs, "new"), { end: null, pid: process.pid });
  rmSync(join(runs, "new", "data.json"));
  assert.deepEqual((await planClean(runs, { cacheFolder })).removals, []);
  rmSync(join(runs, "new"), { recursive: true });
  const plan = await planClean(runs, { cacheFolder });
  assert.deepEqual(
    plan.removals.map(({ paths, bytes }) => [paths, bytes]),
    [[[join(cacheFolder, unused)], 7]],
  );
  assert.equal(carryOut(plan), 7);
  assert.deepEqual(readdirSync(cacheFolder).sort(), [".making-x", used, "other"].sort());
});

test("no link is followed, wherever it is, nor one that is put there after the plan", async () => {
  const outside = await makeRuns({ one: {} });
  const before = filesIn(outside);
  const linked = await makeRuns({ plain: {} });
  symlinkSync(join(outside, "one"), join(linked, "linked"));
  checkOnlyOld(await clean(linked), "plain/");
  await assert.rejects(planClean(join(linked, "linked")), /follows no symbolic link/);
  for (const part of ["store", "store/groups/0/snapshots", "store/groups/0", "group-0"]) {
    const folder = await makeRuns({ one: {} });
    const behind = join(folder, "one", part);
    const plan = await planClean(folder, { checkpoints: true });
    rmSync(behind, { recursive: true });
    symlinkSync(join(outside, "one", part), behind);
    carryOut(plan);
    await clean(folder, { checkpoints: true });
    assert.deepEqual(filesIn(outside), before, part);
  }
});

test("a folder without a run is refused", async () => {
  const empty = join(root, "empty");
  mkdirSync(join(empty, "store"), { recursive: true });
  for (const path of [empty, join(root, "nowhere")]) await assert.rejects(planClean(path), /holds no run/);
  const folder = await makeRuns({ one: {} });
  cpSync(join(folder, "one", "config.json"), join(empty, "config.json"));
  await assert.rejects(planClean(empty), /holds no run/, "a configuration alone is no run");
});

test("a run that cannot be read is left alone with its cache, and keeps no other from being cleaned", async () => {
  const folder = await makeRuns({ good: {}, newer: {}, torn: {} });
  const cacheFolder = join(folder, "cache");
  mkdirSync(join(cacheFolder, "c".repeat(64)), { recursive: true });
  writeFileSync(join(folder, "newer", "config.json"), JSON.stringify({ ...tinyConfig(), version: 3 }));
  writeFileSync(join(folder, "torn", "data.json"), '{"cache": "');
  const { left, removals } = await planClean(folder, { cacheFolder });
  assert.deepEqual(left, [
    {
      run: join(folder, "newer"),
      why: `it cannot be read: ${join(folder, "newer", "config.json")}: version must be 2, got 3; use the codistill that wrote it, or a newer one`,
    },
    { run: cacheFolder, why: `which cache ${join(folder, "torn")} uses is not known` },
  ]);
  const touched = new Set(removals.map(({ root: run }) => run));
  assert.deepEqual(touched, new Set([join(folder, "good"), join(folder, "torn")]));
});

test("the table says what, why, how much and the total", async () => {
  const folder = await makeRuns({ one: {}, two: { end: null, pid: process.pid } });
  const lines = planLines(await planClean(folder, { checkpoints: true }));
  assert.match(lines[0] ?? "", /^left alone: .*two, it is training$/);
  assert.match(lines[1] ?? "", /^what +why +size$/);
  assert.match(lines[2] ?? "", /^3 snapshots in .*groups\/0\/snapshots +beyond keepSnapshots \(2\) +\d+ B$/);
  assert.match(lines[4] ?? "", /^checkpoints of .*one +the run has finished +10 B$/);
  assert.match(lines.at(-1) ?? "", /^total +[\d.]+ k?B$/);
  assert.deepEqual(planLines({ removals: [], left: [] }), ["nothing to remove"]);
});
