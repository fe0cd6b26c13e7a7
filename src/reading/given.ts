/** Readings that users give, for all columns or for one. */
import { ConfigError } from "../errors.js";
import { columnNamed, type NamedColumn } from "./names.js";
import type { ColumnReading, GivenReading } from "./reading.js";
import { hasClock, knownFormat } from "./time-text.js";

/** Patterns of times as they are tried: for every column, and for one by its name. */
export interface GivenFormats {
  readonly all: readonly string[];
  readonly of: ReadonlyMap<string, readonly string[]>;
}

/**
 * Read patterns as users write them: "%d/%m/%Y", or "shipped=%m/%d/%Y" for one of the columns. Throws
 * {@link ConfigError} for other text.
 */
export function givenFormats(formats: readonly string[], columns: readonly NamedColumn[]): GivenFormats {
  const all: string[] = [];
  const of = new Map<string, string[]>();
  for (const given of formats) {
    const [, wanted = "", rest = ""] = /^([^%]*)=(.*)$/s.exec(given) ?? [];
    const column = wanted === "" ? null : columnNamed(wanted.trim(), columns);
    const format = knownFormat(column !== null ? rest : given);
    if (format === null || column === "several" || (wanted !== "" && column === null)) {
      throw new ConfigError(
        `--date-format (data.dateFormat): must be iso or a pattern with %Y or %y, %m or %b, %d, %H or %I with %p, %M, %S and %f, before it a column and "=" where it is for that one alone, as "%d/%m/%Y %H:%M" or "shipped=%m/%d/%Y", got "${given}"`,
      );
    }
    if (column === null) all.push(format);
    else of.set(column.name, [...(of.get(column.name) ?? []), format]);
  }
  return { all, of };
}

/** The reading of a model's column, with the patterns or the decimal mark that the user gives for these files. */
export function overridden(
  reading: ColumnReading,
  formats: readonly string[] | undefined,
  decimal: GivenReading["decimal"],
): ColumnReading {
  if (reading.as === "time" && formats && formats.length > 0) {
    const { days: _, ...rest } = reading;
    return { ...rest, formats: [...formats], ...(reading.days && !formats.some(hasClock) && { days: true as const }) };
  }
  if (reading.as !== "number" || decimal === undefined || decimal === (reading.decimal ?? ".")) return reading;
  const other = decimal === "," ? "." : ",";
  const { thousands } = reading;
  return { ...reading, decimal, ...(thousands === decimal && { thousands: other as "." | "," }) };
}

/**
 * The reading of a model's column in files of which the text is read by another one, of the same kind: its patterns of times, or its marks
 * of numbers. The type of the value stays that of the model.
 */
export function readAs(reading: ColumnReading, other: ColumnReading): ColumnReading {
  if (reading.as === "time" && other.as === "time") return overridden(reading, other.formats, undefined);
  if (reading.as !== "number" || other.as !== "number") return reading;
  const { decimal: _decimal, thousands: _thousands, ...rest } = reading;
  const { decimal, thousands } = other;
  return { ...rest, ...(decimal !== undefined && { decimal }), ...(thousands !== undefined && { thousands }) };
}
