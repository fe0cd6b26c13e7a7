/** What the commands of the studies of tables share. */
import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { messageOf } from "../../src/errors.js";
import { say, wholeNumbers } from "../runner.js";
import { type Table, tables, tablesNamed } from "./list.js";
import { type TableTrial, trialName } from "./trial.js";

export interface TableStudyOptions {
  readonly only: readonly Table[];
  readonly seeds: readonly number[];
  readonly out: string;
  readonly work: string;
  readonly reportOnly?: boolean;
  /** The figures of an earlier report. */
  readonly also?: string;
  /** Other work runs on the machine. */
  readonly untimed?: boolean;
}

/** The command of a study of tables. `more` are options of its own; `study` does the work. */
export function runTableStudy<T extends TableStudyOptions>(
  name: string,
  description: string,
  study: (options: T) => Promise<void>,
  more: readonly Option[] = [],
): void {
  const command = new Command(`npm run study:${name} --`)
    .description(`${description} What is done is never done again, unless codistill's source is another one.`)
    .addOption(
      new Option("--only <tables>", "some of the tables, parted by commas")
        .argParser(tablesNamed)
        .default(tables, "all"),
    )
    .option("--seeds <list>", "as in 1,2,3", wholeNumbers, [1, 2, 3])
    .option("--out <folder>", "where the report goes", "bench/results")
    .option("--work <folder>", "where tables and outcomes are kept", ".codistill/tables")
    .option("--report-only", "report what there is, of whichever source")
    .option("--also <file>", "figures of an earlier report, of which the report takes what is not done now")
    .option("--untimed", "other work runs on the machine: the report leaves out the times of what is trained now")
    .showHelpAfterError(`(npm run study:${name} -- --help tells more)`);
  for (const option of more) command.addOption(option);
  command
    .action(study)
    .parseAsync()
    .catch((error: unknown) => {
      say(messageOf(error));
      process.exitCode = 1;
    });
}

/** All trials of some tables: each split of each with each seed. */
export function tableTrials({ only, seeds }: Pick<TableStudyOptions, "only" | "seeds">): TableTrial[] {
  return only.flatMap((table) => table.splits.flatMap((split) => seeds.map((seed) => ({ table, split, seed }))));
}

/** Trials, and those of an earlier report that are not among them, in the order of the list of tables. */
export function withEarlier<T extends TableTrial>(
  done: readonly T[],
  also: string | undefined,
  trialsOf: (figures: unknown) => readonly T[],
): T[] {
  if (also === undefined) return [...done];
  const names = new Set(done.map(trialName));
  const earlier = trialsOf(JSON.parse(readFileSync(also, "utf8"))).flatMap((trial) => {
    const table = tables.find(({ name }) => name === trial.table.name);
    return table && !names.has(trialName(trial)) ? [{ ...trial, table }] : [];
  });
  const place = ({ table, split, seed }: T) => tables.indexOf(table) * 1e6 + table.splits.indexOf(split) * 1e3 + seed;
  return [...done, ...earlier].sort((a, b) => place(a) - place(b));
}
