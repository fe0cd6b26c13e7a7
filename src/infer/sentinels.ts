/** Values that stand for "none", such as -999 or 9999-12-31: they repeat, far from all others, in typical shapes. */
import type { ColumnFigures, Sentinel } from "./column.js";

/** A value of a column at the end of its range, and what is known of the others. Times are seconds since 1970. */
export interface FarValue {
  readonly value: number;
  /** A time as "9999-12-31 00:00:00"; null for numbers. */
  readonly time: string | null;
  readonly numRows: number;
  readonly others: {
    readonly count: number;
    /** The other values at a tenth, the middle and nine tenths of their order, and the one nearest to the value. */
    readonly low: number;
    readonly middle: number;
    readonly high: number;
    readonly nearest: number;
  };
}

/** The fewest rows of other values from which a usual range is known. */
const LEAST_OTHERS = 20;
/** For a value without a typical shape: the fewest rows, their least share, and the least distance in usual ranges. */
const PLAIN = { rows: 10, share: 0.01, ranges: 5 };
const YEAR = 365.25 * 86_400;
/** 2^15, 2^16, 2^31, 2^32, 2^63 and the number before each; what netCDF and Stata put where there is nothing. */
const LIMITS = new Set([15, 16, 31, 32, 63].flatMap((bits) => [2 ** bits, 2 ** bits - 1]));
const DAYS = new Set([
  "1601-01-01",
  "1753-01-01",
  "1899-12-30",
  "1899-12-31",
  "1900-01-01",
  "1970-01-01",
  "2038-01-19",
  "2050-12-31",
  "2099-12-31",
  "2100-01-01",
  "2199-12-31",
]);
const LAST_YEAR = 2200;
const FIRST_YEAR = 1000;

/**
 * Whether a value stands for "none". The usual range is the middle 80 % of the other values, with as much again on
 * either side.
 *
 * - A value with a typical shape must occur twice (a year outside 1000 to 2200: once), and be farther from the usual
 *   range than that is wide. Or it must have ten rows and 1 % of all, and be as far from the nearest other value as the
 *   middle 80 % are wide (a time: a year).
 * - Any other value but 0 must have ten rows and 1 % of all, and be five widths of the usual range away from it.
 * - Where the middle 80 % are one value, a value with a typical shape must be twice as far from it as the nearest other
 *   value.
 */
export function isSentinel({ value, time, numRows, others }: FarValue): boolean {
  const { count, low, middle, high, nearest } = others;
  if (count < LEAST_OTHERS) return false;
  const width = 3 * (high - low);
  const fence = value < middle ? 2 * low - high : 2 * high - low;
  const away = value < middle ? fence - value : value - fence;
  const isFar = (ranges: number) =>
    width > 0 ? away >= ranges * width : ranges === 1 && Math.abs(value - nearest) >= Math.abs(value - middle) / 2;
  const isShaped = time === null ? hasShape(value) : DAYS.has(time.slice(0, 10)) || isStrangeYear(time);
  const isFrequent = numRows >= PLAIN.rows && numRows / (numRows + count) >= PLAIN.share;
  const gap = Math.abs(value - nearest);
  const isAlone = width > 0 && gap >= (time === null ? high - low : YEAR);
  if (isShaped)
    return (isFrequent && isAlone) || (numRows >= (time !== null && isStrangeYear(time) ? 1 : 2) && isFar(1));
  return value !== 0 && isFrequent && isFar(PLAIN.ranges);
}

/** Nines, one digit over and over, a power of ten, the limit of a type. */
function hasShape(value: number): boolean {
  const size = Math.abs(value);
  const digits = String(size);
  return (
    /^9{2,}8?(\.9+)?$/.test(digits) ||
    /^9\.9\d*e\+\d+$/.test(digits) ||
    /^([1-8])\1{2,}$/.test(digits) ||
    LIMITS.has(size) ||
    (size >= 1e6 && /^1(0+|e\+\d+)$/.test(digits)) ||
    size > 1e30
  );
}

function isStrangeYear(time: string): boolean {
  const year = Number(/^\d+/.exec(time)?.[0]);
  return year >= LAST_YEAR || year <= FIRST_YEAR || time.includes("BC");
}

/** Whether an end of a column's range may stand for "none", by its figures alone; only then its rows are counted. */
export function mayBeSentinel({ numbers, times }: ColumnFigures, end: "min" | "max"): boolean {
  if (numbers !== null && numbers.count > 0) {
    const at = (i: number) => numbers.quantiles[i] ?? 0;
    const value = numbers[end];
    return hasShape(value) || Math.abs(value - at(6)) > PLAIN.ranges * (at(9) - at(3));
  }
  return times !== null && (DAYS.has(times[end].slice(0, 10)) || isStrangeYear(times[end]) || times.spanDays > 36_500);
}

/** Words about sentinels for the reason of a role. */
export function sentinelWords(sentinels: readonly Sentinel[]): string {
  return sentinels.map(({ shown, numRows }) => `${shown} in ${numRows} rows counts as missing`).join(", ");
}
