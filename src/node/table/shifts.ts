/** Finds columns of numbers that float32 cannot tell apart, and the shift with which they are stored instead. */
import { double } from "../../data/sql.js";
import type { Shift } from "../../data/table.js";
import { DataError } from "../../errors.js";
import type { Database } from "../sources/duckdb.js";
import { aggregatesOf } from "./per-column.js";
import { splitCodes } from "./table-query.js";

/** Rows of the sample that says where most values are. */
const SAMPLE_ROWS = 65_536;
/** Ranges of values, by quantiles, in which rounding must not show: the first range counts whose values differ. */
const MIDDLES = [
  [0.1, 0.9],
  [0.01, 0.99],
  [0, 1],
] as const;
const QUANTILES = [0.5, ...MIDDLES.flat()];
/** The fewest steps into which float32 must divide that range. */
const LEAST_STEPS = 2 ** 13;
/** Sizes that float32 holds with room for the arithmetic of a network. */
const LARGEST = 2 ** 100;
const SMALLEST = 2 ** -100;

/** A column of float64 in the table `examples`, and the largest size of its finite values in all rows. */
export interface SizedColumn {
  /** Its name in errors. */
  readonly what: string;
  readonly sql: string;
  readonly largest: number;
}

/**
 * The shift of each column of the table `examples`; null where float32 loses nothing that matters, so that the values
 * stay as they are. Something is lost when, in a sample of the training rows, rounding moves a value of the middle 80 %
 * by more than an 8,192nd of their range (of the middle 98 %, or of all, where these are all the same), or when sizes
 * leave 2^-100 to 2^100. The sample is every k-th training row and the center its median, a value of the data, so that
 * the same rows give the same bits on every machine.
 *
 * Throws {@link DataError} for a value that is farther from the others than float32 can hold.
 */
export async function fitShifts(
  db: Database,
  columns: readonly SizedColumn[],
  numTrain: number,
): Promise<readonly (Shift | null)[]> {
  const every = Math.max(1, Math.floor(numTrain / SAMPLE_ROWS));
  const from = `(select * from examples where split = ${splitCodes.train} and rowid % ${every} = 0)`;
  const typed = columns.map(({ sql }) => ({ sql, type: "DOUBLE" }));
  const found = await aggregatesOf(db, typed, {
    aggregates: (value) => [`quantile_disc(${value}, [${QUANTILES.join(", ")}]) filter (isfinite(${value}))`],
    from,
    numRows: Math.ceil(numTrain / every),
  });
  const shifts: (Shift | null)[] = [];
  for (const [i, column] of columns.entries()) {
    const quantiles = found[i]?.[0];
    const shift = Array.isArray(quantiles) ? shiftOf(quantiles.map(Number), column) : null;
    shifts.push(shift && (await isLost(db, column.sql, shift, from)) ? shift.shift : null);
  }
  return shifts;
}

interface Candidate {
  readonly shift: Shift;
  /**
   * The range in which rounding must not show, and how far it may move a value; null where the sizes are beyond
   * float32.
   */
  readonly middle: { readonly low: number; readonly high: number; readonly tolerance: number } | null;
}

/** The shift that values with these {@link QUANTILES} would have, where float32 may lose them. */
function shiftOf([center = 0, ...bounds]: readonly number[], { what, largest }: SizedColumn): Candidate | null {
  const middles = MIDDLES.map((_, i) => ({ low: bounds[2 * i] ?? 0, high: bounds[2 * i + 1] ?? 0 }));
  const { low, high } = middles.find((one) => one.high > one.low) ?? { low: center, high: center };
  const range = high - low;
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (largest > LARGEST || (largest > 0 && Math.max(range, size) < SMALLEST)) {
    const scale = powerOfTwo(range > 0 ? range : size > 0 ? size : largest);
    if (largest / scale > LARGEST) {
      throw new DataError(
        `table: numbers are kept as float32, and ${what} has a value of the size ${largest} where most lie between ${low} and ${high}. Mend or leave out such values, for example with nullif(..., ${largest}), or take the logarithm.`,
      );
    }
    return { shift: { center, scale }, middle: null };
  }
  // size x 2^-24 is half a step of float32 at this size.
  if (range === 0 || size * 2 ** -24 * LEAST_STEPS <= range) return null;
  return { shift: { center, scale: 1 }, middle: { low, high, tolerance: range / LEAST_STEPS } };
}

/** Whether rounding to float32 moves a value too far; whole numbers, for example, it may not move at all. */
async function isLost(db: Database, sql: string, { middle }: Candidate, from: string): Promise<boolean> {
  if (middle === null) return true;
  const { low, high, tolerance } = middle;
  const [[moved] = []] = await db.rows(`select max(abs(${sql} - cast(cast(${sql} as float) as double))) from ${from}
    where ${sql} between ${double(low)} and ${double(high)}`);
  return Number(moved) > tolerance;
}

function powerOfTwo(size: number): number {
  return 2 ** Math.max(-1022, Math.min(1022, Math.round(Math.log2(size))));
}
