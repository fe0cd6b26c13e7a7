import assert from "node:assert/strict";
import { test } from "node:test";
import { figuresOf } from "../../test/fixtures/column-figures.js";
import { describeColumn, featureNames } from "./features.js";
import { choosePairs, pairable } from "./pairs.js";
import { roleOf } from "./roles.js";

const nameOf = featureNames([]);
function column(name: string, numDistinct: number) {
  const figures = figuresOf({ type: "VARCHAR", name, numDistinct, numRows: 1_000_000 });
  return describeColumn(figures, roleOf(figures), { nameOf, isTimeSplit: true });
}
const [origin, destination, weekday, city] = [
  column("origin", 254),
  column("destination", 250),
  column("day", 7),
  column("city", 260),
];

test("columns of many names are paired, few ones and listed ones are not", () => {
  const frequencies = {
    numFrequent: 20,
    numRowsOfFrequent: 900_000,
    mostRows: 90_000,
  };
  const figures = figuresOf({ type: "VARCHAR", name: "rare", numDistinct: 90_000, numRows: 1_000_000, frequencies });
  const listed = describeColumn(figures, roleOf(figures), { nameOf, isTimeSplit: true });
  const names = pairable([origin, weekday, destination, city, listed]).map(
    ({ first, second }) => `${first.figures.name},${second.figures.name}`,
  );
  assert.deepEqual(names, ["city,origin", "city,destination", "origin,destination"]);
});

test("pairs are features where they come back, and are more than the values of either", () => {
  const of = (numPairs: number, numRows = 1_000_000) =>
    choosePairs([{ first: origin, second: destination, numPairs }], numRows, nameOf);
  const [route] = of(3400);
  assert.deepEqual(route?.feature, {
    name: "origin_destination",
    kind: "categorical",
    sql: "concat(origin, '|', destination)",
    numIds: 3401,
  });
  assert.equal(route?.reason, "origin with destination: about 3,400 pairs, each in 294 rows");
  assert.deepEqual(of(300), [], "one decides the other");
  assert.deepEqual(of(11_000), [], "too few rows each");
  assert.deepEqual(of(30_000, 1e9), [], "too many embeddings");
});
