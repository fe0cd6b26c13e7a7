/**
 * Readings: how the text of files becomes values. They are plain data, inferred or given once, and stored in the
 * training cache and in the model, so that the same text is the same value in training, `predict` and `evaluate`.
 */
import { z } from "zod";

const short = z.string().max(60);
const name = z.string().max(1000);

/** Numbers: `-1,234.50`, with marks and a unit of their own where a column has them. */
const numberReading = z.strictObject({
  as: z.literal("number"),
  /** Whole numbers, of type BIGINT; left out, DOUBLE. */
  whole: z.exactOptional(z.literal(true)),
  /** "." where nothing is said. */
  decimal: z.exactOptional(z.enum([".", ","])),
  /** The separator of groups of digits; a space stands for every kind of space. */
  thousands: z.exactOptional(z.enum([",", ".", " ", "'"])),
  /** Before or behind the digits, as "$", "km" or "%"; the value is in this unit, so 12 % is 12. */
  unit: z.exactOptional(short.min(1)),
  /** Spans of time, such as 26:15:00 or 1h 5m, in seconds; two numbers with a colon are minutes and seconds. */
  duration: z.exactOptional(z.literal(true)),
});

/** Points in time. The clock time is taken as it is written: an offset from UTC after it is dropped. */
const timeReading = z.strictObject({
  as: z.literal("time"),
  /** Patterns of strptime, or "iso"; where a text fits two, the first counts. ISO 8601 is always read too. */
  formats: z.array(short.min(1)).min(1).max(12).readonly(),
  /** Days, of type DATE; left out, TIMESTAMP. */
  days: z.exactOptional(z.literal(true)),
  /** The zone written after the clock time: "Z" (or UTC), or an offset; left out where there was none. */
  zone: z.exactOptional(z.enum(["Z", "offset"])),
});

/** Yes and no. */
const booleanReading = z.strictObject({
  as: z.literal("boolean"),
  /** The names of the two values, however the text spells them; left out, the values are booleans. */
  words: z.exactOptional(z.strictObject({ no: short.min(1), yes: short.min(1) })),
});

export const columnReadingSchema = z.discriminatedUnion("as", [
  z.strictObject({ as: z.literal("text") }),
  booleanReading,
  numberReading,
  timeReading,
  z.strictObject({ as: z.literal("timeOfDay"), formats: z.array(short.min(1)).min(1).max(12).readonly() }),
]);

export type ColumnReading = z.infer<typeof columnReadingSchema>;
export type BooleanReading = z.infer<typeof booleanReading>;
export type NumberReading = z.infer<typeof numberReading>;
export type TimeReading = z.infer<typeof timeReading>;

/** Marks of missing values where the rest of a column is numbers, times or yes and no; compared in lower case. */
export const NULL_MARKS = [
  ...["na", "n/a", "#n/a", "nan", "null", "nil", "none", "missing", "?", "-", "--", "—", "–", ".", "..", "n.a."],
  ...["#null!", "#div/0!", "#value!", "#num!", "\\n"],
] as const;

const fileOptions = {
  /**
   * The encoding of files that are neither UTF-8 nor marked as UTF-16, by its name in the Encoding Standard, such as
   * "windows-1252".
   */
  encoding: z.exactOptional(z.string().regex(/^[A-Za-z0-9_:.-]{1,30}$/)),
  /** The delimiter between values; inferred for each file when left out. */
  delimiter: z.exactOptional(z.string().regex(/^[^\r\n"\p{L}\p{N}]$/u)),
  /** Texts that stand for a missing value in every column; left out, NULL_MARKS do so among numbers and times. */
  nullValues: z.exactOptional(z.array(short).max(100).readonly()),
};

/** The part of a reading that a configuration gives; the rest is inferred. */
export const givenReadingSchema = z.strictObject({
  ...fileOptions,
  /** The decimal mark of columns whose numbers do not show it. */
  decimal: z.exactOptional(z.enum([".", ","])),
  /** Patterns of strptime for all columns whose text fits them, as "%d/%m/%Y". */
  dateFormats: z.exactOptional(z.array(short.min(1)).min(1).max(12).readonly()),
  /** The readings of columns by their names. */
  columns: z.exactOptional(z.record(name, columnReadingSchema)),
});

export type GivenReading = z.infer<typeof givenReadingSchema>;

const day = z.string().regex(/^\d{4,6}-\d{2}-\d{2}$/);

/** The first and the last day of some dates, as 2024-12-31. */
const dateSpanSchema = z.tuple([day, day]).readonly();

export type DateSpan = z.infer<typeof dateSpanSchema>;

/** The reading of a source, whole. */
export const readingSchema = z.strictObject({
  ...fileOptions,
  /** All columns that were text in the files, in their order. */
  columns: z
    .array(
      z.strictObject({
        /** The name in SQL. */
        name,
        /** The name in the files, where it differs: in SQL no two names may differ in case alone. */
        header: z.exactOptional(name),
        reading: columnReadingSchema,
        /** The dates that the source had, where its text alone may not tell the day from the month. */
        span: z.exactOptional(dateSpanSchema),
      }),
    )
    .max(100_000)
    .readonly(),
});

export type Reading = z.infer<typeof readingSchema>;

/** The type in DuckDB of a column's values. */
export function typeOf(reading: ColumnReading): string {
  switch (reading.as) {
    case "number":
      return reading.whole ? "BIGINT" : "DOUBLE";
    case "time":
      return reading.days ? "DATE" : "TIMESTAMP";
    case "timeOfDay":
      return "TIME";
    case "boolean":
      return reading.words ? "VARCHAR" : "BOOLEAN";
    case "text":
      return "VARCHAR";
  }
}

/** A reading in a few words, for people. */
export function readingWords(reading: ColumnReading): string {
  switch (reading.as) {
    case "number": {
      const { decimal, thousands, unit, whole, duration } = reading;
      if (duration) return "spans of time, in seconds";
      const marks = [
        thousands && `"${thousands}" parting thousands`,
        decimal && `"${decimal}" as the decimal mark`,
        unit && `in ${unit}`,
      ].filter((part) => part !== undefined);
      return [whole ? "whole numbers" : "numbers", ...marks].join(", ");
    }
    case "time": {
      const formats = reading.formats.map((format) => (format === "iso" ? "ISO 8601" : format)).join(" or ");
      const zone = reading.zone === undefined ? "" : ", the clock as it is written, zones left off";
      return `${reading.days ? "days" : "times"} as ${formats}${zone}`;
    }
    case "timeOfDay":
      return "times of day";
    case "boolean":
      return reading.words
        ? `${JSON.stringify(reading.words.yes)} and ${JSON.stringify(reading.words.no)}`
        : "yes and no";
    case "text":
      return "text";
  }
}
