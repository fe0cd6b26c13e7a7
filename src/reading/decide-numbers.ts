/** Decides how a column of numbers that are not written plainly is read: decimal mark, thousands, unit. */
import type { Shape } from "./census.js";
import { LOOKS } from "./census.js";
import { amountOf, type Marks, marksOf } from "./number-text.js";
import type { NumberReading } from "./reading.js";

export interface NumberContext {
  /** The decimal mark that was given, or that other columns of the source prove. */
  readonly decimal: "." | "," | null;
  /** The delimiter between the values of the files. */
  readonly delimiter: string;
}

export interface NumberChoice {
  readonly reading: NumberReading;
  /** The shapes of the values that fit the reading. */
  readonly fits: readonly Shape[];
  /** A value that may be read in two ways, and how it is; null where the text decides. */
  readonly open: { readonly example: string; readonly isDecimal: boolean; readonly why: string } | null;
  /** A value that is negative, though no plain minus before it says so. */
  readonly oddlySigned: string | null;
  /** Units of other values than those that fit. */
  readonly otherUnits: readonly string[];
}

interface Parsed {
  readonly of: Shape;
  readonly unit: string;
  readonly marks: Marks;
  readonly isBracketed: boolean;
  readonly isOddlySigned: boolean;
}

const SCIENTIFIC = new RegExp(`^(?:${LOOKS.fraction}|${LOOKS.exponent})$`);
const MOST_DIGITS = 15;
const TELEPHONE = /^[+]([0-9] ?){7,}$/;

/** The decimal mark that some values prove, and "both" where they prove both. */
export function provenDecimal(shapes: readonly Shape[]): "." | "," | "both" | null {
  const { point, comma } = weights(parsedOf(shapes));
  if (point > 0 && comma > 0) return "both";
  return comma > 0 ? "," : point > 0 ? "." : null;
}

/**
 * Decide by the marks that most values prove. Where no value proves any, `1,234` is 1234, but the fraction 1.234 in
 * files whose delimiter is ";".
 *
 * Null where no value is a number, or where digits in groups are not quantities: they have leading zeros, a "+", or the
 * same length throughout.
 */
export function decideNumbers(
  shapes: readonly Shape[],
  { decimal: known, delimiter }: NumberContext,
): NumberChoice | null {
  const parsed = parsedOf(shapes);
  if (parsed.length === 0 || parsed.every(({ isBracketed }) => isBracketed) || areNames(parsed)) return null;
  const { point, comma, openPoint, openComma } = weights(parsed);
  const proven = point > 0 || comma > 0 ? (comma > point ? "," : ".") : null;
  const assumed = openComma > openPoint && delimiter === ";" ? "," : ".";
  const decimal = proven ?? known ?? assumed;
  const thousandsMark = decimal === "." ? "," : ".";
  const [thousands = null] = mostFrequent(
    parsed.flatMap(({ marks, of }): [string, number][] => {
      if (marks.thousands !== null && marks.thousands !== decimal) return [[marks.thousands, of.count]];
      return marks.isOpen && marks.decimal !== decimal && of.zeros === 0 ? [[thousandsMark, of.count]] : [];
    }),
  ) as (NumberReading["thousands"] | null)[];
  const [unit = "", ...otherUnits] = mostFrequent(
    parsed.filter((one) => one.unit !== "").map((one) => [one.unit, one.of.count]),
  );
  const readable = parsed.filter(
    (one) =>
      (one.unit === "" || one.unit === unit) &&
      (one.marks.isOpen && one.of.zeros === 0
        ? one.marks.decimal === decimal || thousands === one.marks.decimal
        : (one.marks.decimal ?? decimal) === decimal && (one.marks.thousands ?? thousands) === thousands),
  );
  const isWhole = readable.every(
    ({ marks: { decimal: mark, isOpen }, of: { shape } }) =>
      (mark === null || (isOpen && mark === thousands)) && (shape.match(/0/g) ?? []).length <= MOST_DIGITS,
  );
  const open = parsed.find(({ marks }) => marks.isOpen && (marks.decimal === "," || known !== null || unit !== ""));
  const isDecimal = open?.marks.decimal === decimal;
  return {
    reading: {
      as: "number",
      ...(isWhole && { whole: true as const }),
      ...(decimal === "," && { decimal }),
      ...(thousands !== null && { thousands }),
      ...(unit !== "" && { unit }),
    },
    fits: readable.map(({ of }) => of),
    open:
      proven === null && open
        ? {
            example: open.of.min,
            isDecimal,
            why:
              known !== null
                ? "as in other columns"
                : delimiter === ";"
                  ? "as is usual where values are parted by semicolons"
                  : "nothing in the column says which",
          }
        : null,
    oddlySigned: readable.find((one) => one.isOddlySigned)?.of.min ?? null,
    otherUnits,
  };
}

/** Whether some values have fractions, by the marks of a reading. */
export function haveFractions(shapes: readonly Shape[], { decimal = ".", thousands }: NumberReading): boolean {
  return parsedOf(shapes).some(({ marks }) => marks.decimal === decimal && decimal !== thousands);
}

function parsedOf(shapes: readonly Shape[]): Parsed[] {
  return shapes.flatMap((of): Parsed[] => {
    const amount = amountOf(of.shape);
    const marks = amount && marksOf(amount.digits);
    if (marks) return [{ ...amount, of, marks }];
    if (!SCIENTIFIC.test(of.shape)) return [];
    const decimal = of.shape.includes(".") ? ("." as const) : null;
    return [
      { of, unit: "", marks: { decimal, thousands: null, isOpen: false }, isBracketed: false, isOddlySigned: false },
    ];
  });
}

/**
 * The number of values which prove that the point is the decimal mark, that the comma is, and of those that could be
 * read both ways.
 */
function weights(parsed: readonly Parsed[]) {
  const sum = (holds: (one: Parsed) => boolean) => parsed.filter(holds).reduce((total, { of }) => total + of.count, 0);
  // In "0,485" the comma cannot separate thousands.
  const isOpen = ({ marks, of }: Parsed) => marks.isOpen && of.zeros === 0;
  return {
    point: sum((one) => !isOpen(one) && (one.marks.decimal === "." || one.marks.thousands === ",")),
    comma: sum((one) => !isOpen(one) && (one.marks.decimal === "," || one.marks.thousands === ".")),
    openPoint: sum((one) => isOpen(one) && one.marks.decimal === "."),
    openComma: sum((one) => isOpen(one) && one.marks.decimal === ","),
  };
}

/** Digits in groups that are parts of a name, as in numbers of telephones. */
function areNames(parsed: readonly Parsed[]): boolean {
  const grouped = parsed.filter(({ marks }) => marks.thousands === " ");
  const isOfOneLength =
    grouped.length === 1 && parsed.length === 1 && /^[0-9]{3}( [0-9]{3}){2,}$/.test(grouped[0]?.of.shape ?? "");
  return isOfOneLength || grouped.some(({ of }) => of.zeros > 0) || parsed.some(({ of }) => TELEPHONE.test(of.shape));
}

/** Words by how often they come, the most frequent first. */
function mostFrequent(counted: readonly (readonly [string, number])[]): string[] {
  const totals = new Map<string, number>();
  for (const [word, count] of counted) totals.set(word, (totals.get(word) ?? 0) + count);
  return [...totals].sort((a, b) => b[1] - a[1]).map(([word]) => word);
}
