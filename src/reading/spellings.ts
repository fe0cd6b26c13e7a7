/** The texts that become each value of a column, for programs that make a model's inputs of texts themselves. */
import { firstNames } from "../report/format.js";
import { NO_WORDS, YES_WORDS } from "./census.js";
import { type ColumnReading, NULL_MARKS, type Reading, readingWords } from "./reading.js";

/** A value as a served model reads it, and the texts, in any case, that training took for it. */
export interface Spelling {
  readonly value: string | number;
  readonly texts: readonly string[];
}

/** The values of a column of yes and no with their spellings; empty for other columns, whose values are many. */
export function spellingsOf(reading: ColumnReading): Spelling[] {
  if (reading.as !== "boolean") return [];
  const { yes = 1, no = 0 } = reading.words ?? {};
  return [
    { value: yes, texts: YES_WORDS },
    { value: no, texts: NO_WORDS },
  ];
}

/** The texts that are missing values in a column; empty where only an empty text is. */
export function missingTexts(reading: ColumnReading, { nullValues }: Pick<Reading, "nullValues">): readonly string[] {
  return nullValues ?? (reading.as === "text" ? [] : NULL_MARKS);
}

/** The most texts of a value that are shown to people. */
const SHOWN = 6;

/**
 * How texts of a column become what a model reads, in words; null where numbers, times in ISO 8601 and texts are what
 * they look like.
 */
export function spellingWords(reading: ColumnReading, nulls: Pick<Reading, "nullValues">): string | null {
  const spelt = spellingsOf(reading).map(
    ({ value, texts }) => `${JSON.stringify(value)} for ${firstNames(texts, SHOWN)}`,
  );
  const isPlain =
    reading.as === "text" ||
    (reading.as === "number" && !reading.decimal && !reading.thousands && !reading.unit && !reading.duration) ||
    ("formats" in reading && reading.formats.every((format) => format === "iso"));
  const how = spelt.length > 0 ? `${spelt.join("; ")}, in any case` : isPlain ? null : readingWords(reading);
  const marks =
    nulls.nullValues === undefined && (reading.as === "text" || how === null) ? [] : missingTexts(reading, nulls);
  const missing = reading.as === "text" || (reading.as === "boolean" && reading.words) ? '""' : "NaN";
  const parts = [how, marks.length > 0 ? `${missing} for ${firstNames(marks, SHOWN)}` : null].filter(
    (part) => part !== null,
  );
  return parts.length === 0 ? null : parts.join("; ");
}
