/** The flags of `codistill scale`, and what they say. */
import { type Command, InvalidArgumentError } from "commander";
import { DEFAULT_LINK } from "../../study/scale/time-model.js";
import { seedList } from "./compare-flags.js";
import { STOP_AFTER, share, someNumber, wholeFrom } from "./flags.js";
import { SET } from "./run-commands.js";
import type { StudyFlags } from "./study-command.js";
import { BUDGET_OF_RUNS, WRITE, withTableFlags } from "./table-commands.js";

export interface ScaleFlags extends StudyFlags {
  readonly workers?: readonly number[];
  readonly workerBatch?: number;
  readonly seeds?: readonly number[];
  readonly target?: number;
  readonly bandwidth?: number;
  readonly latency?: number;
  readonly spread?: number;
  readonly check?: boolean;
}

/** The seeds of a search that says nothing of them. */
export const DEFAULT_SCALE_SEEDS = [1, 2, 3];
/** The mean delay of a worker, as a share of its compute. */
export const DEFAULT_SPREAD = 0.1;
/** Workers are doubled up to so many. */
const MOST_WORKERS = 64;
const WIDEST = 65_536;

/** Add the arguments and flags. */
export function withScaleFlags(command: Command): Command {
  const { gigabits, microseconds } = DEFAULT_LINK;
  return withTableFlags(command, BUDGET_OF_RUNS)
    .description(
      "find how many workers of a group are worth their while: steps and time to a target by workers and learning rates, the gradient noise scale, and what a second group would give",
    )
    .argument("[config]", "configuration that is scaled: a .ts or .js file with a default export, or .json")
    .option(
      "--workers <counts>",
      `the most workers, up to which they are doubled from 1 on, or a list of numbers of them, as in 1,2,4,8; ${MOST_WORKERS} by default, or fewer where the data has not two batches for them`,
      workers,
    )
    .option("--worker-batch <examples>", "examples of a worker in a step; globalBatchSize by default", wholeFrom(1))
    .option(
      "--seeds <number>",
      "how many seeds, from 1 on, or a list of them; 3 by default. Learning rates are searched with the first",
      seedList,
    )
    .option(
      "--target <loss>",
      "the validation loss that is to be reached; by default the best that the configuration has by half of its numSteps, at a constant learning rate",
      loss,
    )
    .option(
      "--bandwidth <gigabits>",
      `of a worker's link, in gigabits a second, by which times are modelled; by default that of the threads where the configuration has workers, else ${gigabits}`,
      above0,
    )
    .option("--latency <microseconds>", `of a message between workers; ${microseconds} by default`, someNumber)
    .option(
      "--spread <share>",
      `how much later than on average workers come, as a share of their compute (10% or 0.1); ${DEFAULT_SPREAD} by default`,
      share,
    )
    .option("--check", "then train two groups that codistil at the limit, and say whether the sign was right")
    .option(...SET)
    .option("--runs <folder>", "where the folder of the runs is made", "runs")
    .option(
      "--resume <folder>",
      "go on with a search: what is done stays as it is; --seeds may be more, and --check new",
    )
    .option(...STOP_AFTER)
    .option(...WRITE)
    .option("--json", "the figures as JSON; what is said to people goes to standard error")
    .addHelpText(
      "after",
      "\nExamples:\n  codistill scale codistill.config.ts --check\n  codistill scale codistill.config.ts --workers 16 --worker-batch 128 --bandwidth 25 --time-budget 1h\n  codistill scale --data rides.csv --label late --seeds 5\n  codistill scale --resume runs/rides-late-scale-2026-01-31T12-00-00 --check",
    );
}

function workers(text: string): number[] {
  const given = text.split(",").map((part) => (/^\d+$/.test(part.trim()) ? Number(part) : Number.NaN));
  const isRight = given.every((n, i) => Number.isSafeInteger(n) && n >= 1 && n <= WIDEST && n > (given[i - 1] ?? 0));
  if (!isRight) {
    throw new InvalidArgumentError(
      `must be a number of workers from 1 to ${WIDEST}, or a list of them that ascends as 1,2,4,8, got "${text}"`,
    );
  }
  return given.length === 1 ? doubledTo(given[0] ?? 1) : given;
}

/** 1, 2, 4 and so on, up to a number and with it. */
export function doubledTo(most = MOST_WORKERS): number[] {
  const all: number[] = [];
  for (let n = 1; n < most; n *= 2) all.push(n);
  return [...all, most];
}

function loss(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`must be a validation loss, as 0.46, got "${text}"`);
}

function above0(text: string): number {
  const value = someNumber(text);
  if (value > 0) return value;
  throw new InvalidArgumentError(`must be more than 0, got "${text}"`);
}
