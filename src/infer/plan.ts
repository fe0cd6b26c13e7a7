/** The network and its training for a table and a machine: rules of thumb in one place, each with its reason in words. */

import { ConfigError } from "../errors.js";
import type { TaskKind } from "../log/events.js";
import { count, duration, times } from "../report/format.js";
import type { TableModelInput } from "../run/input/model.js";
import type { OptimizerInput } from "../run/input/optimizer.js";
import type { Feature } from "./column.js";

/** What a plan depends on. */
export interface PlanFor {
  readonly task: TaskKind;
  /** Classes of the label; 0 for numbers. */
  readonly numClasses: number;
  readonly numTrain: number;
  readonly numValidation: number;
  readonly features: readonly Feature[];
  readonly cores: number;
  readonly memoryBytes: number;
}

/** A training, ready to be written into a configuration. */
export interface Plan {
  readonly model: TableModelInput;
  readonly optimizer: OptimizerInput;
  /** Decay of the average of the params that is validated and shipped. */
  readonly emaDecay: number;
  readonly numGroups: number;
  readonly regime: "all" | "disjoint";
  readonly globalBatchSize: number;
  readonly numSteps: number;
  /** The steps, as a share of all, in which a group learns alone. */
  readonly burnInSteps: string;
  readonly exchangeInterval: number;
  readonly validationInterval: number;
  readonly logInterval: number;
  readonly patience: number;
  /** The most seconds that a group trains, where the user gave a budget. */
  readonly timeLimit?: number;
  /** The reason for each choice. */
  readonly reasons: Readonly<Record<"model" | "groups" | "batch" | "steps" | "checks", string>>;
}

/** Seconds that training should take at most without being asked. */
const BUDGET_SECONDS = 120;

/**
 * Networks that share their weights. With more rows the time of a step is better spent on further steps of one, which is a
 * multilayer perceptron whose layers scale their inputs by learned factors.
 */
const MEMBERS = 8;
/** Training rows up to which there are so many. */
const FEW_ROWS = 10_000;
/** The same where numbers are predicted, which several networks tell better than one for longer. */
const MEMBERS_OF_NUMBERS = 4;
const MORE_ROWS = 100_000;
/** Rows from which on a network of twice the width, and more passes, lower the loss by more than the time they take. */
const MANY_ROWS = 200_000;
/** The decay of weights, by the learning rate. */
const DECAY = 0.3;
/** Rows of each name from which on its embedding may decay no more than that. */
const FREQUENT = 100;
/** The most values that the bins of all numbers make, where there are more than four of each. */
const MOST_BINS = 1024;
/** Fewer steps leave small tables half learned; with too many, training stops early and keeps the best checkpoint. */
const LEAST_STEPS = 1000;
const MOST_STEPS = 20_000;
/** The fewest steps, whatever the budget. */
const LEAST_BUDGET_STEPS = 200;
/** Seconds for starting processes and engines, and for the score at the end. */
const START_SECONDS = 4;
const BYTES_PER_WORD = 4;
const VALIDATIONS = 25;
/** The average of the params makes losses of validation even, so that few of them tell. */
const PATIENCE = 4;

