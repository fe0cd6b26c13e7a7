/** From data and a label to a run: the description, the plan, and the configuration that says both. */
import { availableParallelism, totalmem } from "node:os";
import { configurationOf, configurationText, featuresOf, type Inferred } from "../../../infer/configuration.js";
import { choosePlan, trainingSeconds, withinBudget } from "../../../infer/plan.js";
import type { Preset } from "../../../infer/presets.js";
import type { GivenReading } from "../../../reading/reading.js";
import { relativeTo, runName, writeBeside } from "../../runs/write-config.js";
import type { TableDescription } from "./describe.js";

/** A run that can be written down, and how long its training is expected to take. */
export interface InferredRun extends Inferred {
  readonly seconds: number;
}

export interface InferOptions {
  readonly preset?: Preset | undefined;
  /** The seconds that the whole command may take, and those that it took to read the data. */
  readonly budget?: { readonly seconds: number; readonly readSeconds: number } | undefined;
  readonly cores?: number;
}

/** Choose network and training for a described table and this machine; a few steps are measured for the duration. */
export async function inferRun(
  description: TableDescription,
  data: readonly string[],
  { preset, budget, cores = availableParallelism() }: InferOptions = {},
): Promise<InferredRun> {
  const { source, label, weight, teachers, teacherWeight, columns, pairs, split, rows } = description;
  const features = featuresOf(description);
  const plan = choosePlan({
    task: label.task,
    numClasses: label.classes.length,
    numTrain: rows.train,
    numValidation: rows.validation,
    features,
    cores,
    memoryBytes: totalmem(),
  });
  const inferred: Inferred = {
    name: runName(data, label.given, "table"),
    source: data,
    label,
    ...(weight && { weight: weight.sql }),
    ...(teachers && { teachers }),
    ...(teacherWeight !== undefined && { teacherWeight }),
    columns,
    pairs,
    split,
    rows,
    plan,
    ...(source.maxBadRows > 0 && { maxBadRows: source.maxBadRows }),
    ...(source.given && { sourceColumns: source.given }),
    reading: keptReading(source),
    ...(preset && { training: preset.training }),
  };
  const threads = Math.max(1, Math.floor(cores / plan.numGroups));
  // Only here, because graphs, layers and the engine take time to load, and every command loads this file.
  const { stepSeconds } = await import("./calibrate.js");
  const perStep = await stepSeconds(configurationOf(inferred), features, threads);
  if (!budget) return { ...inferred, ...withinBudget(plan, perStep, rows.validation) };
  const left = trainingSeconds(budget.seconds, budget.readSeconds);
  // Steps for nine tenths of it: with a margin, the learning rate has come down when time is up.
  const planned = withinBudget(plan, perStep, rows.validation, 0.9 * left);
  return { ...inferred, ...planned, plan: { ...planned.plan, timeLimit: left } };
}

/** The parts of the reading that the configuration fixes: those that were given, and those that were a choice. */
function keptReading({ reading, decisions }: TableDescription["source"]): GivenReading {
  const { columns: _, ...files } = reading;
  const chosen = decisions.filter(({ isChoice }) => isChoice);
  return {
    ...files,
    columns: Object.fromEntries(chosen.map(({ name, reading: own }) => [name, own])),
  };
}

/**
 * Write the configuration that was asked for beside the user's other files, as {@link writeBeside} does; returns the
 * path.
 */
export function writeConfiguration(inferred: Inferred, asked: unknown, wanted?: string): string {
  return writeBeside(
    (folder) => {
      const { source, teachers } = inferred;
      const located = teachers?.map((one) => ("model" in one ? { ...one, model: relativeTo(folder, one.model) } : one));
      return configurationText({
        ...inferred,
        source: source.map((one) => relativeTo(folder, one)),
        ...(located && { teachers: located }),
      });
    },
    asked,
    wanted,
  );
}
