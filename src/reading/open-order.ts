/**
 * Days and months that a file does not tell apart, as in 05/03/2024: what its dates would be either way, beside those
 * of training.
 */
import { type Census, valueShapes } from "./census.js";
import { provenOrder } from "./decide-times.js";
import { argument } from "./names.js";
import type { ColumnReading, DateSpan, TimeReading } from "./reading.js";
import { writtenAs } from "./time-text.js";

/** The dates of a column, read in one of the two orders. */
export interface OrderedDates {
  /** The first and the last day, as 2024-12-31. */
  readonly span: DateSpan;
  /** How often a row is earlier than the one before it, and how often it is later. */
  readonly numFalling: number;
  readonly numRising: number;
}

/** The dates of a column in the order of training, and in the other one. */
export interface BothOrders {
  readonly own: OrderedDates;
  readonly other: OrderedDates;
}

const OPEN = /^%([dm])([^%]+)%([dm])/;
/** Changes from row to row that are all in one direction: by chance in one of 60 files of five different dates. */
const LEAST_CHANGES = 4;

/** Whether a reading takes one of two numbers for the day, and the other for the month. */
export function hasOrder(reading: ColumnReading | undefined): reading is TimeReading {
  return reading?.as === "time" && reading.formats.some((format) => OPEN.test(format));
}

/** The same reading with day and month the other way round. */
export function inOtherOrder(reading: TimeReading): TimeReading {
  return { ...reading, formats: reading.formats.map(swapped) };
}

function swapped(format: string): string {
  return format.replace(OPEN, "%$3$2%$1");
}

/** Whether some values of a column could be read in both orders, and none proves which it is. */
export function isOrderOpen(census: Census): boolean {
  const shapes = valueShapes(census);
  return provenOrder(shapes) === null && shapes.some(({ shape }) => writtenAs(shape)?.isOpen);
}

/**
 * A note on dates that could be read in both orders, with both readings and the flag that chooses; null where they are
 * the same dates either way, or where the rows are in the order of time as training reads dates, and not otherwise.
 */
export function openOrderNote(
  name: string,
  reading: TimeReading,
  { own, other }: BothOrders,
  training: DateSpan | null,
): string | null {
  const isSame = String(own.span) === String(other.span) && own.numFalling === other.numFalling;
  if (isSame || (isInOrder(own) && !isInOrder(other))) return null;
  const formats = reading.formats.filter((format) => OPEN.test(format));
  const [first, second] = formats[0]?.startsWith("%m") ? ["month", "day"] : ["day", "month"];
  const flags = (of: readonly string[]) =>
    of.map((format) => `--date-format ${argument(`${name}=${format}`)}`).join(" ");
  const seen = training === null ? "" : ` (training had ${words(training)})`;
  const reasons = [
    ...(isInOrder(other) && !isInOrder(own) ? ["its rows would be in the order of time"] : []),
    ...(training !== null && isWithin(other.span, training) && !isWithin(own.span, training)
      ? ["all of them would be among the dates of training"]
      : []),
  ];
  const why = reasons.length === 0 ? "" : `, and ${reasons.join(", and ")}`;
  return `${name}: no number above 12 tells the day from the month; read as in training, the ${first} first, the dates are ${words(own.span)}${seen}; with the ${second} first they would be ${words(other.span)}${why}: ${flags(formats.map(swapped))} if so, and ${flags(formats)} if not`;
}

function isInOrder({ numFalling, numRising }: OrderedDates): boolean {
  return Math.min(numFalling, numRising) === 0 && Math.max(numFalling, numRising) >= LEAST_CHANGES;
}

function isWithin([first, last]: DateSpan, [least, most]: DateSpan): boolean {
  return first >= least && last <= most;
}

function words([first, last]: DateSpan): string {
  return first === last ? first : `${first} to ${last}`;
}
