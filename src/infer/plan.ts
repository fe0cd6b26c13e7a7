/** The network and its training for a table and a machine: rules of thumb in one place, each with its reason in words. */

import type { TaskKind } from "../log/events.js";
import { count, times } from "../report/format.js";
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
  readonly embeddings: Readonly<Record<string, number>>;
  readonly hidden: readonly number[];
  readonly learningRate: number;
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
  /** The reason for each choice. */
  readonly reasons: Readonly<Record<"model" | "groups" | "batch" | "steps" | "checks", string>>;
}

/** Seconds that training should take at most without being asked. */
const BUDGET_SECONDS = 900;

/** Fewer steps leave small tables half learned; with too many, training stops early and keeps the best checkpoint. */
const LEAST_STEPS = 3000;
const MOST_STEPS = 20_000;
/** The fewest steps, whatever the budget. */
const LEAST_BUDGET_STEPS = 200;
/** Seconds for starting processes and engines, and for the score at the end. */
const START_SECONDS = 4;
const BYTES_PER_WORD = 4;
const VALIDATIONS = 25;
const PATIENCE = 8;

/** Network, batch, steps, groups and intervals for a table and a machine. */
export function choosePlan(given: PlanFor): Plan {
  const { numTrain, numClasses, features, cores } = given;
  const hidden = hiddenFor(numTrain, numClasses);
  const { numGroups, regime, groupsReason } = groupsFor(given);
  const perGroup = regime === "all" ? numTrain : Math.floor(numTrain / numGroups);
  const globalBatchSize = batchFor(perGroup);
  const epochs = epochsFor(numTrain);
  const numSteps = clamp(Math.round((epochs * numTrain) / globalBatchSize), LEAST_STEPS, MOST_STEPS);
  const embeddings = features
    .filter(({ kind }) => kind === "categorical")
    .map(({ name, numIds }) => [name, embeddingWidth(numIds)] as const);
  return withIntervals({
    embeddings: Object.fromEntries(embeddings),
    hidden,
    learningRate: globalBatchSize < 512 ? 1e-3 : 2e-3,
    numGroups,
    regime,
    globalBatchSize,
    numSteps,
    // Groups soon memorise few rows, so teaching must start before that.
    burnInSteps: numTrain < 100_000 ? "20%" : "50%",
    reasons: {
      model: `${hidden.join(" and ")} hidden units for ${count(numTrain)} training rows; embeddings of 1.6 n^0.56 numbers for n values, 16 at most`,
      groups: `${groupsReason} ${cores} ${cores === 1 ? "core" : "cores"}`,
      batch: `${count(globalBatchSize)} rows, about ${count(Math.round(perGroup / globalBatchSize))} batches in all of a group's rows`,
      steps: stepsReason(numSteps, globalBatchSize, perGroup),
    },
  });
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
  const steps = `${count(numSteps)} instead of ${count(plan.numSteps)}, to stay within ${Math.round(budgetSeconds / 60)} minutes; raise numSteps for a better model`;
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

/** Hidden layers: few units for few rows, which cannot determine more, and twice as many for many classes. */
function hiddenFor(numTrain: number, numClasses: number): number[] {
  const wide = numClasses > 64 ? 2 : 1;
  if (numTrain < 2000) return [32 * wide];
  if (numTrain < 50_000) return [64 * wide, 32 * wide];
  if (numTrain < 5_000_000) return [128 * wide, 64 * wide];
  return [256 * wide, 128 * wide];
}

/** Passes over the rows: twenty for a thousand rows, and half as many for each sixteen times more. */
function epochsFor(numTrain: number): number {
  return clamp(20 * (numTrain / 1000) ** -0.25, 1, 40);
}

/** A power of two near a 400th of a group's rows. */
function batchFor(perGroup: number): number {
  const wanted = 2 ** Math.round(Math.log2(Math.max(1, perGroup / 400)));
  const most = 2 ** Math.floor(Math.log2(Math.max(1, perGroup / 4)));
  return Math.min(clamp(wanted, 32, 2048), most);
}

/** The rule of thumb of fastai's `emb_sz_rule`, cut where a wider one did not help. */
function embeddingWidth(numIds: number): number {
  return clamp(Math.round(1.6 * numIds ** 0.56), 2, 16);
}

/** Two groups, or four where there are cores for them. Each has all rows, unless copies of them fill the memory. */
function groupsFor({ numTrain, numValidation, features, cores, memoryBytes }: PlanFor) {
  const numGroups = cores >= 16 ? 4 : 2;
  const bytes = (numTrain + numValidation) * (features.length + 1) * BYTES_PER_WORD;
  const regime = numGroups * bytes > memoryBytes / 4 ? ("disjoint" as const) : ("all" as const);
  const rows = {
    all: "each on all rows, in an order of its own,",
    disjoint: "each on rows of its own, because copies of all would fill a quarter of the memory,",
  };
  return { numGroups, regime, groupsReason: `${numGroups} that teach one another, ${rows[regime]} on` };
}

function stepsReason(numSteps: number, batch: number, perGroup: number): string {
  const passes = (numSteps * batch) / perGroup;
  return `${count(numSteps)}, ${times(passes)} passes over a group's rows`;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
