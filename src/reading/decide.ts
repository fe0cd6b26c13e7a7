/** Decides how the text of each column of a source is read, by rules over the column's census. */
import { type Census, needsShapes, numPlain, numValues, type Shape, valueShapes } from "./census.js";
import { decideNumbers, haveFractions, type NumberChoice, provenDecimal } from "./decide-numbers.js";
import { decideTimes, givenTimes, type Order, provenOrder, type TimeChoice } from "./decide-times.js";
import { spansOf } from "./durations.js";
import type { GivenFormats } from "./given.js";
import {
  codeNote,
  givenNote,
  missingNote,
  mixedWordsNote,
  numericCure,
  readingNote,
  shapesNote,
  whyTextNote,
} from "./notes.js";
import type { ColumnReading, GivenReading } from "./reading.js";

/** How a column is read, and notes on it. */
export interface Decision {
  readonly name: string;
  readonly reading: ColumnReading;
  /** Whether a configuration should fix the reading, since another one was possible. */
  readonly isChoice: boolean;
  /** Sentences on what was chosen and how to choose otherwise; none where that is plain. */
  readonly notes: readonly string[];
}

/** The type that a role given by the user demands of a column. */
export type Wanted = "number" | "time" | "text";

/** What is known before the text is looked at. */
export interface DecideContext extends Pick<GivenReading, "decimal" | "columns"> {
  readonly formats: GivenFormats;
  /** The delimiter between the values of the files. */
  readonly delimiter: string;
  readonly wanted?: ReadonlyMap<string, Wanted> | undefined;
}

/** Share of the values of a column that must read as numbers or times, for the others to count as missing. */
const READS_AS = 0.98;
/**
 * The same share, where the others are at most {@link FEW_MARKS} different values, and these at least
 * {@link MANY_VALUES}.
 */
const READS_AS_BUT_MARKS = 0.9;
const FEW_MARKS = 3;
const MANY_VALUES = 12;
/** The same share, where the user says that the column is of numbers, or of times. */
const READS_AS_WANTED = 0.5;

/** Columns of yes and no that keep their words. Of more, each is a quantity (`infer/roles.ts`), for which they are booleans. */
const MOST_WORDED = 256;

const TEXT: ColumnReading = { as: "text" };
const WHOLE: ColumnReading = { as: "number", whole: true };
const FRACTIONS: ColumnReading = { as: "number" };
const YMD: ColumnReading = { as: "time", formats: ["%Y%m%d"], days: true };
const SPANS: ColumnReading = { as: "number", duration: true };
/**
 * The fewest values that count as days written in eight digits: one in 1,400 numbers of eight digits looks like one by
 * chance.
 */
const LEAST_YMD = 2;

/** The columns whose shapes must be counted, as their looks do not suffice. */
export function wantShapes(columns: readonly Census[], context: DecideContext): readonly boolean[] {
  const areYesNo = columns.map((census) => census.counts.yesNo > 0 && census.counts.yesNo === numValues(census));
  const areWorded = areYesNo.filter(Boolean).length <= MOST_WORDED;
  return columns.map((census, i) => wantsShapes(census, context) || (areWorded && areYesNo[i] === true));
}

function wantsShapes(census: Census, context: DecideContext): boolean {
  const { decimal, delimiter, wanted, columns } = context;
  const { counts, name } = census;
  const want = wanted?.get(name);
  const given = columns?.[name]?.as;
  if (given !== undefined) return given === "time" || given === "number";
  if (want === "text") return false;
  // Where the comma is the decimal mark, "1.234" is more than a thousand.
  const isOpen = counts.fraction > 0 && (decimal === "," || delimiter === ";");
  return needsShapes(census) || isOpen || formatsOf(name, context).length > 0 || want !== undefined;
}

function formatsOf(name: string, { formats }: DecideContext): readonly string[] {
  return formats.of.get(name) ?? formats.all;
}

/**
 * Decide the reading of each column. The decimal mark, and the order of day and month, that one column proves hold for
 * the others.
 */
export function decideReadings(columns: readonly Census[], context: DecideContext): Decision[] {
  const shapes = columns.map(valueShapes);
  const decimal = context.decimal ?? agreed(shapes.map(provenDecimal));
  const order = agreed(shapes.map(provenOrder));
  return columns.map((column) => {
    const decision = decideReading(column, { ...context, ...(decimal && { decimal }) }, order);
    const missing = decision.reading.as === "text" ? null : missingNote(column);
    return missing === null ? decision : { ...decision, notes: [...decision.notes, missing] };
  });
}

