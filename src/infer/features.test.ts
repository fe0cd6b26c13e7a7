import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { figuresOf, numbersOf } from "../../test/fixtures/column-figures.js";
import type { ColumnFigures, TimeFigures } from "./column.js";
import { describeColumn, featureNames } from "./features.js";
import { roleOf } from "./roles.js";
import { columnSql } from "./sql.js";

function described(changes: Parameters<typeof figuresOf>[0], isTimeSplit = false) {
  const figures: ColumnFigures = figuresOf({ name: "x", ...changes });
  return describeColumn(figures, roleOf(figures), { nameOf: featureNames([]), isTimeSplit });
}
const sqlOf = (...given: Parameters<typeof described>) =>
  Object.fromEntries(described(...given).features.map(({ name, kind, sql }) => [name, `${kind} ${sql}`]));

const numbers = numbersOf(Array.from({ length: 1000 }, (_, i) => i / 2));

describe("numbers", () => {
  test("are taken as they are, finite or missing", () => {
    assert.deepEqual(sqlOf({ type: "DECIMAL(9,1)", numbers }), { x: "numeric x" });
    assert.deepEqual(sqlOf({ type: "DOUBLE", numbers }), { x: "numeric case when isfinite(x) then x end" });
  });

  test("have an indicator where some are missing or infinite", () => {
    const few = { type: "DECIMAL(9,1)", numMissing: 2, numbers: { ...numbers, count: 998 } };
    assert.deepEqual(sqlOf(few), { x: "numeric x" });
    const some = { type: "DECIMAL(9,1)", numMissing: 50, numbers: { ...numbers, count: 950 } };
    assert.deepEqual(sqlOf(some), { x: "numeric x", x_missing: "numeric case when x is null then 1 else 0 end" });
    assert.match(described(some).reason, /with an indicator of missing values$/);
    const infinite = { type: "DOUBLE", numbers: { ...numbers, numInfinite: 50 } };
    assert.match(sqlOf(infinite).x_missing ?? "", /case when \(case when isfinite\(x\) then x end\) is null then 1/);
  });

  test("say what became of long tails", () => {
    const heavy = numbersOf(Array.from({ length: 1000 }, (_, i) => Math.exp(i / 100)));
    const { features, reason } = described({ type: "DECIMAL(9,1)", numbers: heavy });
    assert.equal(features[0]?.sql, "ln(1 + x)");
    assert.match(reason, /long tail: ln\(1 \+ x\)$/);
  });
});

describe("names", () => {
  const limitsOf = (given: Parameters<typeof described>[0]) =>
    described(given).features.map(({ sql, numIds, vocabulary }) => [sql, numIds, vocabulary]);
  test("are all kept where they are few, or have rows enough", () => {
    assert.deepEqual(sqlOf({ type: "VARCHAR" }), { x: "categorical x" });
    const frequencies = { numFrequent: 3000, numRowsOfFrequent: 90_000, mostRows: 900 };
    const rich = { type: "VARCHAR", numRows: 100_000, numDistinct: 4000, frequencies };
    assert.deepEqual(limitsOf(rich), [["x", 4001, undefined]]);
  });

  test("are kept where they come back, if a few of many do, and the rare count as unseen", () => {
    const frequencies = { numFrequent: 2, numRowsOfFrequent: 15_000, mostRows: 9_000 };
    const given = { type: "VARCHAR", numRows: 20_000, numDistinct: 4000, frequencies };
    assert.deepEqual(limitsOf(given), [["x", 3, { minRows: 20 }]]);
    assert.match(
      described(given).reason,
      /the 2 of at least 20 rows \(75 % of the rows\) are kept, the others count as unseen$/,
    );
  });

  test("have the mean of the label where rare ones have no embedding and the label has means", () => {
    const frequencies = { numFrequent: 2, numRowsOfFrequent: 15_000, mostRows: 9_000 };
    const figures = figuresOf({ name: "x", type: "VARCHAR", numRows: 20_000, numDistinct: 4000, frequencies });
    const options = { nameOf: featureNames([]), isTimeSplit: false, hasLabelMeans: true };
    const { features, reason } = describeColumn(figures, roleOf(figures), options);
    assert.deepEqual(
      features.map(({ name, kind, sql, numIds }) => [name, kind, sql, numIds]),
      [
        ["x", "categorical", "x", 3],
        ["x_mean", "labelMeans", "x", 0],
      ],
    );
    assert.match(reason, /are kept; all have the mean of the label over their rows, shrunken and out of fold$/);
    const few = figuresOf({ name: "x", type: "VARCHAR" });
    assert.equal(describeColumn(few, roleOf(few), options).features.length, 1);
  });

  test("are kept as far as an optimizer can move them", () => {
    const frequencies = { numFrequent: 60_000, numRowsOfFrequent: 2_000_000, mostRows: 9_000 };
    const given = { type: "VARCHAR", numRows: 3_000_000, numDistinct: 90_000, frequencies };
    assert.deepEqual(limitsOf(given), [["x", 50_001, { minRows: 20, maxNames: 50_000 }]]);
    assert.match(described(given).reason, /the 50,000 most frequent are kept, the others count as unseen$/);
  });
});

