/** The report of the tables: each against the boosters and the linear model, what is behind as large as what is ahead. */

import { bytes, count, duration } from "../../src/report/format.js";
import { mean } from "../../src/study/statistics.js";
import { aboutStudy, fixed, headOf, mdTable, shown, writeBoth } from "../report.js";
import type { PeerName, PeerOutcome, Scored } from "./peers.js";
import type { SplitRows } from "./rows.js";
import { type OwnOutcome, splitName, type TableTrial } from "./trial.js";
import { type TableVerdict, timedOf, type Verdict, verdictOf } from "./verdict.js";

/** A trial, and all that was trained on its rows. */
export interface Outcome extends TableTrial {
  readonly rows: Pick<SplitRows, "task" | "counts">;
  readonly own: OwnOutcome;
  readonly peers: Readonly<Record<PeerName, PeerOutcome>>;
}

/** The trials of one table, split in one way. */
interface Group {
  readonly name: string;
  readonly seeds: readonly Outcome[];
  readonly verdict: TableVerdict;
}

const OWN = "codistill";
const names = ["linear", "HistGradientBoosting", "XGBoost"] as const;

/** Write all of it; gives the paths. */
export function writeTables(
  outcomes: readonly Outcome[],
  versions: Readonly<Record<string, string>>,
  out: string,
): string[] {
  const about = aboutStudy("tables");
  const groups = [...new Set(outcomes.map(splitName))].map((name) => {
    const seeds = outcomes.filter((one) => splitName(one) === name);
    return { name, seeds, verdict: verdictOf(seeds) };
  });
  const seeds = [...new Set(outcomes.map(({ seed }) => seed))];
  const commits = [...new Set(outcomes.map(({ own }) => own.commit))];
  const lines = [
    "# Tables, against what a data scientist would have chosen",
    "",
    ...headOf(about),
    "",
    ...summary(groups),
    "",
    `\`codistill train --data <file> --label <label>\` (commit ${commits.join(", ")}) against XGBoost ${versions.xgboost} and`,
    `scikit-learn ${versions.sklearn}'s HistGradientBoosting, each the best by validation of five settings that stop early, and a logistic or linear`,
    "regression, the best of five strengths of L2 (`studies/tables/peers.py`). All train on the same rows, choose on the same validation rows and",
    "are scored on the same test rows, on two threads; the peers on one where they train on fewer than 10,000 rows, or while other work runs, which is faster.",
    `Mean and standard deviation over seeds ${seeds.join(", ")}, which draw first params and random splits.`,
    "Loss: log loss in nats, or squared error in the label's unit. `ratio` is that of codistill's loss to the better booster's, below 1",
    "where codistill is ahead, in brackets that of its best and worst seed: of tables of some hundred rows, which are scored on dozens, much of it is chance.",
    "Times and memory are of whole commands, the reading of the data among it, and of all of a grid; times of seeds that were trained",
    `while nothing else ran on the machine (${timedOf(outcomes).length} of ${outcomes.length} of all).`,
    "",
    "## Losses",
    "",
    ...mdTable(["table", "rows", "loss", ...names, OWN, "ratio", "against the better booster"], groups.map(lossRow)),
    "",
    "## Time and memory",
    "",
    ...mdTable(["table", ...names, OWN, `${OWN} / better booster`], groups.map(costRow)),
    "",
    "## By seed",
    "",
    ...mdTable(["table", "seed", "score", ...names, OWN, "ratio of losses"], groups.flatMap(seedRows)),
    "",
    "## The tables",
    "",
    ...describedTables(outcomes),
  ];
  const figures = {
    versions: { ...about.versions, ...versions },
    summary: counts(groups),
    tables: groups.map(({ name, seeds: own, verdict }) => ({ name, ...verdict, seeds: own.map(withoutFiles) })),
  };
  return writeBoth(out, about, figures, lines);
}

/** A trial in one line. */
export function outcomeLine({ rows: { task }, own, peers: all }: Pick<Outcome, "rows" | "own" | "peers">): string {
  const { ratio, verdict, rival } = verdictOf([{ own, peers: all }]);
  const others = names.map((name) => peerLine(name, all[name])).join("; ");
  return `${lossName(task)}: ${others}; ${peerLine(OWN, own)}; ${ratio.toFixed(3)} of ${rival}: ${verdict}`;
}

/** What a model came to. */
export function peerLine(name: string, scored: Scored): string {
  return `${name} ${fixed(scored.testLoss)} (${scoreOf(scored)}) in ${duration(scored.seconds)}, ${bytes(scored.peakBytes)}`;
}

