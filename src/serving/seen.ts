/**
 * What training saw of each feature. A model keeps it, so that rows which are unlike it are counted where the model is
 * used.
 */
import { z } from "zod";
import type { Preprocessing } from "../data/table.js";
import { counted, percent, shortened } from "../report/format.js";
import { inputsIn, type ServedInput, type Serving } from "./expression.js";

/**
 * A feature in the training rows: the number of rows with a value, the share of rows without one or without a known
 * name, and the range of numbers as they are stored.
 */
export const seenValuesSchema = z.object({
  count: z.number().int().nonnegative(),
  absent: z.number().min(0).max(1),
  least: z.exactOptional(z.number()),
  most: z.exactOptional(z.number()),
});
export type SeenValues = z.infer<typeof seenValuesSchema>;

/** The same with the feature's name and kind, and the names of the inputs from which it is computed. */
export const seenFeatureSchema = seenValuesSchema.extend({
  feature: z.string(),
  kind: z.enum(["name", "number"]),
  inputs: z.array(z.string()),
});
export type SeenFeature = z.infer<typeof seenFeatureSchema>;

/** The record that a model keeps of its features, in their order. */
export function seenFeatures(
  seen: Readonly<Record<string, SeenValues>>,
  { features }: Serving,
  { vocabularies }: Preprocessing,
): SeenFeature[] {
  return Object.entries(features).map(([feature, { expression }]) => ({
    feature,
    kind: Object.hasOwn(vocabularies, feature) ? ("name" as const) : ("number" as const),
    inputs: [...inputsIn(expression)],
    ...(seen[feature] ?? { count: 0, absent: 0 }),
  }));
}

/** Rows of some columns that are unlike those of training. */
export interface Unlike {
  /** Inputs of the model: columns, or SQL over them. */
  readonly columns: readonly string[];
  /** Rows without a value, or without a number that can be read. */
  readonly missing: number;
  /**
   * Rows with a name, or a combination of names, that no training row had, or too few to have an embedding of its own;
   * and the first such name.
   */
  readonly unseen: number;
  readonly example: string | null;
  /** Rows with a number outside the range of training, and the lowest and the highest of these numbers. */
  readonly outside: number;
  readonly lowest: string | null;
  readonly highest: string | null;
  /** Rows that are expected outside the range of n training rows by chance: a share of 2 / (n + 1). */
  readonly outsideByChance: number;
  /** The share of training rows that had no value, or no name of its own. */
  readonly absentInTraining: number;
}

/** All columns with such rows, and sentences for users about them. */
export interface UnlikeFound {
  readonly unlike: readonly Unlike[];
  readonly notes: readonly string[];
}

/**
 * The values of a feature that a model computed for a batch: ids of names, 0 for none, or stored numbers, NaN for none.
 */
export interface FeatureValues {
  readonly isId: boolean;
  readonly at: (row: number) => number;
}

/** A column of a batch: numbers and times as numbers, NaN where they are missing; text, empty where it is. */
type InputColumn = ArrayLike<string | number>;

/**
 * Counts the rows that are unlike training by feature, and reports them by columns: features of the same columns
 * together.
 */
export function unlikeCounter(inputs: readonly ServedInput[], seen: readonly SeenFeature[]) {
  const placeOf = new Map(inputs.map(({ name }, place) => [name, place]));
  const features = seen.filter(({ inputs }) => inputs.length > 0).map((feature) => ({ feature, counts: noCounts() }));
  let numRows = 0;
  return {
    /** Takes a column for each input, and the values that the model computed from them for a feature. */
    add(columns: readonly InputColumn[], valuesOf: (feature: string) => FeatureValues | undefined): void {
      const batch = columns[0]?.length ?? 0;
      numRows += batch;
      for (const { feature, counts } of features) {
        const values = valuesOf(feature.feature);
        const places = feature.inputs.flatMap((name) => placeOf.get(name) ?? []);
        const texts = (row: number) => places.map((place) => textOf(columns[place]?.[row], inputs[place]?.type));
        if (values?.isId) countNames(counts, values, batch, texts);
        else if (values) countNumbers(counts, values, batch, texts, feature);
      }
    },

    /** Columns that have such rows, those with the most first. */
    found(): UnlikeFound {
      const byColumns = new Map<string, Unlike>();
      for (const { feature, counts } of features) {
        const own = unlike(feature, counts, numRows);
        const key = JSON.stringify(feature.inputs);
        byColumns.set(key, theMost(own, byColumns.get(key) ?? own));
      }
      const sumOf = ({ missing, unseen, outside }: Unlike) => missing + unseen + outside;
      const found = [...byColumns.values()].filter((one) => sumOf(one) > 0).sort((a, b) => sumOf(b) - sumOf(a));
      return { unlike: found, notes: unlikeNotes(found, numRows) };
    },
  };
}

