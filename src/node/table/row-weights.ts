/** Weights of rows: what they must be, in training as in evaluation, and their mean over the training rows. */
import { double } from "../../data/sql.js";
import { DataError } from "../../errors.js";
import { count, firstNames, short } from "../../report/format.js";
import type { Database } from "../sources/duckdb.js";
import { rows, splitCodes } from "./table-query.js";

/** The code of rows that are in no split, as those of an evaluation. */
export const noSplit = -1;

/** Rows with weights: SQL of a table with the columns `weight` (DOUBLE) and `split`, a code of {@link splitCodes}. */
export interface WeightedRows {
  readonly from: string;
  /** The weight as the user wrote it. */
  readonly expression: string;
  /** How rows are left out, in words. */
  readonly leaveOut: string;
}

/** Figures of weights that are sound. */
export interface WeightFigures {
  readonly least: number;
  readonly most: number;
  /** Of the training rows. */
  readonly mean: number;
  /** Rows of equal weights that would tell a mean as exactly as the training rows: (sum w)^2 / sum w^2 (Kish 1965). */
  readonly effectiveRows: number;
}

/**
 * Check that all weights are finite and 0 or more, and that each split has one above 0.
 *
 * Throws {@link DataError} with the number of rows of each fault, and the cure.
 */
export async function checkWeights(db: Database, { from, expression, leaveOut }: WeightedRows): Promise<WeightFigures> {
  const [found = []] = await db.rows(`select count(*), count(*) filter (weight is null or isnan(weight)),
    count(*) filter (isinf(weight)), count(*) filter (weight < 0 and not isinf(weight)) from ${from}`);
  const [all = 0, missing = 0, infinite = 0, negative = 0] = found.map(Number);
  const faults = Object.entries({ "missing or no number": missing, infinite, negative }).filter(([, n]) => n > 0);
  if (faults.length > 0) {
    const cure =
      missing === all
        ? "Name a column of numbers."
        : `Leave these rows out (${leaveOut}), or write an expression that gives them a weight, as coalesce(${expression}, 1) or greatest(${expression}, 0).`;
    throw new DataError(
      `weight: the weight of a row is a finite number of 0 or more, and of ${rows(all)} it is ${firstNames(faults.map(([fault, n]) => `${fault} in ${count(n)}`))}: ${expression}. ${cure}`,
    );
  }
  const [[most] = []] = await db.rows(`select max(weight) from ${from}`);
  // Shares of the largest, whose sums and squares are finite.
  const share = Number(most) > 0 ? `weight / ${double(Number(most))}` : "weight";
  const sums = await db.rows(`select split, count(*), min(weight), sum(${share}), sum(${share} * ${share})
    from ${from} group by split`);
  const figures = sums.map((row) => row.map(Number));
  for (const [name, code] of [...Object.entries(splitCodes), ["the data", noSplit] as const]) {
    const [, numRows = 0, , sum] = figures.find(([split]) => split === code) ?? [];
    if (sum !== 0) continue;
    throw new DataError(
      `weight: some row of ${name} must have a weight above 0, and the weight is 0 in all ${rows(numRows)}: ${expression}. Check the weight and the split.`,
    );
  }
  const [, numTrain = 0, , sum = 0, squares = 0] = figures.find(([split]) => split === splitCodes.train) ?? [];
  return {
    least: Math.min(...figures.map(([, , least = 0]) => least)),
    most: Number(most),
    mean: (sum / numTrain) * Number(most),
    effectiveRows: sum ** 2 / squares,
  };
}

/** The mean weight of the training rows in `examples`, in their order, so that the bits are the same every time. */
export async function meanWeight(db: Database): Promise<number> {
  const from = `from examples where split = ${splitCodes.train}`;
  const [[most] = []] = await db.rows(`select max(weight) ${from}`);
  // A power of two, by which sums stay finite, and those of whole numbers exact.
  const unit = 2 ** Math.floor(Math.log2(Number(most)));
  let [sum, numRows] = [0, 0];
  for await (const [weights = []] of db.columns(`select weight ${from}`, ["number"])) {
    for (const weight of weights as Float64Array) sum += weight / unit;
    numRows += weights.length;
  }
  return (sum / numRows) * unit;
}

/** A note for people who train with weights. */
export function weightNote(expression: string, mean: number): string {
  return `the loss of a row, and its part in every metric, is multiplied by its weight, ${expression}: a weight of ${short(mean)}, the mean of the training rows, counts as 1`;
}