/** Network, batch, steps, groups and intervals for a table and a machine. */
export function choosePlan(given: PlanFor): Plan {
  const { task, numTrain, numClasses, features } = given;
  const hidden = hiddenFor(numTrain, numClasses);
  const { numGroups, regime, groupsReason } = groupsFor(given);
  const perGroup = regime === "all" ? numTrain : Math.floor(numTrain / numGroups);
  const globalBatchSize = batchFor(perGroup);
  const epochs = epochsFor(numTrain);
  const members = membersFor(task, numTrain);
  // Means of the label have no bins.
  const bins = binsFor(features.filter(({ kind }) => kind === "numeric").length, numTrain);
  const numSteps = clamp(Math.round((epochs * numTrain) / globalBatchSize), LEAST_STEPS, MOST_STEPS);
  const names = features.filter(({ kind }) => kind === "categorical");
  const embeddings = names.map(({ name, numIds }) => [name, embeddingWidth(numIds)] as const);
  return withIntervals({
    model: {
      kind: "tabm",
      members,
      embeddings: Object.fromEntries(embeddings),
      hidden,
      ...(bins !== undefined && { numericEmbedding: { kind: "piecewise", bins } }),
      // Dropped units add noise to the size of what they feed: a class may be as clear with it, a number is less exact.
      ...(task !== "regression" && { dropout: 0.1 }),
    },
    optimizer: {
      kind: "muon",
      learningRate: 0.01,
      weightDecay: {
        rate: DECAY,
        ...embeddingDecay(names, given),
        except: ["*.bias", "*.scale"],
      },
      warmUp: "2%",
      schedule: "cosine",
    },
    emaDecay: 0.99,
    numGroups,
    regime,
    globalBatchSize,
    numSteps,
    // Few rows are learned within a tenth of the steps and memorised after that, so teaching must begin before.
    burnInSteps: numTrain < 100_000 ? "5%" : "50%",
    reasons: {
      model: `${members > 1 ? `${members} networks that share their weights, and their mean` : "a network"}, of ${hidden.join(" and ")} hidden units; embeddings of 1.6 n^0.56 numbers for n values, 16 at most${bins === undefined ? "" : `; ${bins} bins for each number`}`,
      groups: groupsReason,
      batch: `${count(globalBatchSize)} rows, about ${count(Math.round(perGroup / globalBatchSize))} batches in all of a group's rows`,
      steps: stepsReason(numSteps, globalBatchSize, perGroup),
    },
  });
}

/** The least that training needs to teach anything. */
const LEAST_TRAINING_SECONDS = 2;

/**
 * The seconds that are left for training of a budget for the whole command, when reading the data once took so long: it
 * is read once more, processes start, and the test rows are scored. Throws {@link ConfigError} when hardly any are left.
 */
export function trainingSeconds(budgetSeconds: number, readSeconds: number): number {
  const others = 2 * readSeconds + START_SECONDS;
  const left = budgetSeconds - others;
  if (left >= LEAST_TRAINING_SECONDS) return Math.round(10 * left) / 10;
  throw new ConfigError(
    `--time-budget: must leave at least ${LEAST_TRAINING_SECONDS} s for training, and of ${duration(budgetSeconds)} about ${duration(others)} go into reading the data, starting and scoring; give ${duration(Math.ceil(others + LEAST_TRAINING_SECONDS))} or more`,
  );
}

/**
 * Cut a plan so that it is expected to stay within a budget, and estimate its seconds, from the measured seconds of one
 * step. Each teacher adds a third to a step, by its forward pass; half of the steps are taken to have teachers.
 */
export function withinBudget(
  plan: Plan,
  stepSeconds: number,
  numValidation: number,
  budgetSeconds = BUDGET_SECONDS,
): { readonly plan: Plan; readonly seconds: number } {
  const numTeachers = plan.numGroups - 1;
  const withTeachers = stepSeconds * (1 + numTeachers / 6);
  const validation = ((numValidation / plan.globalBatchSize) * stepSeconds) / 3;
  const secondsOf = (numSteps: number) => START_SECONDS + numSteps * withTeachers + VALIDATIONS * validation;
  const seconds = secondsOf(plan.numSteps);
  if (seconds <= budgetSeconds) return { plan, seconds };
  const room = (budgetSeconds - START_SECONDS - VALIDATIONS * validation) / withTeachers;
  const numSteps = Math.min(plan.numSteps, Math.max(LEAST_BUDGET_STEPS, Math.floor(room / 10) * 10));
  const steps = `${count(numSteps)} instead of ${count(plan.numSteps)}, to stay within ${duration(budgetSeconds)}; a longer --time-budget makes a better model`;
  const cut = withIntervals({ ...plan, numSteps, reasons: { ...plan.reasons, steps } });
  return { plan: cut, seconds: secondsOf(numSteps) };
}

type WithoutIntervals = Omit<
  Plan,
  "exchangeInterval" | "validationInterval" | "logInterval" | "patience" | "reasons"
> & {
  readonly reasons: Omit<Plan["reasons"], "checks">;
};

function withIntervals(plan: WithoutIntervals): Plan {
  const { numSteps } = plan;
  const validationInterval = Math.max(10, Math.round(numSteps / VALIDATIONS));
  return {
    ...plan,
    exchangeInterval: clamp(Math.round(numSteps / 80), 5, 50),
    validationInterval,
    logInterval: clamp(Math.round(numSteps / 200), 1, 20),
    patience: PATIENCE,
    reasons: {
      ...plan.reasons,
      checks: `about ${VALIDATIONS} validations; ${PATIENCE} of them without a better one end the training`,
    },
  };
}

