/** The positive one of a label's two values: one rule, reported to the user, who may reverse it. */
import { classIndex, labelNumber, labelText } from "../data/label-values.js";
import { ConfigError } from "../errors.js";
import { nearest } from "../nearest.js";
import { argument } from "../reading/names.js";
import { percent, shortened } from "../report/format.js";
import type { ClassCount } from "./column.js";

/** Characters of a value that are shown. */
const LONGEST = 40;

/** Words that mean yes, and words that mean no, when a label has two values. */
const YES = words("true yes positive pos + on good success ja oui si sí");
const NO = words("false no negative neg - off none nein non");
/** Letters that mean yes, by the letter that means no beside them: F is no beside T, but not beside M. */
const LETTERS: Readonly<Record<string, string>> = { t: "f", y: "n", j: "n", p: "n" };

export interface YesAndNo {
  readonly positive: ClassCount;
  readonly negative: ClassCount;
  /** Which value is positive, how often it occurs, why, and how to reverse it. */
  readonly reason: string;
}

/**
 * The positive value: the given one; else of two numbers the larger; else the word for yes, or the value beside a word
 * for no; else the rarer value, and of two equally frequent ones the later in the order of text.
 *
 * Throws {@link ConfigError} when the given value is neither of the two.
 */
export function yesAndNo(classes: readonly [ClassCount, ClassCount], given?: string): YesAndNo {
  const [positive, why] = given === undefined ? inferred(classes) : [named(classes, given), "as given with --positive"];
  const negative = classes[0] === positive ? classes[1] : classes[0];
  const share = percent(positive.count / (positive.count + negative.count));
  return {
    positive,
    negative,
    reason: `yes is ${JSON.stringify(shortened(positive.value, LONGEST))} (${share} of rows), ${why}; ${flag(shortened(negative.value, LONGEST))} turns it`,
  };
}

function inferred(classes: readonly [ClassCount, ClassCount]): [ClassCount, string] {
  const [a, b] = classes;
  const numbers = [labelNumber(a.value), labelNumber(b.value)];
  if (numbers[0] != null && numbers[1] != null && numbers[0] !== numbers[1]) {
    return [numbers[0] > numbers[1] ? a : b, isYesNo(a.value) ? "as usual" : "the larger number"];
  }
  const letter = classes.find((one) => LETTERS[one.value.toLowerCase()] === (one === a ? b : a).value.toLowerCase());
  if (letter) return [letter, "a letter for yes"];
  const is = (list: ReadonlySet<string>) => classes.filter(({ value }) => list.has(value.toLowerCase()));
  const [yes, no] = [is(YES), is(NO)];
  if (yes.length === 1 && yes[0]) return [yes[0], "a word for yes"];
  if (no.length === 1) return [no[0] === a ? b : a, "beside a word for no"];
  if (a.count !== b.count) return [a.count < b.count ? a : b, "the rarer value"];
  return [a.value > b.value ? a : b, "the later of two equally frequent values"];
}

/** The flag for a value. With "=" a value that begins like a flag is not read as one. */
function flag(value: string): string {
  return `--positive${value.startsWith("-") ? "=" : " "}${argument(value)}`;
}

function isYesNo(value: string): boolean {
  return /^(true|false)$/i.test(value);
}

function named(classes: readonly [ClassCount, ClassCount], given: string): ClassCount {
  const values = classes.map(({ value }) => value);
  // DuckDB reads a column of nothing but "yes" and "no" as booleans.
  const word = labelText(given).toLowerCase();
  const meant = values.every(isYesNo) && (YES.has(word) || NO.has(word)) ? String(YES.has(word)) : given;
  const index = classIndex(meant, values);
  if (index !== null) return classes[index] as ClassCount;
  const near = nearest(labelText(given), values);
  throw new ConfigError(
    `--positive must be a value of the label, ${values.map((value) => JSON.stringify(value)).join(" or ")}, got ${JSON.stringify(given)}${near === undefined ? "" : `. Did you mean ${near}?`}`,
  );
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(" "));
}