/** The value that all proofs agree on; null where they differ, or there are none. */
function agreed<T extends string>(proofs: readonly (T | "both" | null)[]): T | null {
  const [only = null, ...others] = new Set(proofs.filter((proof) => proof !== null));
  return others.length === 0 && only !== "both" ? only : null;
}

function decideReading(census: Census, context: DecideContext, order: Order | null): Decision {
  const { name, counts } = census;
  const shapes = census.shapes && valueShapes(census);
  const given = context.columns?.[name];
  if (given !== undefined) return { name, reading: widened(given, census), isChoice: true, notes: [] };
  const wanted = context.wanted?.get(name);
  const values = numValues(census) - counts.infinite;
  const settled = (reading: ColumnReading, isChoice = false): Decision => ({ name, reading, isChoice, notes: [] });
  if (values <= 0) return settled(TEXT);
  if (wanted === "text") return counts.whole + counts.ymd === values ? settled(WHOLE) : settled(TEXT, true);
  const formats = formatsOf(name, context);
  const times = shapes && formats.length > 0 ? givenTimes(shapes, formats) : null;
  const isMeant = wanted !== undefined || context.formats.of.has(name);
  if (times && sum(times.fits) >= (isMeant ? READS_AS_WANTED : READS_AS) * values) {
    return { name, reading: times.reading, isChoice: true, notes: [givenNote(name, times)] };
  }
  if (wanted === "time" && shapes !== null) {
    const found = decideByShapes(census, shapes, context, order);
    // Values that are not times may still be numbers that grow with time.
    if (found.reading.as !== "text") return found;
  }
  if (counts.ymd >= READS_AS * values && wanted !== "number" && counts.ymd >= LEAST_YMD) {
    const note = `${readingNote(name, YMD, "20240131 is a day")}; ${numericCure(name)}`;
    return { name, reading: YMD, isChoice: true, notes: [note] };
  }
  const numSpans = counts.span > 0 ? counts.span + counts.clock : sum(spansOf(shapes ?? []));
  if (numSpans >= READS_AS * values && wanted !== "time") {
    const example = shapes?.find(({ look }) => look === (counts.span > 0 ? "span" : "digits"))?.max ?? "";
    return { name, reading: SPANS, isChoice: true, notes: [readingNote(name, SPANS, JSON.stringify(example))] };
  }
  const digits = decideDigits(census, wanted === "number", context);
  if (digits !== null) return digits;
  if (counts.yesNo === values) return decideYesNo(name, shapes ?? []);
  const mixed = shapes && digitAmongWords(shapes, values);
  if (mixed) return { name, reading: TEXT, isChoice: false, notes: [mixedWordsNote(name, mixed.digit, mixed.word)] };
  if (shapes !== null) return decideByShapes(census, shapes, context, order);
  const isDays = counts.stamp === 0 && { days: true as const };
  if (counts.day + counts.stamp === values) return settled({ as: "time", formats: ["iso"], ...isDays });
  return settled(counts.clock === values ? { as: "timeOfDay", formats: ["iso"] } : TEXT);
}

/** A given reading as whole numbers, changed to numbers where the text has fractions. */
function widened(reading: ColumnReading, census: Census): ColumnReading {
  if (reading.as !== "number" || !reading.whole) return reading;
  if (census.counts.fraction === 0 && !haveFractions(valueShapes(census), reading)) return reading;
  const { whole: _, ...rest } = reading;
  return rest;
}

/** Whether the reading rests on more than the values' looks, so that some values may turn out not to fit it. */
export function mayBeUnread({ reading: { as } }: Decision, census: Census): boolean {
  const values = numValues(census) - census.counts.infinite;
  return (
    as === "time" ||
    as === "timeOfDay" ||
    (as === "number" && numPlain(census) < values) ||
    (as === "boolean" && census.counts.yesNo < values)
  );
}

/**
 * Yes and no, named by their most frequent words; text where words of both kinds occur, as F and N then mean two
 * things.
 */
