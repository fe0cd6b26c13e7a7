/** The report of what each part of the training of tables brings. */

import { studentInterval } from "../../src/study/intervals.js";
import { mean } from "../../src/study/statistics.js";
import { aboutStudy, fixed, headOf, mdTable, writeBoth } from "../report.js";
import { type Part, parts, SEARCHED } from "./parts.js";
import { splitName, type TableTrial } from "./trial.js";

/** What a run came to. */
export interface PartOutcome {
  readonly testLoss: number;
  readonly validationLoss: number;
  /** Of the whole command. */
  readonly seconds: number;
  /** False where other work ran on the machine meanwhile, so that the seconds say nothing. */
  readonly timed?: boolean;
  readonly commit: string | null;
}

/** A table with a seed: what the whole training came to, and what it came to with each difference that concerns it. */
export interface PartTrial extends TableTrial {
  readonly whole: PartOutcome;
  readonly others: Readonly<Record<string, PartOutcome>>;
}

/** Nothing is different. */
export const AS_IT_IS: Part = { name: "as it is", what: "nothing is different", change: (config) => config };
const SEARCH = "a search";

/** Losses that differ by less are called equal. */
const EQUAL = 0.01;

interface Row {
  readonly name: string;
  readonly splits: number;
  /** The geometric mean over tables and splits of its loss over that of the whole training. */
  readonly ratio: number;
  /** Its 95 % interval; null of a single one. */
  readonly interval: readonly [low: number, high: number] | null;
  /** Tables and splits on which its loss is lower, or higher, by more than 1 %. */
  readonly better: readonly string[];
  readonly worse: readonly string[];
  /** The mean of the ratios of times that were measured; null where none were. */
  readonly time: number | null;
}

/** Write all of it; gives the paths. */
export function writeParts(trials: readonly PartTrial[], out: string): string[] {
  const about = aboutStudy("parts");
  const rows = [...parts.map(({ name }) => name), SEARCH].flatMap((name) => rowOf(name, trials) ?? []);
  const seeds = [...new Set(trials.map(({ seed }) => seed))];
  const commits = [...new Set(trials.map(({ whole }) => whole.commit))];
  const lines = [
    "# What each part of the training of tables brings",
    "",
    ...headOf(about),
    "",
    `Each table by \`codistill train --data\` (commit ${commits.join(", ")}), and again with one difference; seeds ${seeds.join(", ")}, which draw first params`,
    "and random splits. `ratio` is the test loss with the difference over that without, the geometric mean over tables and splits, whose mean",
    "losses over seeds are divided, with Student's 95 % interval: above 1 where the part that is left out brings something. `better` and `worse` count tables and splits on",
    `which the difference lowers, or raises, the loss by more than ${100 * EQUAL} %. \`time\` is the mean ratio of the times of whole commands,`,
    "of seeds that were trained while nothing else ran on the machine.",
    "",
    ...parts.map(({ name, what }) => `- ${name}: ${what}`),
    `- ${SEARCH}: of the training as it is and of ${SEARCHED.join(", ")}, the best by validation; its time is that of all`,
    "",
    ...mdTable(
      ["difference", "tables and splits", "ratio", "better", "worse", "time"],
      rows.map(({ name, splits, ratio, interval, better, worse, time }) => [
        name,
        String(splits),
        `${ratio.toFixed(3)}${interval ? ` (${interval[0].toFixed(3)} to ${interval[1].toFixed(3)})` : ""}`,
        String(better.length),
        String(worse.length),
        time === null ? "not measured" : time.toFixed(2),
      ]),
    ),
    "",
    "## By table",
    "",
    "Loss as it is, and the ratios of the others to it.",
    "",
    ...tableRows(trials, rows),
  ];
  return writeBoth(out, about, { parts: rows, trials }, lines);
}

/** A part over all that it concerns; null where it concerns nothing. */
function rowOf(name: string, trials: readonly PartTrial[]): Row | null {
  const byTable = [...grouped(trials)].flatMap(([table, seeds]) => {
    const ratios = ratiosOf(name, seeds);
    return ratios ? [{ table, ...ratios }] : [];
  });
  if (byTable.length === 0) return null;
  const { value, low, high } = studentInterval(byTable.map(({ loss }) => Math.log(loss)));
  return {
    name,
    splits: byTable.length,
    ratio: Math.exp(value),
    interval: byTable.length < 2 ? null : [Math.exp(low), Math.exp(high)],
    better: byTable.filter(({ loss }) => loss < 1 - EQUAL).map(({ table }) => table),
    worse: byTable.filter(({ loss }) => loss > 1 + EQUAL).map(({ table }) => table),
    time: meanOrNull(byTable.flatMap(({ time }) => time ?? [])),
  };
}

/** The mean test loss and time over the seeds of a table with a difference, over those without; null where it changes nothing. */
function ratiosOf(name: string, seeds: readonly PartTrial[]) {
  const pairs = seeds.flatMap((trial) => {
    const other = outcomeOf(name, trial);
    return other ? [{ whole: trial.whole, other }] : [];
  });
  if (pairs.length === 0) return null;
  const timed = pairs.filter(({ whole, other }) => (whole.timed ?? true) && (other.timed ?? true));
  const ratio = (of: "testLoss" | "seconds", some: typeof pairs) =>
    mean(some.map(({ other }) => other[of])) / mean(some.map(({ whole }) => whole[of]));
  return { loss: ratio("testLoss", pairs), time: timed.length === 0 ? null : ratio("seconds", timed) };
}

function meanOrNull(values: readonly number[]): number | null {
  return values.length === 0 ? null : mean(values);
}

function outcomeOf(name: string, { whole, others }: PartTrial): PartOutcome | undefined {
  return name === SEARCH ? searched(whole, others) : others[name];
}

/** The best by validation of what a search would have tried, in the time of all of it. */
function searched(whole: PartOutcome, others: PartTrial["others"]): PartOutcome {
  const tried = [whole, ...SEARCHED.flatMap((name) => others[name] ?? [])];
  const best = tried.reduce((one, other) => (other.validationLoss < one.validationLoss ? other : one));
  const timed = tried.every((one) => one.timed ?? true);
  return { ...best, seconds: tried.reduce((sum, { seconds }) => sum + seconds, 0), timed };
}

function tableRows(trials: readonly PartTrial[], rows: readonly Row[]): string[] {
  return mdTable(
    ["table", AS_IT_IS.name, ...rows.map(({ name }) => name)],
    [...grouped(trials)].map(([table, seeds]) => [
      table,
      fixed(mean(seeds.map(({ whole }) => whole.testLoss))),
      ...rows.map(({ name }) => ratiosOf(name, seeds)?.loss.toFixed(3) ?? ""),
    ]),
  );
}

/** The trials of each table and split. */
function grouped(trials: readonly PartTrial[]): Map<string, PartTrial[]> {
  const all = new Map<string, PartTrial[]>();
  for (const trial of trials) {
    const name = splitName(trial);
    all.set(name, [...(all.get(name) ?? []), trial]);
  }
  return all;
}