describe("times become", () => {
  const times = (spanDays: number, numMidnight = 0, numMonthStart = 0, numYearStart = 0): TimeFigures => ({
    count: 1000,
    min: "2001-01-01 00:00:00",
    max: "2002-01-01 00:00:00",
    spanDays,
    numFullHour: numMidnight,
    numMidnight,
    numMonthStart,
    numYearStart,
  });
  const namesOf = (given: TimeFigures, isTimeSplit = false) =>
    Object.keys(sqlOf({ type: "TIMESTAMP", times: given }, isTimeSplit));

  test("the cycles that their span shows and their resolution resolves", () => {
    assert.deepEqual(namesOf(times(1)), ["x_days"]);
    assert.deepEqual(namesOf(times(10)), ["x_hour", "x_days"]);
    assert.deepEqual(namesOf(times(180)), ["x_hour", "x_weekday", "x_days"]);
    const many = { ...times(180), count: 300_000 };
    const ofMany = { x_half_hour: "categorical hour(x) * 2 + minute(x) // 30", x_weekday: "categorical dayofweek(x)" };
    const minutes = { x_time_of_day: "numeric hour(x) * 60 + minute(x)", x_minute: "categorical minute(x)" };
    const later = (given: TimeFigures) => sqlOf({ type: "TIMESTAMP", numRows: 300_000, times: given }, true);
    assert.deepEqual(later(many), { ...ofMany, ...minutes });
    assert.deepEqual(later({ ...many, numFullHour: 280_000 }), ofMany, "hours alone");
    assert.deepEqual(namesOf(times(900)), ["x_hour", "x_weekday", "x_month", "x_day_of_year", "x_days"]);
    assert.deepEqual(namesOf(times(900, 1000)), ["x_weekday", "x_month", "x_day_of_year", "x_days"]);
    assert.deepEqual(namesOf(times(900, 1000, 1000)), ["x_month", "x_days"]);
    assert.deepEqual(namesOf(times(9000, 1000, 1000, 1000)), ["x_days"]);
  });

  test("the date of the year where each row is a day, and a date has rows enough", () => {
    const days = (count: number, spanDays: number) => namesOf({ ...times(spanDays, count), count }, true);
    assert.deepEqual(days(3660, 3659), ["x_weekday", "x_month", "x_day_of_year", "x_date"]);
    assert.deepEqual(days(3660, 3658), ["x_weekday", "x_month", "x_day_of_year"], "two rows of one day");
    assert.deepEqual(days(3650, 3650), ["x_weekday", "x_month", "x_day_of_year"], "fewer than ten years");
  });

  test("the day itself, as a name, where there are many times and later days are not what is scored", () => {
    const hasDay = (count: number, spanDays: number, isTimeSplit = false) =>
      namesOf({ ...times(spanDays), count }, isTimeSplit).includes("x_day");
    assert.ok(hasDay(200_000, 180) && hasDay(200_000, 1098));
    assert.ok(!hasDay(199_999, 180), "fewer times");
    assert.ok(!hasDay(200_000, 180, true), "later days are scored");
    assert.ok(!hasDay(200_000, 1099), "more than three years of days");
  });

  test("no count of days where what is later is what is scored", () => {
    assert.deepEqual(namesOf(times(180), true), ["x_hour", "x_weekday"]);
    assert.deepEqual(namesOf(times(0.1), true), []);
  });

  test("SQL by their type", () => {
    assert.equal(
      sqlOf({ type: "TIMESTAMP WITH TIME ZONE", times: times(10) }).x_hour,
      "categorical hour(cast(x as timestamp))",
    );
    assert.deepEqual(sqlOf({ type: "TIME" }), { x_hour: "categorical hour(x)" });
  });
});

test("columns are quoted where they need it", () => {
  assert.deepEqual(["delay", "Delay_2", "flight date", "2nd", "order", "Left", 'a"b', "é"].map(columnSql), [
    "delay",
    "Delay_2",
    '"flight date"',
    '"2nd"',
    '"order"',
    '"Left"',
    '"a""b"',
    '"é"',
  ]);
});

test("features have names that a model may have, each once and none that is taken", () => {
  const nameOf = featureNames(["probability"]);
  assert.deepEqual(["Zip Code", "zip_code", "probability", "größe (cm)", "%", "__proto__", "a-b", "日付"].map(nameOf), [
    "Zip_Code",
    "zip_code_2",
    "probability_2",
    "grosse_cm",
    "column",
    "proto",
    "a-b",
    "column_2",
  ]);
});
