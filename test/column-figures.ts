/** Figures of columns for tests of the rules over them, without a table: of values that are given. */
import { type ColumnFigures, kindOf, type NumberFigures, QUANTILES } from "../src/infer/column.js";

/** Figures of a column of 1,000 rows with 100 different values, and what is changed of them. */
export function figuresOf(changes: Partial<ColumnFigures> & { readonly type: string }): ColumnFigures {
  return {
    name: "column",
    kind: kindOf(changes.type),
    numRows: 1000,
    numMissing: 0,
    numDistinct: 100,
    isExact: true,
    example: "a",
    numbers: null,
    times: null,
    text: null,
    frequencies: null,
    ...changes,
  };
}

/** The figures of some numbers, by sorting them. */
export function numbersOf(values: readonly number[]): NumberFigures {
  const finite = values.filter(Number.isFinite).sort((a, b) => a - b);
  const at = (share: number) => finite[Math.round(share * (finite.length - 1))] ?? 0;
  return {
    count: values.length,
    numInfinite: values.length - finite.length,
    numWhole: finite.filter(Number.isInteger).length,
    min: at(0),
    max: at(1),
    quantiles: QUANTILES.map(at),
    numOthers: 0,
    other: null,
  };
}
