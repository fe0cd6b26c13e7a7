/** What the commands of studies have in common: runs of arms over seeds are trained, measured, reported, and gone on with. */
import { ConfigError } from "../../errors.js";
import { counted, duration } from "../../report/format.js";
import type { ComparisonFacts } from "../../study/facts-blocks.js";
import type { Measured } from "../../study/outcome.js";
import { commandOf } from "../../study/study.js";
import type { Compared } from "../launch/compare.js";
import { FAILED, type Stop } from "../launch/exit-codes.js";
import type { Comparison } from "../runs/comparison.js";
import { say, teller, unlessStopped, widthOf } from "./output.js";
import type { TableFlags } from "./table-commands.js";
import { showProgress } from "./terminal.js";
import { configOf, cureOf, stopOf } from "./train-command.js";

/** Flags of every study. */
export interface StudyFlags extends Omit<TableFlags, "set"> {
  readonly set: readonly string[];
  readonly runs: string;
  readonly resume?: string;
  readonly stopAfter?: number;
  readonly json?: boolean;
}

/** What finding out what to train needs. */
export interface Chooser {
  readonly cacheFolder: string;
  readonly stop: Stop;
  /** Takes the notes on the data that were said. */
  readonly said: Set<string>;
}

/** What a study came to. */
export interface Shown {
  readonly figures: readonly object[];
  readonly lines: readonly string[];
}

export interface StudyWords {
  /** The study to train, or to go on with. */
  readonly choose: (chooser: Chooser) => Promise<Comparison>;
  /** Its figures, and what is said of them below the runs. */
  readonly shows: (facts: ComparisonFacts, measured: Measured, width: number) => Shown;
}

/** Train every arm with every seed, write the report, and say what it shows. */
export async function studyCommand(flags: StudyFlags, cacheFolder: string, words: StudyWords): Promise<void> {
  const stop = stopOf(flags);
  const { json = false, timeBudget } = flags;
  const tell = teller({ json });
  const said = new Set<string>();
  const comparison = await unlessStopped(stop.signal, () => words.choose({ cacheFolder, stop, said }));
  if (comparison === undefined || stop.signal.aborted) {
    tell(`stopped before anything was trained: ${cureOf(stop)}`);
    return stop.hasSaved();
  }
  const { folder, seeds } = comparison;
  let progress: { close(): void } = { close() {} };
  // Imported here, as every command loads this file.
  const { compare } = await import("../launch/compare.js");
  const compared = await compare(comparison, {
    cacheFolder,
    stop: stop.signal,
    budgetSeconds: timeBudget,
    onFit({ seeds: fitting, seconds, allSeconds }) {
      const all = fitting.length === seeds.length;
      tell(
        all
          ? `all that is open takes about ${duration(seconds)} and fits into ${duration(timeBudget ?? 0)}`
          : `of ${counted(seeds.length, "seed")}, ${fitting.length} (${fitting.join(", ")}) fit into ${duration(timeBudget ?? 0)}, in about ${duration(seconds)}; all would take about ${duration(allSeconds)}`,
      );
    },
    async onRun({ arm, seed, folder: run, number, of, secondsLeft }) {
      const left = secondsLeft === null ? "" : `; about ${duration(secondsLeft)} left`;
      tell(`\n${arm}, seed ${seed} (run ${number} of ${of}) in ${run}${left}`);
      progress = await showProgress(run, json ? process.stderr : process.stdout, said);
    },
    onRunEnd: () => progress.close(),
    onStage: (stage) => tell(`${stage} ...`),
  });
  stop.hasSaved();
  if (!compared) {
    tell(`\nstopped; what was trained is saved. Go on with:\n  ${commandOf(comparison.study)} --resume ${folder}`);
    return;
  }
  await report(comparison, compared, words, json);
}

async function report(
  comparison: Comparison,
  { open, failed }: Compared,
  { shows }: StudyWords,
  json: boolean,
): Promise<void> {
  const { folder, reference, study } = comparison;
  const tell = teller({ json });
  const { writeComparisonReport } = await import("../launch/comparison-report.js");
  const { html, markdown, facts, measured } = writeComparisonReport(folder);
  const { figures, lines } = shows(facts, measured, widthOf(json ? process.stderr : process.stdout));
  if (json) say(JSON.stringify({ reference, figures, open, failed, html, markdown }, null, 2));
  tell(`\n${lines.join("\n")}`);
  tell(`\nreport   ${html}`);
  tell(`         ${markdown}`);
  if (open.length > failed.length)
    tell(`next: ${commandOf(study)} --resume ${folder} trains the ${counted(open.length, "run")} that are open`);
  if (failed.length === 0) return;
  tell(
    `groups of ${counted(failed.length, "run")} failed, which are left out: ${failed.join(", ")}; their logs say why`,
  );
  process.exitCode = FAILED;
}

/** The path of the configuration that a study changes: the given one, or one that is written for the data. `what` names the study. */
export async function baseOf(
  what: string,
  path: string | undefined,
  flags: StudyFlags,
  { cacheFolder, stop, said }: Chooser,
): Promise<string> {
  // The budget is that of all runs, and none of them is shortened for it.
  const { timeBudget: _, ...ofData } = flags;
  const made = await configOf(path, ofData, { cacheFolder, signal: stop.signal, say: teller(flags), said });
  if (made !== undefined) return made;
  throw new ConfigError(
    `${what} is of data or of a configuration, and neither is given: add one, as in --data rides.csv --label late`,
  );
}

/** The command as it was typed, for the report. */
export function typed(): string {
  const word = (one: string) => (/^[\w@%+=:,./-]+$/.test(one) ? one : `'${one.replaceAll("'", `'\\''`)}'`);
  return ["codistill", ...process.argv.slice(2).map(word)].join(" ");
}
