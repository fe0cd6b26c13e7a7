/** Names that tell more together than apart: an origin and a destination are a route. */
import { count } from "../report/format.js";
import type { ColumnDescription, Feature } from "./column.js";

/** Two columns of names, and how many different pairs of values there are. */
export interface PairFigures {
  readonly first: ColumnDescription;
  readonly second: ColumnDescription;
  readonly numPairs: number;
}

/** A feature of two columns, and why. */
export interface PairFeature {
  readonly feature: Feature;
  readonly reason: string;
}

/** Rows of a table from which pairs are looked at; with fewer they are learned by heart. */
export const PAIRED_ROWS = 100_000;
/** Values that both columns have at least: of fewer, a hidden layer makes the pairs by itself. */
const LEAST_VALUES = 16;
const ROWS_PER_PAIR = 100;
const MOST_PAIRS = 20_000;
const MOST_FEATURES = 2;
/** Columns that are paired, those with the most values first. */
const MOST_COLUMNS = 6;

/** The columns whose pairs are to be counted. */
export function pairable(columns: readonly ColumnDescription[]): Omit<PairFigures, "numPairs">[] {
  const named = columns
    .filter(({ role, figures, features }) => {
      const [feature] = features;
      const isWhole = feature?.kind === "categorical" && feature.vocabulary === undefined;
      return role === "categorical" && isWhole && figures.numDistinct >= LEAST_VALUES;
    })
    .sort((a, b) => b.figures.numDistinct - a.figures.numDistinct)
    .slice(0, MOST_COLUMNS);
  return named.flatMap((first, i) => named.slice(i + 1).map((second) => ({ first, second })));
}

/**
 * The pairs that come back often enough to have an embedding each, those with the most values first. A column that the
 * other one decides adds nothing: then there are no more pairs than values.
 */
export function choosePairs(
  pairs: readonly PairFigures[],
  numRows: number,
  nameOf: (wanted: string) => string,
): PairFeature[] {
  return pairs
    .filter(({ first, second, numPairs }) => {
      const most = Math.max(first.figures.numDistinct, second.figures.numDistinct);
      return numPairs > 2 * most && numPairs <= MOST_PAIRS && numRows / numPairs >= ROWS_PER_PAIR;
    })
    .sort((a, b) => b.numPairs - a.numPairs)
    .slice(0, MOST_FEATURES)
    .map(({ first, second, numPairs }) => ({
      feature: {
        name: nameOf(`${first.figures.name}_${second.figures.name}`),
        kind: "categorical",
        sql: `concat(${first.features[0]?.sql}, '|', ${second.features[0]?.sql})`,
        numIds: numPairs + 1,
      },
      reason: `${first.figures.name} with ${second.figures.name}: about ${count(numPairs)} pairs, each in ${count(Math.round(numRows / numPairs))} rows`,
    }));
}
