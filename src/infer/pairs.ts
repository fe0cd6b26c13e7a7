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

/** Rows of a table from which on pairs are considered; of fewer rows a network would memorise them. */
export const PAIRED_ROWS = 100_000;
/** The fewest values that both columns have: pairs of fewer values are made by a hidden layer itself. */
const LEAST_VALUES = 16;
const ROWS_PER_PAIR = 100;
const MOST_PAIRS = 20_000;
const MOST_FEATURES = 2;
/** The most columns that are paired, those with the most values first. */
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
 * The pairs that occur often enough for an embedding each, the feature with the most pairs first. A column that the
 * other one determines adds nothing: then there are no more pairs than values.
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