interface Counts {
  missing: number;
  unseen: number;
  example: string | null;
  outside: number;
  low: { readonly value: number; readonly text: string } | null;
  high: { readonly value: number; readonly text: string } | null;
}

const noCounts = (): Counts => ({ missing: 0, unseen: 0, example: null, outside: 0, low: null, high: null });

function countNames(counts: Counts, { at }: FeatureValues, numRows: number, texts: (row: number) => string[]): void {
  for (let row = 0; row < numRows; row++) {
    if (at(row) !== 0) continue;
    const own = texts(row);
    if (own.includes("")) counts.missing++;
    else {
      counts.unseen++;
      counts.example ??= own.join(" with ");
    }
  }
}

function countNumbers(
  counts: Counts,
  { at }: FeatureValues,
  numRows: number,
  texts: (row: number) => string[],
  { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY }: SeenValues,
): void {
  for (let row = 0; row < numRows; row++) {
    const value = at(row);
    if (value >= least && value <= most) continue;
    if (Number.isNaN(value)) {
      counts.missing++;
      continue;
    }
    counts.outside++;
    const text = () => texts(row).join(" with ");
    if (value < least && value < (counts.low?.value ?? least)) counts.low = { value, text: text() };
    if (value > most && value > (counts.high?.value ?? most)) counts.high = { value, text: text() };
  }
}

function unlike({ inputs, absent, count }: SeenFeature, { low, high, ...counts }: Counts, numRows: number): Unlike {
  return {
    columns: inputs,
    ...counts,
    lowest: low?.text ?? null,
    highest: high?.text ?? null,
    outsideByChance: (2 * numRows) / (count + 1),
    absentInTraining: absent,
  };
}

/** Joins the counts of two features of the same columns: of each count the larger. */
function theMost(a: Unlike, b: Unlike): Unlike {
  const [names, numbers] = [a.unseen >= b.unseen ? a : b, a.outside >= b.outside ? a : b];
  return {
    columns: a.columns,
    missing: Math.max(a.missing, b.missing),
    unseen: names.unseen,
    example: names.example,
    outside: numbers.outside,
    lowest: numbers.lowest,
    highest: numbers.highest,
    outsideByChance: numbers.outsideByChance,
    absentInTraining: Math.max(a.absentInTraining, b.absentInTraining),
  };
}

/** A value as people write it; empty where it is missing. */
function textOf(value: string | number | undefined, type: ServedInput["type"] = "text"): string {
  if (typeof value !== "number") return value ?? "";
  if (Number.isNaN(value)) return "";
  return type === "time" && Math.abs(value) <= LAST_TIME ? new Date(value).toISOString().slice(0, 19) : String(value);
}

/** The latest time of a Date, in milliseconds. */
const LAST_TIME = 8.64e15;

/** The most columns that notes list; the output of --json counts the others too. */
const MOST_NOTES = 8;
/**
 * Shares of rows above which a note is made: for unseen names and numbers out of range, and for missing values beyond
 * those of training.
 */
const [TOLD, TOLD_MISSING] = [0.001, 0.01];

/** Notes for users on rows that are unlike training: one for each column that has enough of them. */
export function unlikeNotes(found: readonly Unlike[], numRows: number): string[] {
  const rows = (n: number) => `${counted(n, "row")} (${percent(n / numRows)})`;
  const notes = found.flatMap(({ columns, missing, unseen, example, outside, lowest, highest, ...by }) => {
    const { outsideByChance, absentInTraining } = by;
    const name = columns.map((column) => shortened(column, 60)).join(" with ");
    const usual = absentInTraining * numRows;
    const parts = [
      unseen > TOLD * numRows && missing + unseen > 1.5 * usual
        ? `${rows(unseen)} have ${columns.length > 1 ? "names together" : "a name"} that training had never or too seldom, as ${JSON.stringify(shortened(example ?? "", 40))}${example === example?.trim() ? "" : " (spaces count)"}`
        : "",
      outside > TOLD * numRows && outside > 3 * outsideByChance
        ? `${rows(outside)} are beyond what training had, ${[lowest === null ? "" : `down to ${lowest}`, highest === null ? "" : `up to ${highest}`].filter(Boolean).join(" and ")}`
        : "",
      missing > 1.5 * usual + TOLD_MISSING * numRows
        ? `${rows(missing)} have no value, in training ${percent(absentInTraining)}`
        : "",
    ].filter(Boolean);
    return parts.length === 0 ? [] : [`${name}: ${parts.join("; ")}`];
  });
  const more = notes.length - MOST_NOTES;
  return more > 1
    ? [
        ...notes.slice(0, MOST_NOTES),
        `${more} more columns have rows that are unlike training; --json counts all of them`,
      ]
    : notes;
}
