import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { figuresOf, numbersOf } from "../../test/fixtures/column-figures.js";
import { ConfigError } from "../errors.js";
import { type ColumnFigures, kindOf, type TimeFigures } from "./column.js";
import { givenRole, givenRoles, roleOf, rolesOf } from "./roles.js";

const times: TimeFigures = {
  count: 1000,
  min: "2001-01-01 00:00:00",
  max: "2001-03-01 10:00:00",
  spanDays: 59,
  numFullHour: 0,
  numMidnight: 0,
  numMonthStart: 0,
  numYearStart: 0,
};
const range = (size: number, step = 1) => numbersOf(Array.from({ length: size }, (_, i) => i * step));

describe("a column that nobody named", () => {
  const cases: readonly (readonly [string, Parameters<typeof figuresOf>[0], string, RegExp])[] = [
    ["constant", { type: "BIGINT", numDistinct: 1, example: "5" }, "ignored", /^constant: "5" in every row$/],
    ["one value or none", { type: "VARCHAR", numDistinct: 1, numMissing: 400 }, "categorical", /^1 different value$/],
    ["empty", { type: "VARCHAR", numDistinct: 0, numMissing: 1000, example: null }, "ignored", /^no value in any row$/],
    ["a list", { type: "BIGINT[]" }, "ignored", /^values of type BIGINT\[\] are neither .*: write an expression/],
    ["a structure", { type: "STRUCT(a TIMESTAMP)" }, "ignored", /STRUCT/],
    ["yes or no", { type: "BOOLEAN", numDistinct: 2 }, "categorical", /^true or false$/],
    ["fractions", { type: "DOUBLE", numbers: range(1000, 0.5) }, "numeric", /^0 to 499.5$/],
    [
      "fractions that all differ",
      { type: "DOUBLE", numDistinct: 1000, numbers: range(1000, 0.5), name: "id" },
      "numeric",
      /./,
    ],
    [
      "row numbers",
      { type: "BIGINT", numDistinct: 1000, numbers: range(1000) },
      "ignored",
      /every row, as numbers of rows: an identifier$/,
    ],
    [
      "a key by its name",
      { type: "BIGINT", name: "orderId", numDistinct: 998, numbers: range(1000, 1e6) },
      "ignored",
      /^a different value in 99.8 % of the rows: an identifier$/,
    ],
    [
      "numbers that all differ",
      { type: "BIGINT", name: "population", numDistinct: 1000, numbers: range(1000, 7919) },
      "numeric",
      /^0 to 7,911,081$/,
    ],
    [
      "a code by its name",
      { type: "BIGINT", name: "driver_id", numbers: range(1000, 50) },
      "categorical",
      /^a code by its name, 100 different values$/,
    ],
    [
      "few whole numbers",
      { type: "BIGINT", numDistinct: 5, numbers: range(1000) },
      "categorical",
      /^whole numbers, 5 different values$/,
    ],
    ["many whole numbers", { type: "BIGINT", numbers: range(1000, 3) }, "numeric", /^0 to 2,997$/],
    ["names", { type: "VARCHAR", text: { meanLength: 6, meanWords: 1.1 } }, "categorical", /^100 different values$/],
    ["estimated names", { type: "VARCHAR", isExact: false }, "categorical", /^about 100 different values$/],
    [
      "free text",
      { type: "VARCHAR", numDistinct: 970, text: { meanLength: 84.3, meanWords: 14 } },
      "ignored",
      /^free text: 84 characters on average$/,
    ],
    [
      "hashes",
      { type: "VARCHAR", numDistinct: 1000, text: { meanLength: 36, meanWords: 1 } },
      "ignored",
      /^a different value in every row: an identifier$/,
    ],
    [
      "text of numbers and several words",
      { type: "VARCHAR", numbers: { ...range(930), numOthers: 4, other: "few" } },
      "categorical",
      /93 % read as numbers, others as "few"$/,
    ],
    [
      "times",
      {
        type: "TIMESTAMP",
        times,
      },
      "time",
      /^2001-01-01 to 2001-03-01$/,
    ],
    [
      "seldom the same",
      {
        type: "VARCHAR",
        numDistinct: 800,
        text: { meanLength: 8, meanWords: 1 },
        frequencies: { numFrequent: 1, numRowsOfFrequent: 20, mostRows: 20 },
      },
      "ignored",
      /^a different value in 80 % of the rows: too seldom the same to learn from$/,
    ],
    [
      "frequent only if all of their rows train",
      {
        type: "VARCHAR",
        numDistinct: 600,
        text: { meanLength: 8, meanWords: 1 },
        frequencies: { numFrequent: 10, numRowsOfFrequent: 300, mostRows: 39 },
      },
      "ignored",
      /^a different value in 60 % of the rows: too seldom the same to learn from$/,
    ],
  ];
  for (const [name, given, role, reason] of cases) {
    test(`${name}: ${role}`, () => {
      const choice = roleOf(figuresOf(given));
      assert.equal(choice.role, role, choice.reason);
      assert.match(choice.reason, reason);
    });
  }
});

