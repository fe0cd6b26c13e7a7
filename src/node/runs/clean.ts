/** Finds the files of ended runs that are no longer needed, lists them, and removes them on request. */
import { existsSync, lstatSync, readdirSync, rmSync, type Stats, unlinkSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { generationsOf } from "../../checkpoint/generations.js";
import { snapshotsFolder } from "../../checkpoint/layout.js";
import { oldSnapshots, readPointer } from "../../checkpoint/snapshot.js";
import { ConfigError, messageOf } from "../../errors.js";
import { bytes, table } from "../../report/format.js";
import { groupFiles } from "../../run/saved-group.js";
import type { RunConfig } from "../../run/schema.js";
import { DOWNLOADS } from "../sources/remote-files.js";
import { directoryStore, STALE_MILLISECONDS, TEMPORARY } from "../stores/directory-store.js";
import { notedUses } from "./cache-uses.js";
import { listedRun, summarizeRun } from "./list-runs.js";
import { isAlive, mayBeThere } from "./process-identity.js";
import { type EventOf, readEvents } from "./read-log.js";
import { readRunFile } from "./run-file.js";
import { type RunFolder, runFolder } from "./run-folder.js";

export interface CleanOptions {
  /** Also the checkpoints of finished runs, which then cannot be trained further. */
  readonly checkpoints?: boolean | undefined;
  /** Also the snapshots that recorded runs keep for their replay. */
  readonly recordings?: boolean | undefined;
  /** Also the training caches in this folder that no run refers to. */
  readonly cacheFolder?: string | undefined;
}

/** Files, or one whole folder, that go together. */
export interface Removal {
  readonly what: string;
  readonly why: string;
  readonly bytes: number;
  /** The folder that holds all paths, with no link on the way to them. */
  readonly root: string;
  readonly paths: readonly string[];
}

export interface CleanPlan {
  readonly removals: readonly Removal[];
  /** Runs that are left alone, and why. */
  readonly left: readonly { readonly run: string; readonly why: string }[];
}

/**
 * Find files that can be removed: snapshots beyond `algorithm.keepSnapshots` and temporary files of killed writers, of
 * runs that have ended and have no living process on this machine. Does not follow symbolic links, and changes nothing.
 *
 * Throws {@link ConfigError} when the folder is a link or holds no run, or when caches shall be removed and it is one
 * run. A run whose files are damaged or of another version is left alone.
 */
export async function planClean(path: string, options: CleanOptions = {}): Promise<CleanPlan> {
  const runs = runsIn(path);
  const left: CleanPlan["left"][number][] = [];
  const removals: Removal[] = [];
  for (const run of runs) {
    try {
      const why = reasonToLeave(run);
      if (why) left.push({ run: run.path, why });
      else removals.push(...(await removalsOf(run, options)));
    } catch (error) {
      left.push({ run: run.path, why: `it cannot be read: ${messageOf(error)}` });
    }
  }
  if (options.cacheFolder !== undefined) {
    if (runs.some((run) => run.path === path)) {
      throw new ConfigError(`--cache needs a folder of runs, to see which caches they refer to; ${path} is one run`);
    }
    const used = runs.map((run) => [run.path, cacheOf(run)] as const);
    const isLeft = (path: string) => left.some(({ run }) => run === path);
    // The cache of a run that is being prepared may exist already, before the run's `data.json` names it.
    const unknown = used.find(([run, cache]) => cache === null || (cache === undefined && isLeft(run)));
    const noted = notedUses(options.cacheFolder);
    const why = unknown ? `which cache ${unknown[0]} uses is not known` : noted.unknown;
    if (why) left.push({ run: options.cacheFolder, why });
    else
      removals.push(
        ...unusedCaches(options.cacheFolder, new Set([...used.map(([, cache]) => cache), ...noted.caches])),
      );
  }
  return { removals, left };
}

/**
 * Remove the planned files, except those that have gone or have been put behind a link meanwhile; returns the bytes
 * freed.
 */
export function carryOut({ removals }: CleanPlan): number {
  let freed = 0;
  for (const { root, paths } of removals) {
    for (const path of paths) {
      const stats = plainStats(root, path);
      if (!stats) continue;
      freed += sizeOf(path, stats);
      if (stats.isDirectory()) rmSync(path, { recursive: true });
      else unlinkSync(path);
    }
  }
  return freed;
}

/** A plan as lines: the runs that are left alone, and a table of what is removed, why, and its size. */
export function planLines({ removals, left }: CleanPlan): string[] {
  const total = bytes(removals.reduce((sum, removal) => sum + removal.bytes, 0));
  const rows = removals.map((removal) => [removal.what, removal.why, bytes(removal.bytes)]);
  return [
    ...left.map(({ run, why }) => `left alone: ${run}, ${why}`),
    ...(rows.length > 0 ? table([["what", "why", "size"], ...rows, ["total", "", total]]) : ["nothing to remove"]),
  ];
}

function runsIn(path: string): RunFolder[] {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isSymbolicLink()) throw new ConfigError(`clean follows no symbolic link, and ${path} is one`);
  const names = stats?.isDirectory() ? readdirSync(path, { withFileTypes: true }) : [];
  const folders = names.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name));
  const runs = [path, ...folders].filter((folder) => stats && listedRun(folder) !== null).map(runFolder);
  if (runs.length === 0) throw new ConfigError(`clean needs a run folder or a folder of runs; ${path} holds no run`);
  return runs;
}

