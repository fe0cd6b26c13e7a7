/** The folder of a cross-validation: its configuration, a run folder for each fold, and the result. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError } from "../../errors.js";
import { recordWithoutSecrets } from "../../report/secrets.js";
import { resolveConfig } from "../../run/config.js";
import { configOfKind } from "../../run/kinds/kinds.js";
import { MAX_FOLDS, type TableRunConfig } from "../../run/kinds/table.js";
import type { RunConfig } from "../../run/schema.js";
import { directoryStore } from "../stores/directory-store.js";
import { checkedRunFile, encodeRunFile } from "./run-file.js";
import { isRun } from "./run-folder.js";

/** The runs of a cross-validation: each has a folder of its own in this one. */
export interface CrossValidation {
  readonly folder: string;
  readonly config: TableRunConfig;
  readonly folds: number;
}

const FILE = "cross-validation.json";
const RESULT = "result.json";

/** The path of a cross-validation's result. */
export const resultOf = ({ folder }: Pick<CrossValidation, "folder">) => join(folder, RESULT);

/** The run folder of a fold, counted from 1. */
export const foldFolder = ({ folder }: Pick<CrossValidation, "folder">, number: number) =>
  join(folder, `fold-${number}`);

/**
 * Check that a configuration can be trained on so many folds.
 *
 * Throws {@link ConfigError} for text, and for a split that is not by chance.
 */
export function checkFolds(config: RunConfig, folds: number): TableRunConfig {
  if (folds < 2 || folds > MAX_FOLDS) throw new ConfigError(`--folds must be from 2 to ${MAX_FOLDS}, got ${folds}`);
  const own = configOfKind(config, "table", "a cross-validation");
  const { split } = own.data;
  if (split.kind !== "rows") throw new ConfigError(notByChance("data.split of the configuration is by predicates"));
  if (split.fold) {
    throw new ConfigError(
      `folds: each run has a fold of its own, and data.split.fold of the configuration is ${split.fold.number} of ${split.fold.of}. Leave it out.`,
    );
  }
  return own;
}

/** Why rows that are split by time, or otherwise by predicates, are not dealt to folds. */
export function notByChance(found: string): string {
  return (
    `folds: rows are dealt to them by chance, and ${found}. Where the split is by time, rows of a fold would be predicted from what came after them: ` +
    'train once for each of several cuts instead (data.split: { train: "day < ...", ... }). Where time does not matter, leave --time out, or write data.split: { kind: "rows" }.'
  );
}

/** Begin a cross-validation in a folder that was made for it. */
export async function beginFolds(validation: CrossValidation): Promise<CrossValidation> {
  const { folder, config, folds } = validation;
  await directoryStore(folder).put(FILE, encodeRunFile({ folds, config: recordWithoutSecrets(config) }));
  return validation;
}

const fileSchema = z.looseObject({ folds: z.int().min(2).max(MAX_FOLDS), config: z.looseObject({}) });

/** The cross-validation of a folder, to go on with. Throws {@link ConfigError} where there is none. */
export function openFolds(folder: string): CrossValidation {
  const path = join(folder, FILE);
  if (!existsSync(path)) {
    const own = isRun(folder) ? " It is the folder of one run, which codistill train --resume goes on with." : "";
    throw new ConfigError(`${folder} is not the folder of a cross-validation: it has no ${FILE}.${own}`);
  }
  const { folds, config } = checkedRunFile(path, fileSchema);
  return { folder, folds, config: checkFolds(resolveConfig(config), folds) };
}

/** The configuration of a fold's run: that of all, with the fold as its test split. */
export function foldConfig({ config, folds }: CrossValidation, number: number): TableRunConfig {
  const { split } = config.data;
  if (split.kind !== "rows") throw new Error("internal: folds of a split that is not by chance");
  return { ...config, data: { ...config.data, split: { ...split, fold: { number, of: folds } } } };
}
