/** What a run may meet in its store, beside a disk that fails: a wrong clock, links, a great many old files. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventsOf, ofKind, workplace } from "./fixture.js";
import { resultOf } from "./results.js";
import { tinyConfig } from "./tiny.js";

const place = workplace();
const { numSteps } = tinyConfig;

test("clocks that are an hour fast or slow in some groups change nothing for any", async () => {
  const hours = [0, 1, -1];
  const preloads = hours.map((off, group) => {
    const preload = new URL("./clock-preload.js", import.meta.url);
    preload.searchParams.set("process", String(group));
    preload.searchParams.set("hours", String(off));
    return `--import=${preload.href}`;
  });
  const store = place.path("store-clocks");
  // What a living writer of another host has open.
  const living = join(store, "groups", "0", `.tmp-1-${"0".repeat(16)}`);
  mkdirSync(join(living, ".."), { recursive: true });
  writeFileSync(living, "x");
  const config = await place.config("clocks.json", { numGroups: 3, numSteps: 1500 });
  const runs = hours.map((_, group) =>
    place.train([config, "--store", store, "--group", String(group)], { env: { NODE_OPTIONS: preloads.join(" ") } }),
  );
  const times: number[] = [];
  for (const [group, run] of runs.entries()) {
    const { code, shown } = await run.ended;
    assert.equal(code, 0, shown);
    const events = eventsOf(await run.folder(), group);
    times.push(Date.parse(events[0]?.time ?? ""));
    assert.deepEqual(ofKind(events, "exchange-trouble"), [], shown);
    assert.equal(ofKind(events, "published").at(-1)?.step, 1500, shown);
    assert.ok(ofKind(events, "fetched").length > 0, shown);
    for (const { teachers } of ofKind(events, "step")) for (const { age } of teachers) assert.ok(age >= 0, shown);
  }
  const [right = 0] = times;
  assert.deepEqual(
    times.map((time) => Math.round((time - right) / 3_600_000)),
    hours,
  );
  assert.ok(readdirSync(join(store, "groups", "0")).includes(`.tmp-1-${"0".repeat(16)}`));
});

test("links in place of a group's folder, pointer and snapshots: refused with the cure, and nobody stops", async () => {
  const config = await place.config("links.json", { numGroups: 3 });
  const store = place.path("store-links");
  for (const group of [1, 2]) {
    const { code, shown } = await place.train([config, "--store", store, "--group", String(group)]).ended;
    assert.equal(code, 0, shown);
  }
  const outside = place.path("outside");
  mkdirSync(outside);
  renameSync(join(store, "groups", "1"), join(outside, "1"));
  symlinkSync(join(outside, "1"), join(store, "groups", "1"));
  renameSync(join(store, "groups", "2", "latest.json"), join(outside, "latest.json"));
  symlinkSync(join(outside, "latest.json"), join(store, "groups", "2", "latest.json"));
  // The group's own folder of snapshots too: it is one that it writes to.
  const own = join(store, "groups", "0", "snapshots");
  mkdirSync(join(own, ".."), { recursive: true });
  cpSync(join(outside, "1", "snapshots"), join(outside, "snapshots"), { recursive: true });
  symlinkSync(join(outside, "snapshots"), own);
  const before = readdirSync(outside, { recursive: true }).sort();

  const run = place.train([config, "--store", store, "--group", "0"]);
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  const events = eventsOf(await run.folder(), 0);
  assert.equal(ofKind(events, "step").at(-1)?.step, numSteps, shown);
  const troubles = ofKind(events, "exchange-trouble");
  assert.deepEqual(troubles.map(({ doing, from }) => [doing, from ?? 0].join(" ")).sort(), [
    "fetch 1",
    "fetch 2",
    "publish 0",
  ]);
  for (const { message } of troubles) assert.match(message, /symbolic links; put the real file or folder there/, shown);
  assert.deepEqual(readdirSync(outside, { recursive: true }).sort(), before);
});

// A run of 200 steps publishes some twenty times: what is left of more than two thousand shows that each removal is bounded.
test("thousands of old snapshots, in a store that is reached by a symbolic link, hold up nothing, and go a hundred at a publication", async () => {
  const NUM_OLD = 3000;
  const [real, link] = [place.path("store-many"), place.path("store-link")];
  const folder = join(real, "groups", "0", "snapshots");
  mkdirSync(folder, { recursive: true });
  symlinkSync(real, link);
  for (let step = 0; step < NUM_OLD; step++) {
    writeFileSync(join(folder, `${String(step).padStart(9, "0")}-00000000.safetensors`), "old");
  }
  const run = place.train([await place.config("many.json"), "--store", link, "--group", "0"]);
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  const events = eventsOf(await run.folder(), 0);
  assert.deepEqual(ofKind(events, "exchange-trouble"), [], shown);
  assert.equal(resultOf(await run.folder()).groups[0]?.ended, "finished", shown);
  const published = ofKind(events, "published");
  assert.equal(published.at(-1)?.step, numSteps, shown);
  const left = readdirSync(folder).length;
  const added = new Set(published.map(({ step }) => step)).size;
  assert.equal(left, NUM_OLD + added - 100 * added, shown);
});
