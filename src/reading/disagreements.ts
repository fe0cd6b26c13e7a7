/** Notes on files whose text disagrees with a reading that was given beforehand. */
import { count, counted, shortened } from "../report/format.js";
import { type Census, valueShapes } from "./census.js";
import { provenDecimal } from "./decide-numbers.js";
import { provenOrder } from "./decide-times.js";
import { argument } from "./names.js";
import { type ColumnReading, readingWords } from "./reading.js";
import { zoneOf } from "./time-text.js";

const quoted = (text: string | undefined) => JSON.stringify(shortened(text ?? "", 40));

/** A note on values that could not be read. */
export function unreadNote(
  { name, count: number, example }: { readonly name: string; readonly count: number; readonly example: string },
  reading: ColumnReading | undefined,
): string {
  const as = reading === undefined ? "" : ` as ${readingWords(reading)}`;
  return `${name}: ${counted(number, "value")} cannot be read${as} and ${number === 1 ? "counts" : "count"} as missing, as ${quoted(example)}`;
}

/** Notes on what the values of a column prove against a given reading, by which they are still read. */
export function disagreements(census: Census, given: ColumnReading | undefined): string[] {
  const shapes = valueShapes(census);
  const { name } = census;
  if (given?.as === "time") {
    const order = provenOrder(shapes);
    const isMonthFirst = given.formats.some((format) => format.startsWith("%m"));
    const isOther = order === "both" || (order !== null && (order === "month") !== isMonthFirst);
    const isOpen = given.formats.some((format) => /^%[dm][^%]+%[dm]/.test(format));
    const example = shapes.find(({ first, second }) => Math.max(first[1], second[1]) > 12)?.max;
    const proof = shapes.find(({ first, second }) => (isMonthFirst ? first[1] : second[1]) > 12 && first[1] <= 31);
    const other = given.formats[0]?.replace(/%([dm])([^%]+)%([dm])/, "%$3$2%$1") ?? "";
    return [
      ...(isOpen && isOther
        ? [
            `${name}: the file disagrees: ${quoted((proof?.max ?? example) as string)} begins with the ${isMonthFirst ? "day" : "month"}, and the column is read as ${given.formats.join(" or ")}, dates that fit both with it; if all are the other way: --date-format ${argument(`${name}=${other}`)}`,
          ]
        : []),
      ...zoneWords(census, given.zone ?? null),
    ];
  }
  if (given?.as !== "number") return [];
  const decimal = provenDecimal(shapes);
  if (decimal === null || decimal === (given.decimal ?? ".")) return [];
  return [
    `${name}: the file disagrees: it has numbers with "${decimal === "both" ? (given.decimal === "," ? "." : ",") : decimal}" as the decimal mark, and the column is read as ${readingWords(given)}; if all are the other way: --decimal "${given.decimal === "," ? "." : ","}"`,
  ];
}

function zoneWords(census: Census, given: "Z" | "offset" | null): string[] {
  const { name } = census;
  const stamps = valueShapes(census).filter(({ shape }) => shape.includes(":"));
  const others = stamps.filter(({ min }) => zoneOf(min) !== given);
  const number = others.reduce((sum, one) => sum + one.count, 0);
  if (number === 0) return [];
  const word = (zone: string | null) =>
    zone === null ? "no zone" : zone === "Z" ? "the zone UTC" : "an offset from UTC";
  const [first] = others;
  return [
    `${name}: the file disagrees: ${count(number)} times have ${word(zoneOf(first?.min ?? ""))}, as ${quoted(first?.min)}, and training had ${word(given)}; the clock is taken as it is written`,
  ];
}
