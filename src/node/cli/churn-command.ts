/** `codistill churn`: of two models, or of procedures that are trained several times. */
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { ConfigError } from "../../errors.js";
import { churnLines } from "../../report/churn.js";
import { percent, quantity } from "../../report/format.js";
import { armNames } from "../../study/arms.js";
import { FAILED } from "../launch/exit-codes.js";
import { MAX_SEEDS } from "../runs/comparison.js";
import { churn } from "../table/churn.js";
import { CHURN_ARMS, type ChurnStudyFlags } from "./churn-study.js";
import { ARM, armList } from "./compare-flags.js";
import { flagOf, STOP_AFTER } from "./flags.js";
import { widthOf } from "./output.js";
import { progressLine, tellNote } from "./progress-line.js";
import { readingOf } from "./reading-flags.js";
import { SET } from "./run-commands.js";
import type { ServeCommandOptions } from "./serve-commands.js";
import { BUDGET_OF_RUNS, WRITE, withTableFlags } from "./table-commands.js";

export interface ChurnFlags extends ChurnStudyFlags {
  readonly maxChurn?: Amount;
}

/** Add the arguments and flags of `codistill churn`. */
export function withChurnFlags(command: Command): Command {
  return withTableFlags(command, BUDGET_OF_RUNS)
    .description(
      "compare the predictions of two models on a table: how many decisions differ, and which; or train procedures several times, and say how much their predictions change",
    )
    .argument("[first]", "the model.onnx of a run, as the one in use; or the configuration of procedures to train")
    .argument("[second]", "the model.onnx of another run, as the one that is to replace it")
    .option(
      "--max-churn <share>",
      "of two models: exit with 1 when more of the rows are decided differently, as 2% or 0.02; of a label that is a number the most that predictions may differ by on average, in its unit",
      amount,
    )
    .option(
      "--retrains <number>",
      "train each procedure so many times, with seeds from 1 on; 5 by default",
      retrainings,
    )
    .option(
      "--arms <names>",
      `of the procedures, which of ${armNames.join(", ")}, parted by commas; ${CHURN_ARMS.join(", ")} by default`,
      armList,
    )
    .option(...ARM)
    .option(...SET)
    .option("--runs <folder>", "where the folder of the retrainings is made", "runs")
    .option(
      "--resume <folder>",
      "go on with retrainings: what is done stays as it is; --retrains may be more than before, and --arms and --arm add procedures",
    )
    .option(...STOP_AFTER)
    .option(...WRITE)
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  codistill churn yesterday.onnx today.onnx --data june.parquet\n  codistill churn yesterday.onnx today.onnx --data june.parquet --max-churn 2%\n  codistill churn codistill.config.ts --retrains 5 --arms single,ensemble,codistilled,anchored\n  codistill churn --data rides.csv --label late --retrains 5",
    );
}

const ofProcedures = [
  ...["retrains", "arms", "arm", "set", "resume", "label", "field", "task", "time", "teacher", "anchor"],
  ...["numeric", "categorical", "ignore", "groupBy", "weight", "teacherWeight", "positive", "targetScale", "preset"],
  ...["separator", "columns", "timeBudget", "stopAfter"],
] as const satisfies (keyof ChurnFlags)[];
const isModel = (path: string) => path.endsWith(".onnx");
const TWO = "codistill churn yesterday.onnx today.onnx --data june.parquet";
const PROCEDURES = "codistill churn codistill.config.ts --retrains 5";

/**
 * The two models whose churn is asked for; null where it is that of procedures.
 *
 * Throws {@link ConfigError} where arguments and flags are of both, or of neither.
 */
export function modelsOf(
  first: string | undefined,
  second: string | undefined,
  flags: ChurnFlags,
): readonly [string, string] | null {
  const given = ofProcedures.find((name) => [flags[name] ?? []].flat().length > 0);
  if (first !== undefined && (second !== undefined || isModel(first))) {
    const wrong = [first, second].find((path) => path !== undefined && /\.(ts|js|mjs|cjs|json)$/.test(path));
    if (wrong !== undefined) {
      throw new ConfigError(
        `two models are compared as they are, each a model.onnx, and ${wrong} is a configuration. For churn of what it trains give it alone: codistill churn ${wrong} --retrains 5`,
      );
    }
    if (given !== undefined) {
      throw new ConfigError(
        `${flagOf(given)} is of procedures that are trained, and ${[first, second].filter((path) => path !== undefined).join(" and ")} are models as they are. Leave it out to compare models, as in ${TWO}; or give a configuration in their place, as in ${PROCEDURES}`,
      );
    }
    if (second === undefined) {
      throw new ConfigError(
        `churn is between two models, and ${first} is one. Name the second, as in ${TWO}; or train a procedure several times, as in ${PROCEDURES}`,
      );
    }
    if (flags.data === undefined) {
      throw new ConfigError(`two models are compared on rows of files, and --data names none. Add it, as in ${TWO}`);
    }
    return [first, second];
  }
  if (flags.maxChurn !== undefined) {
    throw new ConfigError(
      `--max-churn is of two models, and ${first ?? "no model"} is given. Name both, as in ${TWO} --max-churn 2%; of procedures leave it out`,
    );
  }
  if (first === undefined && given === undefined) {
    throw new ConfigError(
      `churn is of two models, as in ${TWO}; or of procedures that are trained several times, as in ${PROCEDURES}. Neither is given.`,
    );
  }
  return null;
}

function retrainings(text: string): number {
  const number = /^\d+$/.test(text.trim()) ? Number(text) : 0;
  if (number >= 1 && number <= MAX_SEEDS) return number;
  throw new InvalidArgumentError(`must be a number from 1 to ${MAX_SEEDS}, got "${text}"`);
}

/** Compare two models. */
export async function churnCommand(
  [first, second]: readonly [string, string],
  { data = [], maxChurn, json, maxBadRows, ...flags }: ChurnFlags,
  { say, ...options }: ServeCommandOptions,
): Promise<void> {
  const progress = progressLine();
  const result = await churn(first, second, data, {
    ...options,
    maxBadRows,
    reading: readingOf(flags),
    onProgress: progress.show,
  });
  progress.end();
  result.notes.forEach(tellNote);
  say(json ? JSON.stringify(result, null, 2) : churnLines(result, widthOf(process.stdout)).join("\n"));
  if (maxChurn === undefined) return;
  const isOfNumbers = result.task === "regression";
  if (isOfNumbers && maxChurn.isPercent) {
    throw new ConfigError(
      "--max-churn: of a label that is a number it is an amount in its unit, as 0.5, and a share of rows was given, in percent. Leave the % out.",
    );
  }
  if (result.churn.value <= maxChurn.value) return;
  const show = isOfNumbers ? quantity : percent;
  process.stderr.write(
    `codistill: churn: ${show(result.churn.value)} is more than --max-churn ${show(maxChurn.value)} allows. Train the second model closer to the first, or allow more.\n`,
  );
  process.exitCode = FAILED;
}

interface Amount {
  readonly value: number;
  readonly isPercent: boolean;
}

/** A share as 2% or 0.02, or an amount of numbers. */
function amount(text: string): Amount {
  const [, number, sign] = /^(\d*\.?\d+)\s*(%?)$/.exec(text.trim()) ?? [];
  if (number === undefined) throw new InvalidArgumentError(`must be 0 or more, as 2% or 0.02, got "${text}"`);
  return { value: Number(number) / (sign ? 100 : 1), isPercent: sign !== "" };
}
