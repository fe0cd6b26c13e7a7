/** The report of a search for the limit. */
import { count, counted } from "../../report/format.js";
import { type Block, code, heading, list, type Page, text } from "../../report/page/blocks.js";
import type { RunConfig } from "../../run/schema.js";
import { optionBlocks } from "../facts-blocks.js";
import { rangeOf, seedsSentence, signed } from "../verdicts.js";
import { adviceOf, shownLoss } from "./advice.js";
import {
  MEASURED,
  MODELLED,
  noiseBlocks,
  PERFECT,
  runsTable,
  stepsBlocks,
  timeBlocks,
  WITHOUT_OVERHEAD,
} from "./blocks.js";
import type { ScaleFigures, SecondGroup } from "./figures.js";
import type { ScaleOutcome, ScaleQuestion } from "./question.js";
import type { TimeModel } from "./time-model.js";

/** What the page says beside the figures. */
export interface ScaleFacts {
  readonly base: RunConfig;
  readonly question: ScaleQuestion & { readonly target: number };
  /** Whether the target was set by the first run. */
  readonly isTargetOwn: boolean;
  readonly outcomes: readonly ScaleOutcome[];
  readonly model: TimeModel | null;
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number } | null;
  /** The folder of the comparison at the limit, where it has been made. */
  readonly comparison: string | null;
  /** Whether time was up before all was done. */
  readonly isCut: boolean;
  readonly commands: readonly string[];
  readonly machine: string;
  readonly made: string;
}

/** The whole report. */
export function scalePage(facts: ScaleFacts, figures: ScaleFigures): Page {
  const { base, question, outcomes, model, machine, commands } = facts;
  const advice = adviceOf(figures);
  return {
    title: `${base.name}: where more workers are wasted`,
    made: facts.made,
    coloured: [MEASURED, MODELLED, PERFECT, WITHOUT_OVERHEAD],
    blocks: [
      heading("What was asked"),
      ...questionBlocks(facts),
      heading("Advice"),
      text(advice.verdict.join(" ")),
      ...(advice.reasons.length > 0 ? [list(advice.reasons)] : []),
      ...(facts.isCut ? [text("Time was up before all was done: the advice is of what there is.")] : []),
      text(seedsSentence(question.seeds.length)),
      heading("Steps against workers"),
      ...stepsBlocks(figures, question),
      heading("Time against workers"),
      ...timeBlocks(figures, model),
      heading("Gradient noise scale"),
      ...noiseBlocks(figures),
      heading("A second group"),
      ...secondGroupBlocks(figures.secondGroup, facts),
      heading("What this does not show"),
      list(limitsOf(facts)),
      heading("Configuration and data"),
      ...configurationBlocks(facts),
      heading("Machine and commands"),
      text(machine),
      code(commands.join("\n")),
      { kind: "more", summary: "Every run", blocks: [runsTable(question, outcomes)] },
    ],
  };
}

function questionBlocks({ question, isTargetOwn }: ScaleFacts): Block[] {
  const { workers, workerBatch, numSteps, target, seeds, rate } = question;
  const aim = isTargetOwn
    ? `It is the best that the first run, with ${counted(workers[0] ?? 1, "worker")} at the learning rate of the configuration, had by half of its ${count(numSteps)} steps.`
    : "It was named before the runs.";
  return [
    text(
      `How many workers of a group are worth their while, and what would a second group give? Each worker brings ${count(workerBatch)} examples to every step; ${counted(seeds.length, "seed")}. The target is a validation loss of ${shownLoss(target)}. ${aim}`,
    ),
    text(
      `With each number of workers the learning rate is searched by doubling and halving, from ${Number(rate.toPrecision(3))} and then from the best of the number before, with the first seed; the other seeds train at the best one. A run ends at the target, or after the steps of the best run before it. Workers are doubled until twice of them take more than 0.9 of the steps.`,
    ),
  ];
}

function secondGroupBlocks(second: SecondGroup | null, { comparison }: ScaleFacts): Block[] {
  if (second === null) return [text("It was not compared.")];
  const { workers, numSeeds, numSteps } = second;
  const rows = [
    { name: "ensemble of two alone", interval: second.ensembleLessTwice },
    { name: "codistilled pair", interval: second.codistilledLessTwice },
  ].flatMap(({ name, interval }) => (interval === null ? [] : [{ name, interval }]));
  return [
    text(
      `At ${counted(workers, "worker")} a group, over ${count(numSteps)} steps with the schedule of the configuration, ${counted(numSeeds, "seed")}: two groups that train alone on halves of the data, the ensemble of the two, and one group with twice the batch on all data at the learning rate that was found for it. Where the ensemble is ahead of twice the batch, two groups that teach one another are expected to be ahead of it as well, since one model of such a pair keeps much of what the ensemble has; where it is behind, nothing is left for them to keep.`,
    ),
    {
      kind: "dots",
      title: "Test loss less that of twice the batch",
      note: "To the left of the dashed line it is better. The thick line is the paired interval of 95 %.",
      alt: `${rows.map(({ name, interval }) => `${name}: ${rangeOf(interval, signed)}`).join("; ")}.`,
      x: `difference in test loss (${second.lossName}) to twice the batch`,
      reference: 0,
      rows: rows.map(({ name, interval }) => ({
        name,
        ...interval,
        values: [],
        shown: rangeOf(interval, signed),
      })),
    },
    ...(second.codistilledLessTwice === null
      ? [
          text(
            "The codistilled pair was not trained: codistill scale --resume <folder> --check does it, and says whether the sign was right.",
          ),
        ]
      : []),
    ...(comparison === null ? [] : [text(`The report of this comparison is in ${comparison}.`)]),
  ];
}

function limitsOf({ question, model }: ScaleFacts): string[] {
  return [
    "Workers were parts of a step on this machine, which is the same step to rounding: their number of steps is measured. Their time is not, but for one of them: it is a model, of workers like this machine and links as they were declared.",
    "The learning rate alone was searched, in steps of a factor of two: momentum, weight decay and the rest of the optimizer are those of the configuration. A baseline with all of them tuned at every batch may go further (Shallue et al. 2019).",
    "The learning rate was chosen with the first seed, whose steps count too: with it a number of workers looks a little better than it is.",
    "The search trains at a constant learning rate after the warm-up. With a schedule that falls, a lower loss is reached, and steps to it depend on how many were planned.",
    `The limit is one of the target, ${shownLoss(question.target ?? Number.NaN)}: gradients grow noisier as the loss falls, so that a lower target lets more workers help.`,
    ...(model === null ? [] : ["Validation, checkpoints and reading data are left out of the times."]),
    "A seed draws first params, order of the data and dropout anew. The split is the same for all.",
  ];
}

function configurationBlocks(facts: ScaleFacts): Block[] {
  return [
    ...optionBlocks(facts),
    text(
      "The search sets: one group on all data that trains alone (algorithm plain), a constant schedule, no average of params, no early stopping but at the target, and intervals of validation by the steps that a run may take.",
    ),
  ];
}
