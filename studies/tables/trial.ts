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
export interface OwnOutcome extends Scored {
  /** Of the source that it was built from. */
  readonly commit: string | null;
  /** Of the rows that it was trained and scored on. */
  readonly digest: string;
  readonly result: RunResult;
}

export function trialName({ table, split, seed }: TableTrial): string {
  return `${slug(table.name)}-${split}-seed${seed}`;
}

/** What it came to with this source, or with any; null before that. */
export function keptOwn(folder: string, commit?: string | null): OwnOutcome | null {
  const file = join(folder, "own.json");
  if (!existsSync(file)) return null;
  const kept: OwnOutcome = JSON.parse(readFileSync(file, "utf8"));
  // A commit with "+" does not tell one source from another.
  return commit === undefined || (kept.commit === commit && !commit?.endsWith("+")) ? kept : null;
}

/** The configuration that codistill makes for a trial. */
export async function ownConfig(trial: TableTrial, source: string): Promise<TableRunConfig> {
  const described = await outputByCommand(["describe", ...flagsOf(trial, source), "--json"], process.cwd());
  const config = resolveConfig(applyOverrides(JSON.parse(described).configuration, overridesOf(trial)));
  return configOfKind(config, "table", "this study");
}

/** Train, in a folder without a cache, and keep what it came to in `folder`. Throws when the test rows are not those given. */
export async function trainOwn(
  trial: TableTrial,
  source: string,
  { digest, numTest }: { readonly digest: string; readonly numTest: number },
  folder: string,
): Promise<OwnOutcome> {
  mkdirSync(folder, { recursive: true });
  const cwd = mkdtempSync(join(folder, "run-"));
  try {
    const overrides = overridesOf(trial).flatMap((override) => ["--set", override]);
    const { result, ...took } = await trainByCommand([...flagsOf(trial, source), ...overrides], cwd, join(cwd, "runs"));
    if (result.testRows !== numTest) {
      throw new Error(`${trialName(trial)}: codistill has ${result.testRows} test rows, and the peers have ${numTest}`);
    }
    const outcome = { ...scored(result), ...took, commit: sourceCommit(), digest, result };
    writeFileSync(join(folder, "own.json"), `${JSON.stringify(outcome)}\n`);
    return outcome;
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
