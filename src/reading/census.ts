/**
 * The census of a column's text, on which the decision rests how the column is read. Plain data; the counting is in
 * `node/table/`.
 */

/** The words for yes and for no, in whatever case. */
export const YES_WORDS = ["yes", "y", "true", "t"] as const;
export const NO_WORDS = ["no", "n", "false", "f"] as const;

/**
 * The looks of a text: the name of the first of these regular expressions that trimmed text fits. Other text is
 * "digits" where it is short and has digits, and "other" else.
 */
export const LOOKS = {
  /** A day as eight digits, which is a whole number too. */
  ymd: "(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])",
  /** Whole numbers that float64 holds and that are not written like codes. */
  whole: "-?(0|[1-9][0-9]{0,14})",
  plus: "[+](0|[1-9][0-9]{0,5})",
  /** More digits than float64 holds. */
  big: "[-+]?[1-9][0-9]{15,}",
  zeros: "[-+]?0[0-9]+",
  fraction: "[-+]?([0-9]+[.][0-9]*|[.][0-9]+)([eE][-+]?[0-9]{1,3})?|[-+]?[0-9]+[eE][-+][0-9]{1,3}",
  exponent: "[-+]?[0-9]+[eE][0-9]{1,3}",
  yesNo: `(?i)(${[...YES_WORDS, ...NO_WORDS].join("|")})`,
  day: "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
  stamp: "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?",
  clock: "([01]?[0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?|24:00(:00)?",
  /** More hours, or minutes, than a time of day has. */
  span: "[0-9]{1,4}:[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?",
  infinite: "(?i)[-+]?inf(inity)?",
} as const;

export type Look = keyof typeof LOOKS | "mark" | "digits" | "other";

/** Every look, in the order in which a text is tried against them. */
export const LOOK_NAMES: readonly Look[] = [
  "mark",
  ...(Object.keys(LOOKS) as (keyof typeof LOOKS)[]),
  "digits",
  "other",
];

/** The most characters of a number or a time. */
export const LONGEST = 60;

export interface Census {
  readonly name: string;
  /** Values of each look. */
  readonly counts: Readonly<Record<Look, number>>;
  /**
   * The shapes of the values, the most frequent first, {@link MOST_SHAPES} at most; null where the looks alone decide.
   */
  readonly shapes: readonly Shape[] | null;
}

/** Values that are the same but for their digits: 0 stands for each of them. Marks and infinite values are as they are. */
export interface Shape {
  readonly shape: string;
  readonly look: Look;
  readonly count: number;
  /** The number of different values, about. */
  readonly distinct: number;
  /** The first and the last value in alphabetical order. */
  readonly min: string;
  readonly max: string;
  /** Values whose first digit is a 0 before another digit or a mark. */
  readonly zeros: number;
  /** The least and the largest first number of the text; likewise of its second and its third number. */
  readonly first: readonly [number, number];
  readonly second: readonly [number, number];
  readonly third: readonly [number, number];
}

/**
 * The most shapes that are counted of a column, the most frequent ones: a column with more holds no numbers and no
 * times.
 */
export const MOST_SHAPES = 2000;

/** The number of values that are not marks of a missing value. */
export function numValues({ counts }: Census): number {
  return LOOK_NAMES.reduce((sum, look) => sum + (look === "mark" ? 0 : counts[look]), 0);
}

/** Values that are numbers as they are, fractions included. */
export function numPlain({ counts }: Census): number {
  return counts.ymd + counts.whole + counts.plus + counts.fraction + counts.big + counts.zeros + counts.exponent;
}

/** The shapes of values that are neither marks of a missing value nor infinite. */
export function valueShapes({ shapes }: Census): readonly Shape[] {
  return (shapes ?? []).filter(({ look }) => look !== "mark" && look !== "infinite");
}

/** Values of a look as they are written, the most frequent first. */
export function examplesOf({ shapes }: Census, look: Look): string[] {
  return (shapes ?? []).filter((one) => one.look === look).map(({ min }) => min);
}

/** Whether the looks do not suffice to decide on a column, or to describe the decision. */
export function needsShapes(census: Census): boolean {
  const { counts } = census;
  const values = numValues(census);
  const codes = counts.big + counts.zeros + counts.exponent;
  const kinds = [numPlain(census), counts.day + counts.stamp, counts.clock, counts.yesNo];
  const isSettled = kinds.includes(values) && counts.mark === 0 && codes === 0;
  return values > 0 && !isSettled && values - counts.other >= values / 2;
}
