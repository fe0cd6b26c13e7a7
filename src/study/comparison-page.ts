/** The report of a comparison. */
import { count } from "../report/format.js";
import { type Block, type Cell, code, heading, list, type Page, text } from "../report/page/blocks.js";
import { equalMachinesBlocks, equalStepsBlocks, lossBlocks, number, rangeCell } from "./comparison-blocks.js";
import { controlVerdicts } from "./controls.js";
import { costOf } from "./cost.js";
import { armsBlocks, type ComparisonFacts, configurationBlocks, openBlocks } from "./facts-blocks.js";
import { type ArmFigures, figuresOf, type Question } from "./figures.js";
import type { Measured } from "./outcome.js";
import { mean } from "./statistics.js";
import { taughtSentences } from "./taught.js";
import { changedShown, limitsOf, mostSeeds, seedsSentence, signed, verdictsOf } from "./verdicts.js";

/** The figures of a comparison. */
export function comparisonFigures(
  facts: Pick<ComparisonFacts, "base" | "arms" | "seeds" | "reference" | "target">,
  measured: Measured,
): ArmFigures[] {
  return figuresOf(measured, questionOf(facts));
}

/** What a comparison shows, in sentences. */
export function comparisonSentences(
  { arms, reference }: Pick<ComparisonFacts, "arms" | "reference">,
  figures: readonly ArmFigures[],
): string[] {
  return [seedsSentence(mostSeeds(figures)), ...verdictsOf(figures, reference, controlVerdicts(arms, figures))];
}

function costsOf({ arms, base }: Pick<ComparisonFacts, "arms" | "base">) {
  return new Map(
    arms.flatMap(({ name, config, ensembleOf }) => {
      const own = config ?? arms.find((one) => one.name === ensembleOf)?.config;
      return own ? [[name, costOf(own, { isEnsemble: config === null, batch: base.globalBatchSize })] as const] : [];
    }),
  );
}

function questionOf(facts: Pick<ComparisonFacts, "base" | "arms" | "seeds" | "reference" | "target">): Question {
  const passes = Object.fromEntries([...costsOf(facts)].map(([name, cost]) => [name, cost.passes]));
  const { seeds, reference, target } = facts;
  return { arms: facts.arms.map(({ name }) => name), seeds, reference, target, passes };
}

/** The whole report. */
export function comparisonPage(facts: ComparisonFacts, measured: Measured): Page {
  const figures = comparisonFigures(facts, measured);
  const numSeeds = mostSeeds(figures);
  const { base, reference, machine, commands, arms, notes = [] } = facts;
  const taught = taughtSentences(arms, measured.outcomes);
  const isCut = facts.open.length > 0;
  const shown = figures.filter(({ arm }) => arm !== reference);
  return {
    title: `${base.name}: ${figures.map(({ arm }) => arm).join(", ")}`,
    made: facts.made,
    coloured: arms.map(({ name }) => name),
    blocks: [
      heading("What was asked"),
      ...questionBlocks(facts, measured.lossName),
      ...notes.map((note) => text(`Note: ${note}`)),
      heading("What it shows"),
      list([
        ...comparisonSentences(facts, figures),
        ...taught.filter(({ isSeldom }) => isSeldom).map(({ sentence }) => sentence),
      ]),
      ...(shown.length > 0 ? [] : [text("Nothing can be compared yet: fewer than two arms have a run that is done.")]),
      heading("Quality on the test split"),
      ...lossBlocks(figures, reference, measured),
      heading("Equal steps"),
      ...equalStepsBlocks(figures, measured, facts),
      heading("Equal machines"),
      ...equalMachinesBlocks(figures, measured, { reference, costs: costsOf(facts) }),
      ...(taught.length > 0 ? [list(taught.map(({ sentence }) => sentence))] : []),
      ...calibrationBlocks(figures, reference),
      ...churnBlocks(figures, measured),
      heading("What this does not show"),
      list(limitsOf({ numSeeds, numArms: figures.length, isCut, isNoted: notes.length > 0 })),
      heading("Configuration and data"),
      ...configurationBlocks(facts),
      heading("Machine and commands"),
      text(machine),
      code(commands.join("\n")),
      { kind: "more", summary: "Every run", blocks: [runsTable(figures)] },
    ],
  };
}