test("types have kinds", () => {
  const kinds = {
    "DECIMAL(18,3)": "number",
    UBIGINT: "number",
    HUGEINT: "number",
    "ENUM('a', 'b')": "text",
    UUID: "text",
    JSON: "text",
    "TIMESTAMP WITH TIME ZONE": "time",
    TIMESTAMP_NS: "time",
    DATE: "time",
    TIME: "timeOfDay",
    "VARCHAR[]": "other",
    INTERVAL: "other",
    BLOB: "other",
    "MAP(VARCHAR, INTEGER)": "other",
  };
  for (const [type, kind] of Object.entries(kinds)) assert.equal(kindOf(type), kind, type);
});

describe("a column that the user named", () => {
  const columns = ["origin", "delay", "Zip Code"].map((name) => ({ name }));

  test("has the role given, by its name in any case", () => {
    const roles = givenRoles({ numeric: ["DELAY"], categorical: ["zip code"], ignore: ["origin"] }, columns);
    assert.deepEqual(
      [...roles],
      [
        ["delay", "numeric"],
        ["Zip Code", "categorical"],
        ["origin", "ignored"],
      ],
    );
    assert.equal(givenRole(figuresOf({ type: "VARCHAR" }), "categorical").reason, "as given with --categorical");
    assert.equal(
      givenRole(figuresOf({ type: "VARCHAR", numDistinct: 0, numMissing: 1000 }), "ignored").role,
      "ignored",
    );
  });

  const refusals: readonly (readonly [string, () => unknown, RegExp])[] = [
    [
      "no column",
      () => givenRoles({ ignore: ["orign"] }, columns),
      /--ignore: must be a column of the table, got "orign"; the columns are origin, delay, Zip Code\. Did you mean origin\?/,
    ],
    [
      "nothing like a column",
      () => givenRoles({ time: "xyz" }, columns),
      /--time: must be a column .*got "xyz"; the columns are [^?]*$/,
    ],
    [
      "two roles",
      () => givenRoles({ numeric: ["delay"], ignore: ["delay"] }, columns),
      /--ignore delay: a column has one role, and it is given as numeric too/,
    ],
    [
      "names as numbers",
      () => givenRole(figuresOf({ type: "VARCHAR", numbers: range(31), example: "JFK" }), "numeric"),
      /--numeric column: most values must read as numbers, and 3.1 % do; one is "JFK"/,
    ],
    [
      "names as times",
      () => givenRole(figuresOf({ type: "VARCHAR", example: "JFK" }), "time"),
      /--time column: most values must read as points in time, and 0 % do/,
    ],
    ["lists", () => givenRole(figuresOf({ type: "BIGINT[]" }), "categorical"), /its type is BIGINT\[\]. Leave it out/],
    ["no values", () => givenRole(figuresOf({ type: "BIGINT", numMissing: 1000 }), "numeric"), /it has none at all/],
  ];
  for (const [name, attempt, message] of refusals) {
    test(`is refused: ${name}`, () => {
      assert.throws(attempt, (error) => error instanceof ConfigError && message.test(error.message));
    });
  }

  test("may be a number as time, and yes or no as a number", () => {
    const year: ColumnFigures = figuresOf({ type: "BIGINT", numbers: range(1000) });
    assert.equal(givenRole(year, "time").role, "time");
    assert.equal(givenRole(figuresOf({ type: "BOOLEAN", numDistinct: 2 }), "numeric").role, "numeric");
  });
});

test("of very many columns of yes and no or of few whole numbers each is a quantity; codes and names are as they are", () => {
  const few = { numDistinct: 2, numRows: 1000 };
  const flags = Array.from({ length: 257 }, (_, i) =>
    figuresOf(
      i % 2 === 0
        ? { ...few, name: `f${i}`, type: "BOOLEAN" }
        : { ...few, name: `f${i}`, type: "BIGINT", numbers: range(1000) },
    ),
  );
  const others = [
    figuresOf({ ...few, name: "zip", type: "BIGINT", numbers: range(1000) }),
    figuresOf({ ...few, name: "town", type: "VARCHAR" }),
  ];
  assert.ok(rolesOf(flags.slice(1)).every(({ role }) => role === "categorical"));
  const roles = rolesOf([...flags, ...others]);
  assert.deepEqual(
    roles.map(({ role }) => role),
    [...flags.map(() => "numeric"), "categorical", "categorical"],
  );
  assert.match(roles[0]?.reason ?? "", /^true or false; a quantity, as 257 columns are so$/);
});
