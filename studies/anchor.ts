/**
 * Retraining close to the model in use: `npm run study:anchor`; `npm run study:anchor -- --help`.
 *
 * A model in use is trained on the flights to the end of April. A month later the whole procedure is repeated, to the last week of
 * May, with another seed: alone, codistilled, or with the model in use as an anchor. Both are held against June.
 */
import { join, resolve } from "node:path";
import { loadConfig } from "../src/node/runs/load-config.js";
import { writeAnchor } from "./anchor-report.js";
import type { Arm, Trial } from "./arms.js";
import { doneOf, folderOf, runAll, type StudyOptions, say, studyCommand } from "./runner.js";
import { keepPredictions } from "./trial.js";

/** One way to train a model and to train it again. */
export interface Procedure {
  readonly name: string;
  readonly what: string;
  /** Whether two groups codistil, on disjoint halves; else one group trains on all rows. */
  readonly isCodistilled: boolean;
  /** How much of the label loss the model in use makes when it is trained again; 0 without an anchor. */
  readonly anchorWeight: number;
}

/** The first is what the others are compared with; an anchor of weight 0.5 is the default, and was chosen before the study. */
export const procedures: readonly Procedure[] = [
  { name: "plain", what: "one group on all rows", isCodistilled: false, anchorWeight: 0 },
  { name: "codistilled", what: "two groups that codistil, on halves", isCodistilled: true, anchorWeight: 0 },
  { name: "anchored", what: "one group on all rows, anchored", isCodistilled: false, anchorWeight: 0.5 },
  { name: "both", what: "two groups that codistil, both anchored", isCodistilled: true, anchorWeight: 0.5 },
  { name: "anchored-0.25", what: "as anchored, with a weight of 0.25", isCodistilled: false, anchorWeight: 0.25 },
  { name: "anchored-0.75", what: "as anchored, with a weight of 0.75", isCodistilled: false, anchorWeight: 0.75 },
  { name: "anchored-0.9", what: "as anchored, with a weight of 0.9", isCodistilled: false, anchorWeight: 0.9 },
  { name: "both-0.75", what: "as both, with a weight of 0.75", isCodistilled: true, anchorWeight: 0.75 },
];

const STEPS = 3660;
/** The seed of the model that replaces the one of this seed: as in life, nothing of the draws is the same. */
const laterSeed = (seed: number) => seed + 1000;

const inUse = ({ isCodistilled }: Procedure): Arm =>
  isCodistilled
    ? { name: "in-use-codistilled", what: "in use, two groups that codistil", options: toApril }
    : { name: "in-use-plain", what: "in use, one group", options: [...toApril, "numGroups=1"] };

const toApril = [
  "data.split.train=date < '2001-04-24'",
  "data.split.validation=date >= '2001-04-24' AND date < '2001-05-01'",
];

/** The model in use that a procedure replaces, and the one that replaces it, with one seed. */
export function trialsOf(procedure: Procedure, seed: number): { readonly before: Trial; readonly after: Trial } {
  const { name, what, isCodistilled } = procedure;
  const after: Arm = { name, what, options: isCodistilled ? [] : ["numGroups=1"] };
  return {
    before: { arm: inUse(procedure), seed, steps: STEPS },
    after: { arm: after, seed: laterSeed(seed), steps: STEPS },
  };
}

await studyCommand(
  "anchor",
  {
    what: "Train a model, train it again with a month more of data by each procedure, and report how much changed.",
    seeds: [1, 2, 3, 4, 5],
  },
  study,
);

async function study({ seeds, out, reportOnly }: StudyOptions): Promise<void> {
  const runs = join(out, "anchor");
  const all = seeds.flatMap((seed) =>
    procedures.map((procedure) => ({ procedure, seed, ...trialsOf(procedure, seed) })),
  );
  const trials = seeds.flatMap((seed) => {
    const own = all.filter((one) => one.seed === seed);
    const first = new Map(own.map(({ before }) => [before.arm.name, before]));
    return [...first.values(), ...own.map(({ after }) => after)];
  });
  const configOf = (trial: Trial) => {
    const { arm, seed } = trial;
    const anchored = all.find(({ after, procedure }) => after === trial && procedure.anchorWeight > 0);
    const anchor = anchored
      ? [
          `teachers=[{"model":${JSON.stringify(resolve(folderOf(runs, anchored.before), "model.onnx"))}}]`,
          `teacherWeight=${anchored.procedure.anchorWeight}`,
        ]
      : [];
    return loadConfig("recipes/flights.config.ts", [
      `seed=${seed}`,
      `data.shardBy=concat_ws('|', origin, destination, date, delay, distance, 'seed ${seed}')`,
      ...arm.options,
      ...anchor,
    ]);
  };
  if (!reportOnly && !(await runAll(trials, runs, { configOf, keep: keepPredictions }))) return;
  const done = doneOf(all, ({ before, after }) => [before, after], runs, "retrains");
  const files = writeAnchor(
    done.map(({ procedure, seed, before, after }) => ({
      procedure,
      seed,
      before: folderOf(runs, before),
      after: folderOf(runs, after),
    })),
    out,
  );
  for (const file of files) say(`wrote ${file}`);
}