/** What a file of rows held, and not where it was. */
function withoutFiles({ rows: { task, counts: numRows }, ...outcome }: Outcome): Outcome {
  return { ...outcome, rows: { task, counts: numRows } };
}

function lossName(task: string): string {
  return task === "regression" ? "squared error" : "log loss";
}

/** The AUC, the accuracy or the R² of a model, as its task has it. */
function scoreOf({ auc, accuracy, r2 }: Scored): string {
  const [name, value] = auc !== undefined ? ["AUC", auc] : accuracy !== undefined ? ["accuracy", accuracy] : ["R²", r2];
  return `${name} ${fixed(value ?? Number.NaN)}`;
}

function counts(groups: readonly Group[]) {
  const of = (wanted: Verdict) => groups.filter(({ verdict }) => verdict.verdict === wanted).map(({ name }) => name);
  return {
    tables: groups.length,
    noWorse: of("no worse"),
    within2Percent: of("within 2 %"),
    behind: of("behind"),
    notAheadOfLinear: groups.filter(({ verdict }) => !(verdict.overLinear < 1)).map(({ name }) => name),
    slower: groups
      .filter(({ verdict }) => verdict.timeRatio !== null && !(verdict.timeRatio <= 1))
      .map(({ name }) => name),
  };
}

function summary(groups: readonly Group[]): string[] {
  const { tables, noWorse, within2Percent, behind, notAheadOfLinear, slower } = counts(groups);
  const listed = (some: readonly string[]) => (some.length === 0 ? "none" : some.join("; "));
  return [
    `**No worse than the better booster: ${noWorse.length} of ${tables}. Within 2 %: ${within2Percent.length} more. Behind: ${behind.length}.**`,
    "",
    `- behind by more than 2 %: ${listed(behind)}`,
    `- within 2 %: ${listed(within2Percent)}`,
    `- not ahead of the linear model: ${listed(notAheadOfLinear)}`,
    `- longer than the better booster's grid takes: ${listed(slower)}`,
  ];
}

function lossRow({ name, seeds, verdict: { ratio, verdict, rival } }: Group): string[] {
  const [{ rows }] = seeds as [Outcome];
  const { train, validation, test } = rows.counts;
  return [
    name,
    count(train + validation + test),
    lossName(rows.task),
    ...names.map((peer) => shown(seeds.map((one) => one.peers[peer].testLoss))),
    shown(seeds.map((one) => one.own.testLoss)),
    `${ratio.toFixed(3)}${rangeOf(seeds)}`,
    `${verdict} (${rival})`,
  ];
}

/** The least and the largest ratio of a seed, where there are several. */
function rangeOf(seeds: readonly Outcome[]): string {
  const ratios = seeds.map((one) => verdictOf([one]).ratio);
  return ratios.length < 2 ? "" : ` (${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)})`;
}

function costRow({ name, seeds, verdict: { timeRatio } }: Group): string[] {
  const timed = timedOf(seeds);
  const cost = (of: (one: Outcome) => Scored) =>
    `${timed.length === 0 ? "" : `${duration(mean(timed.map((one) => of(one).seconds)))}, `}${bytes(Math.max(...seeds.map((one) => of(one).peakBytes)))}`;
  return [
    ...[name, ...names.map((peer) => cost((one) => one.peers[peer])), cost(({ own }) => own)],
    timeRatio === null ? "not measured" : timeRatio.toFixed(2),
  ];
}

function seedRows({ name, seeds }: Group): string[][] {
  return seeds.map((one) => {
    const all = [...names.map((peer) => one.peers[peer]), one.own];
    const [word = ""] = scoreOf(one.own).split(" ");
    const values = all.map((scored) => `${fixed(scored.testLoss)}, ${scoreOf(scored).slice(word.length + 1)}`);
    return [name, String(one.seed), `loss, ${word}`, ...values, verdictOf([one]).ratio.toFixed(3)];
  });
}

function describedTables(outcomes: readonly Outcome[]): string[] {
  return [...new Set(outcomes.map(({ table }) => table))].map(
    ({ name, what, origin, label, names: given, ignore, time }) => {
      const from = "debian" in origin ? `${origin.debian}, ${origin.frame}` : `${origin.npm}, ${origin.file}`;
      const flags = [
        ["--label", label],
        ["--categorical", given?.join(",")],
        ["--ignore", ignore?.join(",")],
        ["--time", time],
      ].flatMap(([flag, value]) => (value === undefined ? [] : [`${flag} ${JSON.stringify(value)}`]));
      return `- ${name}: ${what} (${from}; \`${flags.join(" ")}\`)`;
    },
  );
}
