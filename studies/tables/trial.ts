/** codistill on a table: by its command, told nothing that a data scientist would not tell it. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sourceCommit } from "../../bench/machine.js";
import type { RunResult } from "../../src/log/events.js";
import { applyOverrides, resolveConfig } from "../../src/run/config.js";
import { configOfKind } from "../../src/run/kinds/kinds.js";
import type { TableRunConfig } from "../../src/run/kinds/table.js";
import { outputByCommand, trainByCommand } from "../command.js";
import type { SplitKind, Table } from "./list.js";
import type { Scored } from "./peers.js";
import { slug } from "./sources.js";

/** A table, split in one way, with a seed that draws the split, where that is by chance, and the first params. */
export interface TableTrial {
  readonly table: Table;
  readonly split: SplitKind;
  readonly seed: number;
}

/** What codistill came to. */
export interface OwnOutcome extends Trained {
  /** Of the source that it was built from. */
  readonly commit: string | null;
  /** Of the rows that it was trained and scored on. */
  readonly digest: string;
}

export function trialName({ table, split, seed }: TableTrial): string {
  return `${slug(table.name)}-${split}-seed${seed}`;
}

/** A table, and how it is split where that is by time. */
export function splitName({ table, split }: TableTrial): string {
  return split === "time" ? `${table.name}, by time` : table.name;
}

/** What it came to with this source, or with any; null before that. */
export function keptOwn(folder: string, commit?: string | null): OwnOutcome | null {
  return kept<OwnOutcome>(join(folder, "own.json"), commit);
}

/** An outcome that is kept in a file, of this source or of any; null where there is none. */
export function kept<T extends { readonly commit: string | null }>(file: string, commit?: string | null): T | null {
  if (!existsSync(file)) return null;
  const outcome: T = JSON.parse(readFileSync(file, "utf8"));
  // A commit with "+" does not tell one source from another.
  return commit === undefined || (outcome.commit === commit && !commit?.endsWith("+")) ? outcome : null;
}

/** The configuration that codistill makes for a trial. */
export async function ownConfig(trial: TableTrial, source: string): Promise<TableRunConfig> {
  return configOfKind(resolveConfig(await writtenConfig(trial, source)), "table", "this study");
}

/** The same, as it is written for people. */
export async function writtenConfig(trial: TableTrial, source: string): Promise<unknown> {
  const described = await outputByCommand(["describe", ...flagsOf(trial, source), "--json"], process.cwd());
  return applyOverrides(JSON.parse(described).configuration, overridesOf(trial));
}

/** Train, and keep what it came to in `folder`. Throws when the test rows are not those given. */
export async function trainOwn(
  trial: TableTrial,
  source: string,
  { digest, numTest }: { readonly digest: string; readonly numTest: number },
  folder: string,
  timed: boolean,
): Promise<OwnOutcome> {
  const overrides = overridesOf(trial).flatMap((override) => ["--set", override]);
  const trained = await trainIn(folder, () => [...flagsOf(trial, source), ...overrides]);
  if (trained.result.testRows !== numTest) {
    throw new Error(
      `${trialName(trial)}: codistill has ${trained.result.testRows} test rows, and the peers have ${numTest}`,
    );
  }
  const outcome = { ...trained, commit: sourceCommit(), digest, timed };
  writeFileSync(join(folder, "own.json"), `${JSON.stringify(outcome)}\n`);
  return outcome;
}

/** What a run came to. */
export interface Trained extends Scored {
  readonly result: RunResult;
}

/** Train by a configuration. */
export function trainBy(config: unknown, folder: string): Promise<Trained> {
  return trainIn(folder, (cwd) => {
    const file = join(cwd, "codistill.config.json");
    writeFileSync(file, JSON.stringify(config));
    return [file];
  });
}

/** Train by a command in a new folder of `folder`, so that it has no cache and leaves nothing. */
async function trainIn(folder: string, argsOf: (cwd: string) => readonly string[]): Promise<Trained> {
  mkdirSync(folder, { recursive: true });
  const cwd = mkdtempSync(join(folder, "run-"));
  try {
    const { result, ...took } = await trainByCommand(argsOf(cwd), cwd, join(cwd, "runs"));
    return { ...scored(result), ...took, result };
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

/** The scores of the shipped model. Losses of numbers are in the unit of the label, whatever scale it was learned on. */
function scored({ task, groups, shippedGroup }: RunResult): Omit<Scored, "seconds" | "peakBytes"> {
  const shipped = groups[shippedGroup];
  if (!shipped) throw new Error("a result has a shipped group");
  const { testLoss, testAuc, testAccuracy, testR2, testRmse = Number.NaN } = shipped;
  return {
    testLoss: task === "regression" ? testRmse ** 2 : testLoss,
    ...(task === "binary" && testAuc !== undefined && { auc: testAuc }),
    ...(task === "multiclass" && testAccuracy !== undefined && { accuracy: testAccuracy }),
    ...(testR2 !== undefined && { r2: testR2 }),
  };
}

function flagsOf({ table, split }: TableTrial, source: string): string[] {
  const { label, task, names, ignore, time } = table;
  return [
    ...["--data", source, "--label", label],
    ...(task === undefined ? [] : ["--task", task]),
    ...(names === undefined ? [] : ["--categorical", names.join(",")]),
    ...(ignore === undefined ? [] : ["--ignore", ignore.join(",")]),
    ...(split === "time" && time !== undefined ? ["--time", time] : []),
  ];
}

function overridesOf({ split, seed }: TableTrial): string[] {
  return [`seed=${seed}`, ...(split === "random" ? [`data.split.seed=${seed}`] : [])];
}