function decideYesNo(name: string, shapes: readonly Shape[]): Decision {
  const spelt = (words: RegExp) => shapes.filter(({ look, min }) => look === "yesNo" && words.test(min));
  const [[yes], [no]] = [spelt(/^y/i), spelt(/^n/i)];
  const [truth] = spelt(/^[tf]/i);
  const settled = (reading: ColumnReading, notes: readonly string[] = []) => ({
    name,
    reading,
    isChoice: false,
    notes,
  });
  if (!yes && !no) return settled({ as: "boolean" });
  if (truth) return settled(TEXT, [mixedWordsNote(name, truth.min, (yes ?? no)?.min ?? "")]);
  // Where a column has only one of the two, the word for the other is unknown.
  return settled(yes && no ? { as: "boolean", words: { yes: yes.min, no: no.min } } : TEXT);
}

/** A 1 or 0, and a word, of values that are all 1, 0 or words for yes and no; null of others. */
function digitAmongWords(shapes: readonly Shape[], values: number) {
  const words = shapes.filter(({ look }) => look === "yesNo");
  const digits = shapes.filter(
    ({ look, min, max }) => look === "whole" && min >= "0" && max <= "1" && min.length === 1,
  );
  const [word, digit] = [words[0]?.min, digits[0]?.min];
  const areAll = sum(words) + sum(digits) === values;
  return areAll && word !== undefined && digit !== undefined ? { word, digit } : null;
}

/** Numbers that are written plainly, and digits that are names; null where the column is neither. */
function decideDigits(census: Census, isWanted: boolean, { decimal }: DecideContext): Decision | null {
  const { name, counts } = census;
  const values = numValues(census) - counts.infinite;
  const digits = numPlain(census);
  const numCodes = counts.big + counts.zeros + counts.exponent;
  // Digits that are names have no fractions.
  if (numCodes > 0 && counts.fraction === 0 && digits >= values / 2 && !isWanted) {
    return { name, reading: TEXT, isChoice: true, notes: [codeNote(census)] };
  }
  // Where the comma is the decimal mark, the shapes decide what "1.234" is.
  if (digits < values || (decimal === "," && counts.fraction > 0 && census.shapes !== null)) return null;
  const isWhole = counts.fraction + counts.exponent + counts.big === 0;
  return { name, reading: isWhole ? WHOLE : FRACTIONS, isChoice: numCodes > 0, notes: [] };
}

function decideByShapes(
  census: Census,
  shapes: readonly Shape[],
  context: DecideContext,
  order: Order | null,
): Decision {
  const { name } = census;
  const wanted = context.wanted?.get(name);
  const values = numValues(census) - census.counts.infinite;
  const times = wanted === "number" ? null : decideTimes(shapes, order);
  const numbers =
    wanted === "time"
      ? null
      : decideNumbers(shapes, { decimal: context.decimal ?? null, delimiter: context.delimiter });
  const choice: TimeChoice | NumberChoice | null = sum(times?.fits ?? []) > sum(numbers?.fits ?? []) ? times : numbers;
  const others = shapes.filter((shape) => !choice?.fits.includes(shape));
  const share = sum(choice?.fits ?? []) / values;
  const numFitting = (choice?.fits ?? []).reduce((total, { distinct }) => total + distinct, 0);
  // Among few different values, a value that does not fit is probably a name, and so are the others.
  const areFewMarks =
    share >= READS_AS_BUT_MARKS && numDifferent(shapes, others, values) <= FEW_MARKS && numFitting >= MANY_VALUES;
  const isTaken = share >= (wanted === undefined ? READS_AS : READS_AS_WANTED) || areFewMarks;
  if (choice === null || !isTaken) {
    const what = choice === times ? "times" : "numbers";
    const note = whyTextNote(name, shapes, { numbers, times }, { what, share, others });
    return { name, reading: TEXT, isChoice: false, notes: note === null ? [] : [note] };
  }
  const note = shapesNote(name, choice);
  const isChoice = note !== null || sum(choice.fits) < values;
  return { name, reading: choice.reading, isChoice, notes: note === null ? [] : [note] };
}

/** The least number of different values among some shapes, including shapes that were not counted. */
function numDifferent(all: readonly Shape[], some: readonly Shape[], values: number): number {
  const uncounted = sum(all) < values ? FEW_MARKS + 1 : 0;
  return some.reduce((number, { distinct }) => number + distinct, uncounted);
}

function sum(shapes: readonly Shape[]): number {
  return shapes.reduce((total, { count }) => total + count, 0);
}
