/** The folder of a search for the limit: what was declared, a run folder for each run, what they came to, and a comparison at the limit. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { ConfigError } from "../../errors.js";
import { recordWithoutSecrets } from "../../report/secrets.js";
import { resolveConfig } from "../../run/config.js";
import type { DataSizes } from "../../run/kinds/kind.js";
import type { RunConfig } from "../../run/schema.js";
import { rateOf, type ScaleArm, type ScaleOutcome, type ScaleQuestion } from "../../study/scale/question.js";
import type { Link } from "../../study/scale/time-model.js";
import { directoryStore } from "../stores/directory-store.js";
import { MAX_SEEDS } from "./comparison.js";
import { checkedRunFile, encodeRunFile } from "./run-file.js";
import { isRun } from "./run-folder.js";

/** A search for the limit, as it was declared. */
export interface ScaleSearch {
  readonly folder: string;
  readonly base: RunConfig;
  /** Without a target where the first run is to set it. */
  readonly question: ScaleQuestion;
  /** How workers reach one another, where that is declared. */
  readonly link: Omit<Link, "isMeasured"> | null;
  readonly spread: number;
  /** The commands that began it and went on with it, as they were typed. */
  readonly commands: readonly string[];
}

/** What was measured so far. */
export interface ScaleMeasured {
  readonly made: string;
  readonly machine: string;
  /** Null before the first run, of a target that it sets. */
  readonly target: number | null;
  readonly numParams: number | null;
  /** Of the data, as the first run found it. */
  readonly sizes: DataSizes | null;
  readonly outcomes: readonly ScaleOutcome[];
  /** The number of workers at the limit whose groups are compared; null before that is known. */
  readonly comparedAt: number | null;
}

const FILE = "scale.json";
const MEASURED = "scale-measured.json";

/** The folder of the comparison at a limit: that of another one, which more seeds have moved, stays. */
export const secondGroupFolder = ({ folder }: Pick<ScaleSearch, "folder">, workers: number) =>
  join(folder, `second-group-at-${workers}`);

/** The run folder of an arm. */
export function armFolder({ folder, question }: ScaleSearch, { workers, doublings, seed }: ScaleArm): string {
  return join(folder, `workers-${workers}-rate-${rateOf(question, doublings)}-seed-${seed}`);
}

export async function writeScale({ folder, ...search }: ScaleSearch): Promise<void> {
  await directoryStore(folder).put(FILE, encodeRunFile(recordWithoutSecrets(search)));
}

export async function writeScaleMeasured(
  { folder }: Pick<ScaleSearch, "folder">,
  measured: ScaleMeasured,
): Promise<void> {
  await directoryStore(folder).put(MEASURED, encodeRunFile(measured));
}

const questionSchema = z.looseObject({
  workers: z.array(z.int().positive()).min(1),
  workerBatch: z.int().positive(),
  rate: z.number().positive(),
  numSteps: z.int().positive(),
  seeds: z.array(z.int().nonnegative()).min(1).max(MAX_SEEDS),
  target: z.number().nullable(),
});

const fileSchema = z.looseObject({
  base: z.looseObject({}),
  question: questionSchema,
  link: z.looseObject({ bytesPerSecond: z.number().positive(), latencySeconds: z.number().nonnegative() }).nullable(),
  spread: z.number().nonnegative(),
  commands: z.array(z.string()),
});

/** Whether a folder is that of such a search. */
export function isScale(folder: string): boolean {
  return existsSync(join(folder, FILE));
}

/** The search of a folder. Throws {@link ConfigError} where there is none. */
export function openScale(folder: string): ScaleSearch {
  if (!isScale(folder)) {
    const own = isRun(folder) ? " It is the folder of one run, which codistill train --resume goes on with." : "";
    throw new ConfigError(`${folder} is not the folder of a search for the limit: it has no ${FILE}.${own}`);
  }
  const { base, ...rest } = checkedRunFile(join(folder, FILE), fileSchema);
  return { ...rest, folder, base: resolveConfig(base) };
}

/** What is not finite is null in a file. */
const number = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

const splitsSchema = z.looseObject({ train: z.number(), validation: z.number(), test: z.number() });

const measuredSchema = z.looseObject({
  made: z.string(),
  machine: z.string(),
  target: z.number().nullable(),
  numParams: z.int().nullable(),
  sizes: z.looseObject({ rows: splitsSchema, tokens: splitsSchema.optional() }).nullable(),
  outcomes: z.array(
    z.looseObject({
      workers: z.int(),
      doublings: z.int(),
      seed: z.int(),
      numSteps: z.int(),
      curve: z.array(z.looseObject({ step: z.number(), loss: number })),
      isDiverged: z.boolean(),
      secondsPerStep: z.number().nullable(),
      reduceSeconds: z.number().nullable(),
      parts: z.int(),
      noise: z.array(z.looseObject({ part: number, step: number, numSteps: z.int() })),
      seconds: z.number(),
    }),
  ),
  comparedAt: z.int().nullable(),
});

/** What a search has measured; null where it has measured nothing yet. Throws {@link CheckpointError} when the file is damaged. */
export function readScaleMeasured({ folder }: Pick<ScaleSearch, "folder">): ScaleMeasured | null {
  const file = join(folder, basename(MEASURED));
  return existsSync(file) ? (checkedRunFile(file, measuredSchema) as ScaleMeasured) : null;
}
