/** The folder of a distillation over generations: the configuration of each, a run folder for each, and the result. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError } from "../../errors.js";
import { recordWithoutSecrets } from "../../report/secrets.js";
import { resolveConfig } from "../../run/config.js";
import { configOfKind, kindNameOf } from "../../run/kinds/kinds.js";
import type { TableRunConfig } from "../../run/kinds/table.js";
import type { TextRunConfig } from "../../run/kinds/text.js";
import type { RunConfig } from "../../run/schema.js";
import { MAX_TEACHERS } from "../../run/teacher-schema.js";
import { directoryStore } from "../stores/directory-store.js";
import { checkedRunFile, encodeRunFile } from "./run-file.js";
import { isRun, runFolder } from "./run-folder.js";

/** The most generations of a distillation. */
export const MAX_GENERATIONS = 20;

/** Runs of which each teaches the next one: a folder, and the configuration of each without the teachers that it will have. */
export interface Generations {
  readonly folder: string;
  readonly configs: readonly RunConfig[];
  /** How much of the label loss the generation before makes; that of a configuration with teachers by default. */
  readonly teacherWeight?: number | undefined;
}

const FILE = "generations.json";
const RESULT = "result.json";
const ENSEMBLE = "ensemble.onnx";

/** The path of the result. */
export const resultOf = ({ folder }: Pick<Generations, "folder">) => join(folder, RESULT);

/** The run folder of a generation, counted from 1. */
export const generationFolder = ({ folder }: Pick<Generations, "folder">, number: number) =>
  join(folder, `generation-${number}`);

/** What a generation of a table teaches the next one by: its one group's model, or the ensemble of its groups. */
export function teacherOf(
  generations: Generations,
  number: number,
): { readonly path: string; readonly isEnsemble: boolean } {
  const folder = generationFolder(generations, number);
  const isEnsemble = (generations.configs[number - 1]?.numGroups ?? 1) > 1;
  return { path: isEnsemble ? join(folder, ENSEMBLE) : runFolder(folder).model.onnx, isEnsemble };
}

/**
 * The changes of a configuration by which a generation of so many is trained, as paths and values. All but the last train their groups
 * apart, the last one a single student on all rows; together they take the steps, and the time, of the configuration.
 */
export function generationChanges(config: RunConfig, number: number, of: number): string[] {
  const part = (steps: number) => Math.max(1, Math.round(steps / of));
  return [
    `numSteps=${part(config.numSteps)}`,
    `validationInterval=${part(config.validationInterval)}`,
    `checkpointInterval=${part(config.checkpointInterval)}`,
    ...(config.timeLimit === undefined ? [] : [`timeLimit=${config.timeLimit / of}`]),
    // Of fresh params and another order of the data; the split of the rows does not depend on it.
    `seed=${config.seed + 1000 * (number - 1)}`,
    'algorithm={"kind":"plain"}',
    ...(number === of ? ["numGroups=1"] : []),
  ];
}

/** Throws {@link ConfigError} for what cannot be distilled, and for another number of generations than 2 to {@link MAX_GENERATIONS}. */
export function checkGenerations(config: RunConfig, generations: number): void {
  if (generations < 2 || generations > MAX_GENERATIONS)
    throw new ConfigError(`--generations must be from 2 to ${MAX_GENERATIONS}, got ${generations}`);
  if (kindNameOf(config) === "text") checkNumTeachers(configOfKind(config, "text", "teachers of text"));
  else checkFilters(configOfKind(config, "table", "a distillation"));
  if (config.numSteps >= generations) return;
  throw new ConfigError(
    `numSteps: are dealt to the generations, and ${config.numSteps} are fewer than ${generations} generations. Take more steps.`,
  );
}

function checkNumTeachers({ numGroups, teachers = [] }: TextRunConfig): void {
  const numTeachers = numGroups + teachers.length;
  if (numTeachers > MAX_TEACHERS) {
    throw new ConfigError(
      `numGroups: each group of a generation teaches the next one by a network in its step, and at most ${MAX_TEACHERS} may, with those in teachers; these are ${numTeachers}. Use fewer groups.`,
    );
  }
}

function checkFilters({ data }: TableRunConfig): void {
  if (data.filters) {
    throw new ConfigError(
      "data.filters: give each group rows of its own, and the student of a distillation, which is one group, has all of them. Leave the filters out.",
    );
  }
}

/** Begin a distillation in a folder that was made for it. */
export async function beginGenerations(generations: Generations): Promise<Generations> {
  const { folder, teacherWeight } = generations;
  const configs = generations.configs.map((config) => recordWithoutSecrets(config));
  const file = { configs, ...(teacherWeight !== undefined && { teacherWeight }) };
  await directoryStore(folder).put(FILE, encodeRunFile(file));
  return generations;
}

const fileSchema = z.looseObject({
  configs: z.array(z.looseObject({})).min(2).max(MAX_GENERATIONS),
  teacherWeight: z.number().min(0).max(1).optional(),
});

/** The distillation of a folder, to go on with. Throws {@link ConfigError} where there is none. */
export function openGenerations(folder: string): Generations {
  const path = join(folder, FILE);
  if (!existsSync(path)) {
    const own = isRun(folder) ? " It is the folder of one run, which codistill train --resume goes on with." : "";
    throw new ConfigError(`${folder} is not the folder of a distillation: it has no ${FILE}.${own}`);
  }
  const { configs, teacherWeight } = checkedRunFile(path, fileSchema);
  return {
    folder,
    configs: configs.map(resolveConfig),
    teacherWeight,
  };
}