function reasonToLeave(run: RunFolder): string | null {
  const state = summarizeRun(run.path)?.state ?? "preparing";
  let start: EventOf<"run-start"> | undefined;
  for (const event of readEvents(run.log, ["run-start", "result"])) {
    start = event.event === "run-start" ? event : undefined;
  }
  if (start && mayBeThere(start, run.log)) {
    const where = start.host === undefined ? "" : ` on ${start.host}`;
    return `its process ${start.pid}${where} is at work, for all that can be seen from here`;
  }
  return state === "training" || state === "preparing" ? `it is ${state}` : null;
}

async function removalsOf(run: RunFolder, { checkpoints, recordings }: CleanOptions): Promise<Removal[]> {
  const config = readRunFile(run.config) as unknown as RunConfig;
  const { keepSnapshots: keep } = (config.algorithm ?? {}) as { readonly keepSnapshots?: unknown };
  const groups = Array.from({ length: config.numGroups }, (_, group) => group);
  const found: (Removal | null)[] = [];
  if (typeof keep === "number" && keep >= 2)
    for (const group of groups) found.push(await snapshotsOf(run, group, keep));
  if (recordings) {
    const files = groups.flatMap((group) => recordingsIn(join(run.group(group).path, "recorded")));
    found.push(removalOf(run.path, `recordings of ${run.path}`, "asked for; it cannot be replayed after", files));
  }
  if (checkpoints && existsSync(run.result) && summarizeRun(run.path)?.state === "finished") {
    const { before, damaged } = generationsOf(groupFiles.checkpoint);
    const names = [groupFiles.checkpoint, before, damaged];
    const files = groups.flatMap((group) => names.map((name) => join(run.group(group).path, name)));
    found.push(removalOf(run.path, `checkpoints of ${run.path}`, "the run has finished", files));
  }
  found.push(removalOf(run.path, `temporary files of ${run.path}`, "their writers were killed", abandoned(run.path)));
  return found.filter((removal) => removal !== null);
}

function recordingsIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

async function snapshotsOf(run: RunFolder, group: number, keep: number): Promise<Removal | null> {
  const folder = join(run.store, ...snapshotsFolder(group).split("/"));
  if (!plainStats(run.path, folder)?.isDirectory()) return null;
  const store = directoryStore(run.store);
  const latest = await readPointer(store, group);
  if (!latest) return null;
  const names = oldSnapshots(await store.list(snapshotsFolder(group)), latest.name, keep);
  const paths = names.map((name) => join(run.store, ...name.split("/")));
  return removalOf(run.path, `${names.length} snapshots in ${folder}`, `beyond keepSnapshots (${keep})`, paths);
}

/** Temporary files, a day old, of writers that no longer run; younger ones may be of another machine. */
function abandoned(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return abandoned(path);
    if (!entry.isFile() || !TEMPORARY.test(entry.name) || isAlive(Number(entry.name.split("-")[1]))) return [];
    return Date.now() - lstatSync(path).mtimeMs > STALE_MILLISECONDS ? [path] : [];
  });
}

/** The name of the cache that a run uses; undefined when it has none yet, null when its file cannot be read. */
function cacheOf(run: RunFolder): string | null | undefined {
  if (!existsSync(run.data)) return undefined;
  try {
    const cache = readRunFile(run.data)?.cache;
    return typeof cache === "string" ? basename(cache) : null;
  } catch {
    return null;
  }
}

function unusedCaches(cacheFolder: string, used: ReadonlySet<unknown>): Removal[] {
  const root = dirname(cacheFolder);
  if (!plainStats(root, cacheFolder)?.isDirectory()) return [];
  const names = readdirSync(cacheFolder);
  const caches = names.filter((name) => /^[0-9a-f]{64}$/.test(name) && !used.has(name));
  const why = (name: string) =>
    name === DOWNLOADS ? "files from elsewhere, which are fetched again" : "no run refers to this training cache";
  return [...caches, ...names.filter((name) => name === DOWNLOADS)]
    .map((name) => [name, join(cacheFolder, name)] as const)
    .map(([name, path]) => removalOf(root, path, why(name), [path]))
    .filter((removal) => removal !== null);
}

function removalOf(root: string, what: string, why: string, paths: readonly string[]): Removal | null {
  const there = paths.flatMap((path) => {
    const stats = plainStats(root, path);
    return stats ? [{ path, size: sizeOf(path, stats) }] : [];
  });
  if (there.length === 0) return null;
  const total = there.reduce((sum, { size }) => sum + size, 0);
  return { what, why, bytes: total, root, paths: there.map(({ path }) => path) };
}

/**
 * The stats of a file or folder; null unless it lies in `root` and neither it nor anything on the way to it is a link.
 */
function plainStats(root: string, path: string): Stats | null {
  const parts = relative(root, path).split(sep);
  if (parts.includes("..")) return null;
  let at = root;
  let stats: Stats | undefined;
  for (const part of ["", ...parts]) {
    at = join(at, part);
    stats = lstatSync(at, { throwIfNoEntry: false });
    if (!stats || stats.isSymbolicLink()) return null;
  }
  return stats?.isFile() || stats?.isDirectory() ? stats : null;
}

function sizeOf(path: string, stats: Stats): number {
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name), lstatSync(join(path, name))), 0);
}
