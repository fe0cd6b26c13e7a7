/** The folder of a comparison: its arms with their configurations, a run folder for each arm and seed, and what was measured. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError, messageOf } from "../../errors.js";
import { recordWithoutSecrets } from "../../report/secrets.js";
import { resolveConfig } from "../../run/config.js";
import type { RunConfig } from "../../run/schema.js";
import type { Arm } from "../../study/arms.js";
import type { Target } from "../../study/figures.js";
import { directoryStore } from "../stores/directory-store.js";
import { checkedRunFile, encodeRunFile } from "./run-file.js";
import { isRun } from "./run-folder.js";

/** An arm with what it trains; null of an ensemble. */
export interface ComparedArm extends Arm {
  readonly config: RunConfig | null;
}

/** Runs of every arm with every seed, and how they are compared, which was declared before them. */
export interface Comparison {
  readonly folder: string;
  /** The configuration that all arms change. */
  readonly base: RunConfig;
  readonly arms: readonly ComparedArm[];
  readonly seeds: readonly number[];
  /** The name of the arm that others are compared with. */
  readonly reference: string;
  readonly target: Target;
  /** The commands that began it and went on with it, as they were typed. */
  readonly commands: readonly string[];
}

const FILE = "comparison.json";
/** What was measured, from which the report is made. */
export const measuredOf = ({ folder }: Pick<Comparison, "folder">) => join(folder, "measured.json");

/** The files of a report. */
export const reportsIn = (folder: string) => ({
  html: join(folder, "report.html"),
  markdown: join(folder, "report.md"),
});

/** The run folder of an arm with a seed. */
export const trialFolder = ({ folder }: Pick<Comparison, "folder">, arm: string, seed: number) =>
  join(folder, `${arm}-seed-${seed}`);

/** The most seeds of a comparison. */
export const MAX_SEEDS = 100;

/**
 * The arms with their configurations. Throws {@link ConfigError}, with the name of the arm, where a change does not fit.
 */
export async function armsWith(
  arms: readonly Arm[],
  load: (options: readonly string[]) => Promise<RunConfig>,
): Promise<ComparedArm[]> {
  return Promise.all(
    arms.map(async (arm) => {
      if (arm.ensembleOf !== undefined) return { ...arm, config: null };
      try {
        return { ...arm, config: await load(arm.options) };
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        throw new ConfigError(`arm ${arm.name}: ${messageOf(error)}`, { cause: error });
      }
    }),
  );
}

/** Write down what is to be compared, in a folder that was made for it; also when seeds or commands are added. */
export async function writeComparison({ folder, ...comparison }: Comparison): Promise<void> {
  await directoryStore(folder).put(FILE, encodeRunFile(recordWithoutSecrets(comparison)));
}

const armSchema = z.looseObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/),
  what: z.string(),
  options: z.array(z.string()),
  ensembleOf: z.string().optional(),
  config: z.looseObject({}).nullable(),
});

const fileSchema = z.looseObject({
  base: z.looseObject({}),
  arms: z.array(armSchema).min(2),
  seeds: z.array(z.int().nonnegative()).min(1).max(MAX_SEEDS),
  reference: z.string(),
  target: z.union([
    z.strictObject({ kind: z.literal("reference") }),
    z.strictObject({ kind: z.literal("loss"), value: z.number() }),
  ]),
  commands: z.array(z.string()),
});

/** Whether a folder is that of a comparison. */
export function isComparison(folder: string): boolean {
  return existsSync(join(folder, FILE));
}

/** The comparison of a folder. Throws {@link ConfigError} where there is none. */
export function openComparison(folder: string): Comparison {
  if (!isComparison(folder)) {
    const own = isRun(folder) ? " It is the folder of one run, which codistill train --resume goes on with." : "";
    throw new ConfigError(`${folder} is not the folder of a comparison: it has no ${FILE}.${own}`);
  }
  const { base, arms, ...rest } = checkedRunFile(join(folder, FILE), fileSchema);
  return {
    ...rest,
    folder,
    base: resolveConfig(base),
    arms: arms.map((arm) => ({ ...arm, config: arm.config === null ? null : resolveConfig(arm.config) })),
  };
}
