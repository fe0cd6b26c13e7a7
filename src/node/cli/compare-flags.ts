/** The flags of `codistill compare`, and what they say. */
import { type Command, InvalidArgumentError } from "commander";
import { armNames, DEFAULT_ARMS } from "../../study/arms.js";
import type { Target } from "../../study/figures.js";
import { MAX_SEEDS } from "../runs/comparison.js";
import { STOP_AFTER } from "./flags.js";
import { SET } from "./run-commands.js";
import type { StudyFlags } from "./study-command.js";
import { BUDGET_OF_RUNS, WRITE, withTableFlags } from "./table-commands.js";

export interface CompareFlags extends StudyFlags {
  readonly arms?: readonly string[];
  readonly arm: readonly string[];
  readonly seeds?: readonly number[];
  readonly reference?: string;
  readonly target?: Target;
  readonly note: readonly string[];
}

/** The seeds of a comparison that says nothing of them. */
export const DEFAULT_SEEDS = [1, 2, 3, 4, 5];

/** The flag of an arm of one's own. */
export const ARM = [
  "--arm <name:changes>",
  'an arm of your own, as in --arm "slow:--set optimizer.learningRate=0.001" (repeatable)',
  (value: string, all: string[]) => [...all, value],
  [] as string[],
] as const;

/** Add the arguments and flags. */
export function withCompareFlags(command: Command): Command {
  return withTableFlags(command, BUDGET_OF_RUNS)
    .description(
      "train several arms over the same seeds, one run after the other, and report which does better, by how much and how surely",
    )
    .argument("[config]", "configuration that the arms change: a .ts or .js file with a default export, or .json")
    .option(
      "--arms <names>",
      `which of ${armNames.join(", ")}, parted by commas; ${DEFAULT_ARMS.join(", ")} by default`,
      armList,
    )
    .option(...ARM)
    .option("--seeds <number>", "how many seeds, from 1 on, or a list of them, as in 3,5,8; 5 by default", seedList)
    .option("--reference <arm>", "the arm that others are compared with; single where it is there, else the first")
    .option(
      "--target <loss>",
      "a validation loss whose steps and time are compared, declared before the runs; by default the best of the reference with the same seed",
      target,
    )
    .option(
      "--note <sentence>",
      "what the report is to say of the comparison, as how an arm was tuned (repeatable)",
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .option(...SET)
    .option("--runs <folder>", "where the folder of the runs is made", "runs")
    .option(
      "--resume <folder>",
      "go on with a comparison: what is done stays as it is; --seeds may be more than before, and --arms and --arm add arms",
    )
    .option(...STOP_AFTER)
    .option(...WRITE)
    .option("--json", "the figures as JSON; what is said to people goes to standard error")
    .addHelpText(
      "after",
      '\nExamples:\n  codistill compare codistill.config.ts --seeds 5\n  codistill compare codistill.config.ts --arms single,codistilled --arm "slow:--set optimizer.learningRate=0.001" --seeds 3\n  codistill compare --data rides.csv --label late --arms single,codistilled,ensemble\n  codistill compare --resume runs/rides-late-compare-2026-01-31T12-00-00 --seeds 8',
    );
}

/** Names that are parted by commas. */
export function armList(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** So many seeds from 1 on, or those of a list. */
export function seedList(text: string): number[] {
  const given = text.split(",").map((part) => (/^\d+$/.test(part.trim()) ? Number(part) : Number.NaN));
  const list = given.length === 1 ? Array.from({ length: given[0] || 0 }, (_, i) => i + 1) : given;
  const isRight = list.length >= 1 && list.length <= MAX_SEEDS && list.every(Number.isSafeInteger);
  if (isRight && new Set(list).size === list.length) return list;
  throw new InvalidArgumentError(
    `must be a number from 1 to ${MAX_SEEDS}, or a list of different whole numbers as 3,5,8, got "${text}"`,
  );
}

function target(text: string): Target {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return { kind: "loss", value };
  throw new InvalidArgumentError(`must be a validation loss, as 0.46, got "${text}"`);
}
