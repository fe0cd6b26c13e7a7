/** Disks that get full or read-only under a run, on real file systems, and are mended while it trains. */
import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";
import { readPointer } from "../../src/checkpoint/snapshot.js";
import { type RunFolder, runFolder } from "../../src/node/runs/run-folder.js";
import { directoryStore } from "../../src/node/stores/directory-store.js";
import { eventsOf, ofKind, type Training, workplace } from "./fixture.js";
import { cannotMount, fill, mountReadOnly, mountSmall } from "./mounts.js";
import { eventually } from "./processes.js";
import { checkpointOf } from "./results.js";

const place = workplace();
const skip = cannotMount;
const endless = { numSteps: 1_000_000 };
const SMALL_BYTES = 4 << 20;

interface Kind {
  readonly name: string;
  readonly cure: RegExp;
  /** Before the run uses the folder; what is there already goes on being there. */
  prepare(t: TestContext, folder: string): void;
  /** Make the trouble; gives what ends it. */
  make(t: TestContext, folder: string): () => void;
}

const kinds: readonly Kind[] = [
  { name: "full", cure: /ENOSPC\. Free some space/, prepare: moveToSmall, make: (_, folder) => fill(folder) },
  { name: "read-only", cure: /EROFS\. .*mount it for writing/, prepare: () => {}, make: mountReadOnly },
];

/** Put a folder, with all that is in it, on a small file system of its own. */
function moveToSmall(t: TestContext, folder: string): void {
  const aside = `${folder}-aside`;
  if (existsSync(folder)) cpSync(folder, aside, { recursive: true });
  mountSmall(t, folder, SMALL_BYTES);
  if (existsSync(aside)) cpSync(aside, folder, { recursive: true });
  rmSync(aside, { recursive: true, force: true });
}

async function stopped(run: Training): Promise<string> {
  process.kill(run.pid, "SIGINT");
  const { code, shown } = await run.ended;
  assert.equal(code, 130, shown);
  return shown;
}

for (const { name, cure, prepare, make } of kinds) {
  test(`a store whose disk is ${name} for a time stops nobody`, { skip }, async (t) => {
    const store = place.path(`store-${name}`);
    prepare(t, store);
    const run = place.train([await place.config("config.json", endless), "--store", store, "--group", "0"]);
    await run.event(0, "a publication", ({ event }) => event === "published");
    const mend = make(t, store);
    const trouble = await run.event(0, "the trouble", ({ event }) => event === "exchange-trouble");
    assert.ok(trouble.event === "exchange-trouble");
    assert.match(trouble.message, cure);
    const folder = await run.folder();
    const skip = eventsOf(folder, 0).length;
    // Ten step events are ten publications that fail: told of once, and the steps go on.
    await eventually("steps in trouble", () => ofKind(eventsOf(folder, 0).slice(skip), "step")[9] ?? null, run.output);
    // A publication that was under way when the disk got full may have left room for one more.
    const since = eventsOf(folder, 0).slice(eventsOf(folder, 0).findIndex(({ event }) => event === "exchange-trouble"));
    assert.ok(ofKind(since, "exchange-trouble").length <= 1 + ofKind(since, "published").length, run.output());
    const healed = eventsOf(folder, 0).length;
    mend();
    await run.event(0, "a publication", ({ event }) => event === "published", healed);
    const shown = await stopped(run);
    assert.match(shown, /group 0 could not publish and goes on: cannot write .* E(NOSPC|ROFS)/);
  });

  test(`a group of two workers whose own folder is on a disk that is ${name} for a time trains on`, {
    skip,
  }, async (t) => {
    const folder = await begunCopy(name);
    const own = folder.group(1).path;
    prepare(t, own);
    const before = eventsOf(folder, 1).length;
    const run = place.resume(folder);
    await run.event(1, "a checkpoint", ({ event }) => event === "checkpoint", before);
    const mend = make(t, own);
    await trainsOn(folder, run);
    const old = await checkpointOf(folder, 1);
    const step = await publishedStep(folder);
    assert.ok(old && old.info.step < step - 100, `${old?.info.step}, ${step}`);
    const logged = eventsOf(folder, 1).length;
    mend();
    await run.event(1, "a log that tells of it", ({ event }) => event === "log-trouble", logged);
    await run.event(1, "a checkpoint", (event) => event.event === "checkpoint" && event.step > step, logged);
    const shown = await stopped(run);
    const events = eventsOf(folder, 1);
    const troubles = ofKind(events, "checkpoint-trouble");
    assert.ok(troubles.length > 0 && troubles.every(({ message }) => cure.test(message)), shown);
    assert.match(ofKind(events, "log-trouble")[0]?.message ?? "", /ENOSPC|EROFS/);
    assert.equal(ofKind(events, "log-trouble")[0]?.numLost, 0);
    const steps = ofKind(events, "step").map((event) => event.step);
    for (const [index, at] of steps.entries()) assert.equal(at, (index + 1) * 10, `step ${at} of ${shown}`);
    assert.equal((await checkpointOf(folder, 1))?.info.step, ofKind(events, "group-end").at(-1)?.step, shown);
  });
}

let begun: Promise<RunFolder> | undefined;

/** A copy of a run that was stopped after its first checkpoints. */
async function begunCopy(name: string): Promise<RunFolder> {
  begun ??= (async () => {
    const run = place.train([await place.config("config.json", { ...endless, workers: 2 })]);
    for (const group of [0, 1]) await run.event(group, "a checkpoint", ({ event }) => event === "checkpoint");
    await stopped(run);
    return run.folder();
  })();
  const { path } = await begun;
  const copy = place.path(`runs-${name}`, basename(path));
  cpSync(path, copy, { recursive: true, preserveTimestamps: true });
  return runFolder(copy);
}

async function publishedStep(folder: RunFolder): Promise<number> {
  return (await readPointer(directoryStore(folder.store), 1))?.step ?? 0;
}

/** Wait until group 1 has published from three checkpoint intervals further on. */
async function trainsOn(folder: RunFolder, run: Training): Promise<void> {
  const step = await publishedStep(folder);
  const pointer = join(folder.store, "groups", "1", "latest.json");
  await eventually(
    "steps in trouble",
    () => (JSON.parse(readFileSync(pointer, "utf8")).step > step + 200 ? true : null),
    run.output,
  );
}

test("a store that is read-only from the start refuses the group that would join, with the cure", {
  skip,
}, async (t) => {
  const store = place.path("store-refuses");
  const config = await place.config("config.json");
  assert.equal((await place.train([config, "--store", store, "--group", "0"]).ended).code, 0);
  mountReadOnly(t, store);
  const { code, stderr, shown } = await place.command(["train", config, "--store", store, "--group", "1"]);
  assert.notEqual(code, 0, shown);
  assert.match(stderr, /^codistill: train: cannot create .*EROFS\. .*mount it for writing\.\n$/, shown);
});
