/** Flags that say how the text of tables becomes values, of every command that reads tables. */
import { type Command, InvalidArgumentError } from "commander";
import { listed } from "../../reading/names.js";
import { type GivenReading, givenReadingSchema } from "../../reading/reading.js";
import { checkEncoding } from "../sources/text-file.js";
import { wholeNumber } from "./flags.js";

export interface ReadingFlags {
  readonly encoding?: string;
  readonly delimiter?: string;
  readonly nullValues?: readonly string[];
  readonly decimal?: "." | ",";
  readonly dateFormat?: readonly string[];
  readonly maxBadRows?: number;
}

/** Arguments of a flag that may come several times. */
export function several(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** Collects a comma-separated list, in which quotes enclose items with commas; the flag may be repeated. */
export function listOf(text: string, before: readonly string[] = []): string[] {
  return [...before, ...listed(text)];
}

/** Add the flags to a command; `hasEncoding` when the command defines `--encoding` itself. */
export function withReadingFlags(command: Command, hasEncoding = false): Command {
  if (!hasEncoding)
    command.option("--encoding <name>", "of files that are neither UTF-8 nor marked as UTF-16, as windows-1252");
  return command
    .option("--delimiter <character>", "between the values of CSV; found out by default", delimiter)
    .option(
      "--null-values <texts>",
      'texts that are missing values, parted by commas; "" for none but empty ones',
      listOf,
    )
    .option("--decimal <mark>", 'decimal mark of numbers that do not show theirs, "." or ","', decimal)
    .option("--date-format <pattern>", 'how times are written, as "%d/%m/%Y" or "shipped=%m/%d/%Y"', several)
    .option(
      "--max-bad-rows <number>",
      "lines of CSV or TSV that are no rows and may be left out; 0 by default",
      wholeNumber,
    );
}

/** The reading that the flags give. */
export function readingOf({ encoding, delimiter, nullValues, decimal, dateFormat }: ReadingFlags): GivenReading {
  if (encoding !== undefined) checkEncoding(encoding);
  return {
    ...(encoding !== undefined && { encoding }),
    ...(delimiter !== undefined && { delimiter }),
    ...(nullValues !== undefined && { nullValues }),
    ...(decimal !== undefined && { decimal }),
    ...(dateFormat !== undefined && { dateFormats: dateFormat }),
  };
}

function delimiter(text: string): string {
  const character = /^(\\t|tab)$/i.test(text) ? "\t" : text;
  if (!givenReadingSchema.shape.delimiter.safeParse(character).success)
    throw new InvalidArgumentError(`must be one character that is no letter, digit or quote, or tab, got "${text}"`);
  return character;
}

function decimal(text: string): string {
  if (text !== "." && text !== ",") throw new InvalidArgumentError(`must be "." or ",", got "${text}"`);
  return text;
}
