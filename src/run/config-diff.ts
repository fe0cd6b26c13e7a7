/** What two configurations differ in, and whether a run may go on with the second. */
import { ConfigError } from "../errors.js";
import type { RunConfig } from "./schema.js";
import { areApart, sharersOf } from "./workers.js";

/** A path at which two records have different values; a value is undefined where its record lacks the path. */
export interface Difference {
  readonly path: string;
  readonly before: unknown;
  readonly now: unknown;
}

/** Options that may change when a run is resumed, as its result does not depend on them. */
const FREE: readonly string[] = ["restarts", "threads", "logInterval"];
/** Options that may change together: a step has as many parts as workers times batches of each, and is the same for all of them. */
const PARTS = ["workers", "accumulate"] as const;

/**
 * The paths at which two records of plain data differ: first those of `before` in its order, then those that only `now`
 * has. A list counts as one value. Another order of a record's names, such as that of features, is a difference too:
 * its values are the lists of the names.
 */
export function differences(before: unknown, now: unknown, path = ""): Difference[] {
  if (!isRecord(before) || !isRecord(now)) {
    return JSON.stringify(before) === JSON.stringify(now) ? [] : [{ path, before, now }];
  }
  const [namesBefore, namesNow] = [namesOf(before), namesOf(now)];
  const found = [...new Set([...namesBefore, ...namesNow])].flatMap((name) =>
    differences(ownValue(before, name), ownValue(now, name), path === "" ? name : `${path}.${name}`),
  );
  const isReordered = found.length === 0 && namesBefore.join("\n") !== namesNow.join("\n");
  return isReordered ? [{ path: `${path} (order)`.trim(), before: namesBefore, now: namesNow }] : found;
}

/**
 * Check that a run may be resumed with a configuration: it must be the run's own, except for options that the run's
 * result does not depend on.
 *
 * Throws {@link ConfigError} with a line for each other difference.
 */
export function checkSameRun(saved: RunConfig, now: RunConfig): void {
  const found = differences(withoutFree(saved), withoutFree(now));
  if (found.length === 0) return;
  const show = (value: unknown) => JSON.stringify(value) ?? "nothing";
  const lines = found.map(
    ({ path, before, now }) => `${path}: the run has ${show(before)}, this configuration has ${show(now)}`,
  );
  throw new ConfigError(
    `a run goes on with the configuration it began with, but for ${FREE.join(", ")}, and workers and accumulate where their product stays:\n  ${lines.join("\n  ")}\n` +
      "Leave the configuration and --set out to go on with the run's, or leave --resume out to start a new run.",
  );
}

/** The values of a configuration that its result depends on, as JSON by their paths. */
export function valuesOf(config: RunConfig): Readonly<Record<string, string>> {
  const fixed = Object.fromEntries(Object.entries(config).filter(([name]) => !FREE.includes(name)));
  const all = differences({}, fixed).flatMap(({ path, now }) => leavesOf(path, now));
  return Object.fromEntries(all.map(([path, value]) => [path, JSON.stringify(value)]));
}

function leavesOf(path: string, value: unknown): readonly (readonly [path: string, value: unknown])[] {
  if (!isRecord(value)) return [[path, value]];
  return namesOf(value).flatMap((name) => leavesOf(`${path}.${name}`, ownValue(value, name)));
}

function withoutFree(config: RunConfig): unknown {
  const fixed = Object.entries(config).filter(([name]) => !FREE.includes(name) && !PARTS.some((one) => one === name));
  // A run of an earlier version has one worker.
  const {
    workers = 1,
    accumulate,
    algorithm,
  }: Partial<RunConfig> & Pick<RunConfig, "accumulate" | "algorithm"> = config;
  if (areApart({ algorithm })) return Object.fromEntries([...fixed, ["workers", workers], ["accumulate", accumulate]]);
  return Object.fromEntries([...fixed, [PARTS.join(" x "), sharersOf({ workers, algorithm }) * accumulate]]);
}

function namesOf(record: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(record).filter((name) => record[name] !== undefined);
}

function ownValue(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
