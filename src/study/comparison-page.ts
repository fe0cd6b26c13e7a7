/** The report of a comparison. */
import { count } from "../report/format.js";
import { type Block, type Cell, code, heading, list, type Page, text } from "../report/page/blocks.js";
import { type Difference, differences } from "../run/config-diff.js";
import type { RunConfig } from "../run/schema.js";
import { armNames } from "./arms.js";
import { equalMachinesBlocks, equalStepsBlocks, lossBlocks, number, rangeCell } from "./comparison-blocks.js";
import { costOf } from "./cost.js";
import { type ArmFigures, figuresOf, type Question, type Target } from "./figures.js";
import type { Measured } from "./outcome.js";
import { differencesTable, nonDefaults, settingsLines } from "./settings.js";
import { mean } from "./statistics.js";
import type { Study } from "./study.js";
import { taughtSentences } from "./taught.js";
import { limitsOf, seedsSentence, signed, verdictsOf } from "./verdicts.js";

/** What the page says beside the figures. */
export interface ComparisonFacts {
  readonly study: Study;
  readonly base: RunConfig;
  readonly arms: readonly {
    readonly name: string;
    readonly what: string;
    readonly config: RunConfig | null;
    readonly ensembleOf?: string | undefined;
  }[];
  readonly seeds: readonly number[];
  readonly reference: string;
  readonly target: Target;
  readonly commands: readonly string[];
  /** Names of runs that are not done. */
  readonly open: readonly string[];
  /** Of the data, as the first run found it; null where none has. */
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number } | null;
  readonly machine: string;
  /** When it was measured, and by which version. */
  readonly made: string;
}

/** The figures of a comparison. */
export function comparisonFigures(
  facts: Pick<ComparisonFacts, "base" | "arms" | "seeds" | "reference" | "target">,
  measured: Measured,
): ArmFigures[] {
  return figuresOf(measured, questionOf(facts));
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
  const numSeeds = figures.reduce((most, { seeds }) => Math.max(most, seeds.length), 0);
  const { base, reference, machine, commands, arms } = facts;
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
      heading("What it shows"),
      list([
        seedsSentence(numSeeds),
        ...verdictsOf(figures, reference),
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
      list(limitsOf({ numSeeds, numArms: figures.length, isCut })),
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
    list(
      arms.map(({ name, what }) =>
        armNames.includes(name) ? `${name}: ${what}` : `${name}: the configuration as it stands, with ${what}`,
      ),
    ),
    groupsTable(arms),
    ...(open.length === 0 ? [] : [text(`Not done: ${open.length} of the runs (${open.slice(0, 20).join(", ")}).`)]),
  ];
}

/** What trains in each arm: arms differ in it by their nature, and one's own has what the configuration has. */
function groupsTable(arms: ComparisonFacts["arms"]): Block {
  return {
    kind: "table",
    caption: "Groups of each arm",
    head: ["arm", "groups", "batch of a group", "data.regime", "algorithm"],
    rows: arms.flatMap(({ name, config }): Cell[][] => {
      if (config === null) return [];
      const { numGroups, globalBatchSize, data, algorithm } = config;
      const cell = (value: number): Cell => ({ text: count(value), value });
      return [[name, cell(numGroups), cell(globalBatchSize), data.regime, algorithm.kind]];
    }),
  };
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
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
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
        ...(isNumber ? [] : [rangeCell(one.changed, percent)]),
      ]),
    },
  ];
}

function configurationBlocks({ base, arms, rows }: ComparisonFacts): Block[] {
  const changes = arms.flatMap(({ name, config }) =>
    config === null
      ? []
      : changesOf(base, config).map((difference) => ({ ...difference, path: `${name}: ${difference.path}` })),
  );
  const own = nonDefaults(base);
  return [
    ...(rows
      ? [
          text(
            `Rows or documents: ${count(rows.train)} of training, ${count(rows.validation)} of validation, ${count(rows.test)} of test.`,
          ),
        ]
      : []),
    code(settingsLines(base)),
    ...(own.length === 0
      ? [text("All other options have their defaults.")]
      : [differencesTable("Options that are not the defaults", own, ["default", "here"])]),
    differencesTable("What each arm changes, and the data of its groups", changes, ["configuration", "arm"]),
  ];
}

/** What an arm changes, and what data its groups have also where that is not changed: an arm is named by it. */
function changesOf(base: RunConfig, config: RunConfig): Difference[] {
  const changes = differences(base, config);
  const [path, before, now] = ["data.regime", base.data.regime, config.data.regime];
  return changes.some((change) => change.path === path) ? changes : [...changes, { path, before, now }];
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