function membersFor(task: TaskKind, numTrain: number): number {
  if (numTrain <= FEW_ROWS) return MEMBERS;
  return task === "regression" && numTrain <= MORE_ROWS ? MEMBERS_OF_NUMBERS : 1;
}

/** Hidden layers: twice as wide for many rows, and for many classes. */
function hiddenFor(numTrain: number, numClasses: number): number[] {
  const width = (numTrain < MANY_ROWS ? 128 : 256) * (numClasses > 64 ? 2 : 1);
  return [width, width];
}

/** Bins of each number: as many as rows and columns allow. */
function binsFor(numNumeric: number, numTrain: number): 4 | 8 | 16 | 32 | 64 | undefined {
  if (numNumeric === 0) return undefined;
  const most = numTrain < 1000 ? 8 : numTrain < 30_000 ? 16 : 64;
  return ([64, 32, 16, 8] as const).find((bins) => bins <= most && bins * numNumeric <= MOST_BINS) ?? 4;
}

/**
 * Passes over the rows: thirty over five thousand rows, and half as many for each sixteen times more. Of many rows the
 * wider network learns for twenty passes.
 */
function epochsFor(numTrain: number): number {
  return clamp(30 * (numTrain / 5000) ** -0.25, numTrain < MANY_ROWS ? 1 : 20, 100);
}

/** A power of two near an 80th of a group's rows. */
function batchFor(perGroup: number): number {
  const wanted = 2 ** Math.round(Math.log2(Math.max(1, perGroup / 80)));
  const most = 2 ** Math.floor(Math.log2(Math.max(1, perGroup / 4)));
  return Math.min(clamp(wanted, 32, 1024), most);
}

/**
 * The decay of embeddings: Adam moves the row of a rare name as far as that of a frequent one, so that names of few rows
 * would be learned by heart. Where numbers are predicted, those of many rows decay as all weights do.
 */
function embeddingDecay(names: readonly Feature[], { task, numTrain }: PlanFor) {
  const ofRare = numTrain <= FEW_ROWS ? 2 : 6;
  const rare = names.filter(({ numIds, isDate }) => task !== "regression" || (!isDate && numTrain < FREQUENT * numIds));
  if (rare.length === 0) return {};
  if (rare.length === names.length) return { rates: { "embeddings.*": ofRare } };
  return { rates: Object.fromEntries(rare.map(({ name }) => [`embeddings.${name}`, ofRare])) };
}

/** The rule of thumb of fastai's `emb_sz_rule`, cut where a wider one did not help. */
function embeddingWidth(numIds: number): number {
  return clamp(Math.round(1.6 * numIds ** 0.56), 2, 16);
}

/** One group on few cores, where a second would halve its speed; else two or four, each with all rows unless copies of them fill the memory. */
function groupsFor({ numTrain, numValidation, features, cores, memoryBytes }: PlanFor) {
  const on = `on ${cores} ${cores === 1 ? "core" : "cores"}`;
  if (cores < 4) {
    const groupsReason = `one ${on}, on all rows: a second would take its time, which costs loss; what it lowers is churn (--set numGroups=2)`;
    return { numGroups: 1, regime: "all" as const, groupsReason };
  }
  const numGroups = cores >= 16 ? 4 : 2;
  const bytes = (numTrain + numValidation) * (features.length + 1) * BYTES_PER_WORD;
  const regime = numGroups * bytes > memoryBytes / 4 ? ("disjoint" as const) : ("all" as const);
  const rows = {
    all: "each on all rows, in an order of its own",
    disjoint: "each on rows of its own, because copies of all would fill a quarter of the memory",
  };
  const groupsReason = `${numGroups} ${on} that teach one another, ${rows[regime]}: it lowers churn, how far predictions change when a model is trained again`;
  return { numGroups, regime, groupsReason };
}

function stepsReason(numSteps: number, batch: number, perGroup: number): string {
  const passes = (numSteps * batch) / perGroup;
  return `${count(numSteps)}, ${times(passes)} passes over a group's rows`;
}

/** Steps rounded to two digits, and to tens. */
export function roundedSteps(steps: number): number {
  const unit = 10 ** Math.max(1, Math.floor(Math.log10(Math.max(1, steps))) - 1);
  return Math.max(10, Math.round(steps / unit) * unit);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
