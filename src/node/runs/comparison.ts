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
import { commandOf, type Study } from "../../study/study.js";
import { directoryStore } from "../stores/directory-store.js";
import { configFrom, type GivenConfig } from "./load-config.js";
import { checkedRunFile, encodeRunFile } from "./run-file.js";
import { isRun } from "./run-folder.js";

/** An arm with what it trains; null of an ensemble. */
export interface ComparedArm extends Arm {
  readonly config: RunConfig | null;
}

/** Runs of every arm with every seed, and how they are compared, which was declared before them. */
export interface Comparison {
  readonly folder: string;
  readonly study: Study;
  /** The configuration that all arms change. */
  readonly base: RunConfig;
  /** The same as it was written, of which arms are made that come later: shares of numSteps are shares in it. */
  readonly given: GivenConfig;
  readonly arms: readonly ComparedArm[];
  readonly seeds: readonly number[];
  /** The name of the arm that others are compared with. */
  readonly reference: string;
  readonly target: Target;
  /** What its user says of it, for the report. */
  readonly notes?: readonly string[] | undefined;
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

/** A run of a comparison. */
export interface RunOf {
  readonly arm: ComparedArm & { readonly config: RunConfig };
  readonly seed: number;
  readonly folder: string;
}

/** The seeds that an arm is trained with. */
export function seedsOf({ seeds }: Pick<Comparison, "seeds">, { seed }: Pick<Arm, "seed">): readonly number[] {
  return seed === undefined ? seeds : [seed];
}

/** The runs of a comparison by its seeds, so that what is done at any time can be compared; an arm of one seed comes with the first. */
export function runsBySeed(comparison: Comparison): readonly { readonly round: number; readonly runs: RunOf[] }[] {
  const { arms, seeds } = comparison;
  return seeds.map((round) => ({
    round,
    runs: arms.flatMap((arm) => {
      const { config } = arm;
      const own = arm.seed === undefined ? round : round === seeds[0] ? arm.seed : undefined;
      if (config === null || own === undefined) return [];
      return [{ arm: { ...arm, config }, seed: own, folder: trialFolder(comparison, arm.name, own) }];
    }),
  }));
}

/** The most seeds of a comparison. */
export const MAX_SEEDS = 100;

/**
 * The arms with their configurations. Throws {@link ConfigError}, with the name of the arm, where a change does not fit.
 */
export async function armsWith(arms: readonly Arm[], given: GivenConfig): Promise<ComparedArm[]> {
  return Promise.all(
    arms.map(async (arm) => {
      if (arm.ensembleOf !== undefined) return { ...arm, config: null };
      try {
        return { ...arm, config: await configFrom(given, arm.options) };
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        throw new ConfigError(`arm ${arm.name}: ${messageOf(error)}`, { cause: error });
      }
    }),
  );
}

/** Throws {@link ConfigError} where a seed of the comparison is that of an arm which has one of its own. */
export function checkSeeds({ arms, seeds }: Pick<Comparison, "arms" | "seeds">): void {
  const own = arms.find(({ seed }) => seed !== undefined && seeds.includes(seed));
  if (own === undefined) return;
  throw new ConfigError(
    `--seeds: seed ${own.seed} is that of the arm ${own.name} alone, so that nothing of its draws is the same, and the seeds are ${seeds.join(", ")}. Leave ${own.seed} out.`,
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
  seed: z.int().nonnegative().optional(),
  closeTo: z.string().optional(),
  config: z.looseObject({}).nullable(),
});

const studySchemas = {
  compare: z.strictObject({ kind: z.literal("compare") }),
  churn: z.strictObject({ kind: z.literal("churn") }),
  sweep: z.strictObject({
    kind: z.literal("sweep"),
    ...{ over: z.string(), what: z.string(), why: z.string(), main: z.string() },
    values: z.array(z.string()).min(1),
    own: z.string().nullable(),
    lines: z.array(z.strictObject({ arm: z.string(), arms: z.array(z.string()) })).min(1),
    beside: z.array(z.string()),
  }),
} satisfies { readonly [K in Study["kind"]]: z.ZodType<Extract<Study, { readonly kind: K }>> };

const { compare, churn, sweep } = studySchemas;
const studySchema = z.discriminatedUnion("kind", [compare, churn, sweep]).default({ kind: "compare" });

const fileSchema = z.looseObject({
  study: studySchema,
  base: z.looseObject({}),
  given: z.looseObject({ config: z.looseObject({}), folder: z.string() }).optional(),
  arms: z.array(armSchema).min(1),
  seeds: z.array(z.int().nonnegative()).min(1).max(MAX_SEEDS),
  reference: z.string(),
  target: z.union([
    z.strictObject({ kind: z.literal("reference") }),
    z.strictObject({ kind: z.literal("loss"), value: z.number() }),
  ]),
  notes: z.array(z.string()).optional(),
  commands: z.array(z.string()),
});

/** Whether a folder is that of a comparison. */
export function isComparison(folder: string): boolean {
  return existsSync(join(folder, FILE));
}

/** What the comparison of a folder is made for. */
export function studyOf(folder: string): Study {
  return checkedRunFile(join(folder, FILE), z.looseObject({ study: studySchema })).study;
}

/** The comparison of a folder. Throws {@link ConfigError} where there is none, or one of another kind than is wanted. */
export function openComparison(folder: string, kind?: Study["kind"]): Comparison {
  if (!isComparison(folder)) {
    const own = isRun(folder) ? " It is the folder of one run, which codistill train --resume goes on with." : "";
    throw new ConfigError(`${folder} is not the folder of a comparison: it has no ${FILE}.${own}`);
  }
  const { base, given, arms, ...rest } = checkedRunFile(join(folder, FILE), fileSchema);
  if (kind !== undefined && rest.study.kind !== kind) {
    const own = commandOf(rest.study);
    throw new ConfigError(
      `${folder} was begun by ${own}, and ${commandOf({ kind })} cannot go on with it. Go on with: ${own} --resume ${folder}`,
    );
  }
  return {
    ...rest,
    folder,
    base: resolveConfig(base),
    given: given ?? { config: base, folder },
    arms: arms.map((arm) => ({ ...arm, config: arm.config === null ? null : resolveConfig(arm.config) })),
  };
}