function questionBlocks({ arms, seeds, reference, target, open }: ComparisonFacts, lossName: string): Block[] {
  const aim =
    target.kind === "loss"
      ? `a validation loss of ${target.value}`
      : `the best validation loss of ${reference} with the same seed`;
  return [
    text(
      `Which of these ways to train does better, with ${seeds.length === 1 ? "one seed" : `${seeds.length} seeds`} (${seeds.join(", ")}) that all arms share? ` +
        `Losses (${lossName}) are of the test split, by the group that ships, which is group 0, with its params of the best validation. Differences are paired by seed, to ${reference}. ` +
        `The target of the steps, declared before the runs, is ${aim}.`,
    ),
    ...armsBlocks(arms),
    ...openBlocks(open),
  ];
}

function calibrationBlocks(figures: readonly ArmFigures[], reference: string): Block[] {
  const known = figures.filter(({ refinement }) => refinement !== null);
  if (known.length === 0) return [];
  return [
    heading("Calibration and refinement"),
    text(
      "A log loss parts into what the best recalibration on the test split takes away, the calibration loss, and what it leaves, the refinement loss: how well the predictions tell rows apart, whatever they say of them (Bröcker 2009). Of two classes recalibration is by a temperature and a bias, of more by a temperature.",
    ),
    {
      kind: "table",
      caption: "Nats; differences with paired intervals of 95 %",
      head: ["arm", "calibration loss", `less ${reference}`, "refinement loss", `less ${reference}`],
      rows: known.map((one) => [
        one.arm,
        { text: number(mean(one.calibration ?? [])), value: mean(one.calibration ?? []) },
        rangeCell(one.calibrationLess, signed),
        { text: number(mean(one.refinement ?? [])), value: mean(one.refinement ?? []) },
        rangeCell(one.refinementLess, signed),
      ]),
    },
  ];
}

function churnBlocks(figures: readonly ArmFigures[], { task }: Measured): Block[] {
  const known = figures.filter(({ distance }) => distance !== null);
  if (known.length === 0) return [];
  const isNumber = task === "regression";
  const what = isNumber
    ? "the mean absolute difference of their predictions"
    : "the mean absolute difference of their probabilities (of classes and tokens half its sum), and the share of decisions that differ";
  return [
    heading("Churn between seeds"),
    text(
      `How far two trainings of the same arm are apart that differ in their seed alone: ${what}, on the test split, as a mean over all pairs of seeds; intervals by the jackknife over seeds, from three seeds on.`,
    ),
    {
      kind: "table",
      caption: "Churn of the models that ship",
      head: ["arm", "mean difference", ...(isNumber ? [] : ["decisions changed"])],
      rows: known.map((one) => [
        one.arm,
        rangeCell(one.distance, (value) => value.toFixed(4)),
        ...(isNumber ? [] : [rangeCell(one.changed, changedShown)]),
      ]),
    },
  ];
}

function runsTable(figures: readonly ArmFigures[]): Block {
  const rows = figures.flatMap(({ arm, seeds, test, loss, meanTestLoss, toTarget }) =>
    seeds.map((seed, i): Cell[] => {
      const steps = toTarget?.steps[i];
      const cell = (value: number | undefined): Cell => (value === undefined ? "" : { text: number(value), value });
      return [
        `${arm}, seed ${seed}`,
        cell(loss[i]),
        cell(meanTestLoss[i]),
        cell(test[i]?.testAuc ?? test[i]?.testBitsPerByte ?? test[i]?.testRmse),
        typeof steps === "number" ? { text: count(Math.round(steps)), value: steps } : "",
      ];
    }),
  );
  const [first] = figures.flatMap(({ test }) => test);
  const metric = first?.testAuc !== undefined ? "AUC" : first?.testBitsPerByte !== undefined ? "bits per byte" : "RMSE";
  return {
    kind: "table",
    caption: "Each run, by the group that ships",
    head: ["run", "test loss", "mean of its groups", metric, "steps to the target"],
    rows,
  };
}
