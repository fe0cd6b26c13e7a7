/** What a comparison has measured, as its folder keeps it. */
import { z } from "zod";
import type { Apart, Measured, Refined } from "../../study/outcome.js";
import { type Comparison, measuredOf } from "./comparison.js";
import { checkedRunFile } from "./run-file.js";

const measuredSchema = z.looseObject({
  made: z.string(),
  machine: z.string(),
  task: z.enum(["binary", "multiclass", "regression", "language"]),
  lossName: z.string(),
  outcomes: z.array(
    z.looseObject({
      arm: z.string(),
      seed: z.int(),
      test: z.looseObject({ testLoss: z.number().nullish() }),
      curve: z.array(z.looseObject({ step: z.number(), loss: z.number().nullable(), seconds: z.number() })),
      taught: z.array(z.array(z.looseObject({ step: z.int(), numTeachers: z.int() }))).optional(),
    }),
  ),
  apart: z.array(z.looseObject({ arm: z.string() })),
  refined: z.array(z.looseObject({ arm: z.string() })),
});

/** What was measured, when and where. Throws {@link CheckpointError} when the file is missing or damaged. */
export function readMeasured(comparison: Pick<Comparison, "folder">) {
  const { made, machine, ...rest } = checkedRunFile(measuredOf(comparison), measuredSchema);
  return { made, machine, measured: asMeasured(rest as unknown as Measured) };
}

/** A number that is not finite is null in a file. */
function asMeasured({ outcomes, apart, refined, ...about }: Measured): Measured {
  const known = (value: number | null | undefined) => value ?? Number.NaN;
  return {
    ...about,
    outcomes: outcomes.map((outcome) => ({
      ...outcome,
      test: { ...outcome.test, testLoss: known(outcome.test.testLoss) },
      meanTestLoss: known(outcome.meanTestLoss),
      curve: outcome.curve.map((point) => ({ ...point, loss: known(point.loss) })),
    })),
    apart: apart.map((one) => ({ ...one, distance: known(one.distance), changed: known(one.changed) })),
    refined: refined.map((one) => ({ ...one, refinementLoss: known(one.refinementLoss) })),
  };
}

/** What was measured of the models of an arm. */
export interface Kept {
  readonly apart: readonly Apart[];
  readonly refined: readonly Refined[];
}

/** What is not finite is null in a file. */
const number = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

const apartSchema = z.looseObject({
  seeds: z.array(z.int()),
  apart: z.array(
    z.looseObject({
      arm: z.string(),
      seeds: z.tuple([z.int(), z.int()]),
      distance: number,
      changed: number,
      good: number.optional(),
      bad: number.optional(),
    }),
  ),
  refined: z.array(z.looseObject({ arm: z.string(), seed: z.int(), refinementLoss: number })),
});

/** What was measured of the models of an arm with some seeds. Throws {@link CheckpointError} when the file is damaged. */
export function readApart(file: string): Kept & { readonly seeds: readonly number[] } {
  return checkedRunFile(file, apartSchema);
}
