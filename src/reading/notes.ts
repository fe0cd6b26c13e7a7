/** Notes on how a column is read, and on how to choose otherwise. */
import { counted, percent, shortened } from "../report/format.js";
import { type Census, examplesOf, type Shape } from "./census.js";
import type { NumberChoice } from "./decide-numbers.js";
import { provenOrder, type TimeChoice } from "./decide-times.js";
import { argument } from "./names.js";
import { type ColumnReading, readingWords } from "./reading.js";

const quoted = (text: string | undefined) => JSON.stringify(shortened(text ?? "", 40));

/** A note on digits that are read as names. */
export function codeNote(census: Census): string {
  const { name, counts } = census;
  const [look, why] =
    counts.zeros > 0
      ? (["zeros", "has a leading zero"] as const)
      : counts.big > 0
        ? (["big", "has more digits than a number keeps"] as const)
        : (["exponent", "has an E among digits"] as const);
  const [example] = examplesOf(census, look);
  return `${name}: read as text, as ${quoted(example)} ${why}; ${numericCure(name)}`;
}

/** Times by patterns that the user gave. */
export function givenNote(name: string, { reading }: TimeChoice): string {
  return `${name}: read as ${readingWords(reading)}, as given`;
}

/** A note on a reading by the looks of a column, with a reason. */
export function readingNote(name: string, reading: ColumnReading, why: string): string {
  return `${name}: read as ${readingWords(reading)}, as ${why}`;
}

/** Words of two kinds for yes and no, as T and N, or 1 and yes, in one column. */
export function mixedWordsNote(name: string, one: string, other: string): string {
  return `${name}: read as text, as ${quoted(one)} and ${quoted(other)} are of two kinds for yes and no, and each spelling is a value of its own: write them alike`;
}

/** The flag that takes a column as a quantity, where its digits were read as something else. */
export function numericCure(name: string): string {
  return `--numeric ${argument(name)} takes it as a quantity`;
}

/** Marks and infinite values of a column of numbers or times, which count as missing. */
export function missingNote(census: Census): string | null {
  const { name, counts } = census;
  const marks = examplesOf(census, "mark").slice(0, 3).map(quoted).join(", ");
  const [infinite] = examplesOf(census, "infinite");
  const parts = [
    ...(counts.mark > 0 ? [`${counted(counts.mark, "value")} ${marks}`] : []),
    ...(counts.infinite > 0 ? [`${counted(counts.infinite, "infinite value")} as ${quoted(infinite)}`] : []),
  ];
  if (parts.length === 0) return null;
  const cure = counts.mark > 0 ? "; --null-values says otherwise" : "";
  return `${name}: ${parts.join(" and ")} ${counts.mark + counts.infinite === 1 ? "counts" : "count"} as missing${cure}`;
}

/** A note on a reading that the shapes decided; null for a reading that is plain. */
export function shapesNote(name: string, choice: TimeChoice | NumberChoice): string | null {
  const said = [
    ...(isPlain(choice.reading) ? [] : [`read as ${readingWords(choice.reading)}, as ${quoted(choice.fits[0]?.min)}`]),
    ...("oddlySigned" in choice && choice.oddlySigned !== null ? [`${quoted(choice.oddlySigned)} is negative`] : []),
    ...openWords(name, choice),
  ];
  return said.length === 0 ? null : `${name}: ${said.join("; ")}`;
}

function isPlain(reading: ColumnReading): boolean {
  if (reading.as === "number") return !reading.decimal && !reading.thousands && !reading.unit;
  return "formats" in reading && reading.formats.every((format) => format === "iso") && !("zone" in reading);
}

function openWords(name: string, { open }: TimeChoice | NumberChoice): string[] {
  if (open === null) return [];
  const example = quoted(open.example);
  if ("order" in open) {
    return [
      `in ${example} the ${open.order} is first (${open.why}); if not: --date-format ${argument(`${name}=${open.other}`)}`,
    ];
  }
  const mark = open.example.includes(",") ? "," : ".";
  const [is, cure] = open.isDecimal ? ["a fraction", mark === "," ? "." : ","] : ["a thousand and more", mark];
  return [`${example} is ${is} (${open.why}); if not: --decimal "${cure}"`];
}

/**
 * A note on a column that resembles numbers or times and is read as text: the reason and the cure; null for other
 * columns.
 */
export function whyTextNote(
  name: string,
  shapes: readonly Shape[],
  { times, numbers }: { readonly times: TimeChoice | null; readonly numbers: NumberChoice | null },
  { what, share, others }: { readonly what: string; readonly share: number; readonly others: readonly Shape[] },
): string | null {
  if (times === null && provenOrder(shapes) === "both") {
    const example = (part: "first" | "second") =>
      quoted(shapes.find((shape) => shape[part][1] > 12 && shape[part][1] <= 31)?.max);
    return `${name}: read as text, as dates of one form begin with the day and with the month (${example("first")}, ${example("second")}): write them alike, or say which it is with --date-format ${argument(`${name}=%d/%m/%Y`)}; the others then count as missing`;
  }
  if (numbers !== null && numbers.otherUnits.length > 0 && share >= 0.3) {
    const units = [numbers.reading.unit ?? "", ...numbers.otherUnits].slice(0, 4).map(quoted).join(", ");
    return `${name}: read as text, as its amounts are in several units (${units}): bring them to one`;
  }
  if (share < 0.5) return null;
  const cure = what === "times" ? `--time ${argument(name)}` : `--numeric ${argument(name)}`;
  return `${name}: read as text, as ${percent(share)} of its values are ${what} and others are not, as ${quoted(others[0]?.min)}; with ${cure}, or where --null-values names them, those count as missing`;
}
