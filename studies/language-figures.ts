/** What studies of language models report of their runs. */
import { readFileSync } from "node:fs";
import type { RunResult, TestMetrics } from "../src/log/events.js";
import { runFolder } from "../src/node/runs/run-folder.js";
import { type Interval, studentInterval } from "../src/study/intervals.js";
import { mean } from "../src/study/statistics.js";
import type { Arm, Trial } from "./arms.js";
import { fixed, mdTable, range, shown, signed } from "./report.js";
import { folderOf } from "./runner.js";

/** An arm, or the ensembles of one: each value is that of a seed. */
export interface ArmFigures {
  readonly arm: string;
  readonly steps: number;
  readonly seeds: readonly number[];
  readonly loss: readonly number[];
  readonly bitsPerByte: readonly number[];
  /** Of places, how many the two groups of a run decide differently. */
  readonly apart: readonly number[] | null;
  readonly lossLess: Readonly<Record<string, Interval>>;
}

/**
 * The figures of trials of as many steps, whose runs lie in a folder. Losses are compared with those of the arms `others`, where
 * there are at least two pairs of a seed.
 */
export function figuresOf(
  done: readonly Trial[],
  arms: readonly Arm[],
  others: readonly string[],
  out: string,
): ArmFigures[] {
  const own = arms.flatMap((arm) => {
    const trials = done.filter((trial) => trial.arm.name === arm.name);
    if (trials.length === 0) return [];
    const results = trials.map(
      (trial): RunResult => JSON.parse(readFileSync(runFolder(folderOf(out, trial)).result, "utf8")),
    );
    const common = { steps: trials[0]?.steps ?? 0, seeds: trials.map(({ seed }) => seed) };
    const churns = results.map(({ churn }) => churn ?? Number.NaN);
    const groups = measured(results.map((result) => result.groups));
    const ensembles = results.flatMap(({ ensemble }) => (ensemble ? [[ensemble]] : []));
    return [
      { arm: arm.name, ...common, ...groups, apart: ensembles.length > 0 ? churns : null },
      ...(ensembles.length > 0
        ? [{ arm: `ensemble of ${arm.name}`, ...common, ...measured(ensembles), apart: null }]
        : []),
    ];
  });
  return own.map((one) => ({
    ...one,
    lossLess: Object.fromEntries(
      others.flatMap((name) => {
        const other = own.find(({ arm }) => arm === name);
        if (!other || other.arm === one.arm) return [];
        const pairs = one.seeds.flatMap((seed, i) => {
          const at = other.seeds.indexOf(seed);
          return at < 0 ? [] : [(one.loss[i] ?? 0) - (other.loss[at] ?? 0)];
        });
        return pairs.length < 2 ? [] : [[name, studentInterval(pairs)]];
      }),
    ),
  }));
}

/** Of each run the mean over its groups. */
function measured(runs: readonly (readonly TestMetrics[])[]) {
  const of = (name: "testLoss" | "testBitsPerByte") =>
    runs.map((groups) => mean(groups.map((group) => group[name] ?? Number.NaN)));
  return { loss: of("testLoss"), bitsPerByte: of("testBitsPerByte") };
}

/** A row for each arm, with its losses less those of others. */
export function tableOf(figures: readonly ArmFigures[], others: readonly string[]): string[] {
  const less = others.map((name) => `less ${name}`);
  const head = ["arm", "seeds", "nats per byte", "bits per byte", ...less, "groups apart"];
  const rows = figures.map((one) => [
    one.arm,
    String(one.seeds.length),
    shown(one.loss),
    fixed(mean(one.bitsPerByte)),
    ...others.map((name) => range(one.lossLess[name], signed)),
    one.apart ? shown(one.apart) : "",
  ]);
  return mdTable(head, rows);
}
