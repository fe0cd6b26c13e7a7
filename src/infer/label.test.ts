import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { figuresOf, numbersOf } from "../../test/fixtures/column-figures.js";
import { MAX_CLASSES } from "../data/table.js";
import { ConfigError, DataError } from "../errors.js";
import type { TaskKind } from "../log/events.js";
import { count } from "../report/format.js";
import type { ClassCount, ColumnFigures, LabelFigures } from "./column.js";
import { describeLabel } from "./label.js";

const classesOf = (counts: Readonly<Record<string, number>>): ClassCount[] =>
  Object.entries(counts).map(([value, rows]) => ({ value, count: rows }));

/** A label of these classes, the most frequent first. */
function label(
  classes: readonly ClassCount[],
  changes: Partial<ColumnFigures> & { readonly type: string },
  sql = "outcome",
): LabelFigures {
  const present = classes.reduce((sum, one) => sum + one.count, 0);
  const numRows = present + (changes.numMissing ?? 0);
  const example = classes[0]?.value ?? null;
  return {
    sql,
    classes,
    numSpellings: null,
    figures: figuresOf({ numDistinct: classes.length, numRows, example, ...changes }),
  };
}

const wholes = (size: number, numMissing = 0): LabelFigures => {
  const values = Array.from({ length: size }, (_, i) => i);
  const classes = values.map((value) => ({ value: String(value), count: 50 }));
  return label(classes, {
    type: "BIGINT",
    numbers: { ...numbersOf(values), count: 50 * size, numWhole: 50 * size },
    numMissing,
  });
};

describe("the task of", () => {
  const two = (a: string, b: string, type = "VARCHAR") => label(classesOf({ [a]: 700, [b]: 300 }), { type });
  const cases: readonly (readonly [string, LabelFigures, TaskKind, string, RegExp])[] = [
    [
      "booleans",
      two("false", "true", "BOOLEAN"),
      "binary",
      "outcome",
      /^two different values; yes is "true" \(30 % of rows\), as usual; --positive false turns it$/,
    ],
    [
      "0 and 1",
      label(
        [
          { value: "1", count: 700 },
          { value: "0", count: 300 },
        ],
        { type: "BIGINT" },
      ),
      "binary",
      "outcome",
      /yes is "1" \(70 % of rows\), the larger number; --positive 0 turns it$/,
    ],
    [
      "yes and no",
      two("Yes", "No"),
      "binary",
      "outcome",
      /yes is "Yes" \(70 % of rows\), a word for yes; --positive No turns it$/,
    ],
    [
      "two names",
      two("dog", "o'cat"),
      "binary",
      "outcome",
      /yes is "o'cat" \(30 % of rows\), the rarer value; --positive dog turns it$/,
    ],
    [
      "two numbers",
      two("1.5", "7", "DOUBLE"),
      "binary",
      "outcome",
      /yes is "7" .*, the larger number; --positive "1.5" turns it$/,
    ],
    ["few whole numbers", wholes(5), "multiclass", "outcome", /^whole numbers of 5 values; --task regression takes/],
    ["many whole numbers", wholes(300), "regression", "outcome", /^whole numbers, 300 different values from 0 to 299$/],
    [
      "names",
      label(classesOf({ a: 50, b: 40, c: 30 }), { type: "VARCHAR" }),
      "multiclass",
      "outcome",
      /^3 different names$/,
    ],
    [
      "fractions",
      label([], {
        type: "DOUBLE",
        numRows: 100,
        numDistinct: 100,
        numbers: { ...numbersOf([0.5, 1, 2.25]), count: 100 },
      }),
      "regression",
      "outcome",
      /^numbers with fractions, 100 different values from 0.5 to 2.25$/,
    ],
    [
      "text of fractions",
      label([], {
        type: "VARCHAR",
        numRows: 100,
        numDistinct: 100,
        numbers: { ...numbersOf([0.5, 1, 2.25]), count: 99 },
      }),
      "regression",
      "try_cast((outcome) as double)",
      /^numbers with fractions/,
    ],
  ];
  for (const [name, given, task, sql, reason] of cases) {
    test(`${name} is ${task}`, () => {
      const description = describeLabel(given);
      assert.equal(description.task, task);
      assert.equal(description.sql, sql);
      assert.match(description.reason, reason);
    });
  }

  test("whole numbers is what is given", () => {
    const description = describeLabel(wholes(5), "regression");
    assert.equal(description.task, "regression");
    assert.equal(description.reason, "as given with --task");
    assert.deepEqual(description.classes, []);
  });
});

describe("rows are left out", () => {
  test("without a label", () => {
    const { condition, hints } = describeLabel(
      label(classesOf({ true: 50, false: 50 }), { type: "BOOLEAN", numMissing: 7 }),
    );
    assert.equal(condition, "(outcome) is not null");
    const { condition: finite } = describeLabel(label(classesOf({ 1: 50, 0: 50 }), { type: "DOUBLE", numMissing: 7 }));
    assert.equal(finite, "isfinite(outcome)", "a float may be none without being null");
    assert.match(hints[0]?.text ?? "", /^7 rows have no label and are left out/);
  });

  test("with a class that is too rare", () => {
    const { condition, hints, classes } = describeLabel(
      label(classesOf({ a: 90, b: 80, c: 4, d: 2 }), { type: "VARCHAR" }),
    );
    assert.deepEqual(
      classes.map(({ value }) => value),
      ["a", "b"],
    );
    assert.equal(condition, "cast((outcome) as varchar) in ('a', 'b')");
    assert.match(hints[0]?.text ?? "", /^left out: 2 classes with fewer than 5 rows, as "c" \(6 rows\)/);
  });

  test("with a label that is no finite number", () => {
    const numbers = { ...numbersOf([0.5, 1.5]), count: 100, numInfinite: 1 };
    const { condition, hints } = describeLabel(
      label([], { type: "DOUBLE", numRows: 101, numDistinct: 99, numMissing: 1, numbers }),
    );
    assert.equal(condition, "isfinite(outcome)");
    assert.match(hints[0]?.text ?? "", /^2 rows have no number/);
    assert.equal(describeLabel(wholes(300, 3)).condition, "(outcome) is not null");
  });
});

test("names that differ in what is easily overlooked are told of", () => {
  const { hints } = describeLabel({
    ...label(classesOf({ A: 50, a: 40, b: 30 }), { type: "VARCHAR" }),
    numSpellings: 5,
  });
  assert.match(hints[0]?.text ?? "", /^5 different texts are 3 classes: spaces around a value and a zero fraction/);
  assert.match(
    hints[1]?.text ?? "",
    /^"A" and "a" differ in case alone and are two classes; .*--label "lower\(outcome\)"$/,
  );
});

test("an expression that is proposed can be typed into a shell as it stands", () => {
  const twins = label(classesOf({ A: 50, a: 40, b: 30 }), { type: "VARCHAR" });
  const { hints } = describeLabel({ ...twins, sql: '"returned?"' });
  assert.match(hints[0]?.text ?? "", /write --label "lower\(\\"returned\?\\"\)"$/);
});

test("uneven classes are told with their shares", () => {
  const rare = describeLabel(label(classesOf({ false: 990, true: 10 }), { type: "BOOLEAN" }));
  assert.match(rare.hints[0]?.text ?? "", /^only 1 % of the labels are "true" \(10 rows\)/);
  const even = describeLabel(label(classesOf({ false: 900, true: 100 }), { type: "BOOLEAN" }));
  assert.deepEqual(even.hints, []);
  const three = describeLabel(label(classesOf({ a: 1900, b: 1000, c: 30 }), { type: "VARCHAR" }));
  assert.match(three.hints[0]?.text ?? "", /"a" has 64.8 % of the labels, "c" 1 %/);
});

describe("refused is a label", () => {
  const many = Array.from({ length: MAX_CLASSES + 1 }, (_, i) => ({ value: `name ${i}`, count: 9 }));
  const cases: readonly (readonly [
    string,
    LabelFigures,
    TaskKind | undefined,
    typeof DataError | typeof ConfigError,
    RegExp,
    string?,
  ])[] = [
    [
      "without values",
      label([], { type: "BIGINT", numRows: 40, numMissing: 40 }),
      undefined,
      DataError,
      /null in all 40 rows: outcome/,
    ],
    [
      "of one value",
      label(classesOf({ a: 40 }), { type: "VARCHAR" }),
      undefined,
      DataError,
      /it is "a" in all of 40 rows: outcome/,
    ],
    [
      "of times",
      label(classesOf({ a: 40, b: 9, c: 8 }), { type: "TIMESTAMP" }),
      undefined,
      DataError,
      /outcome has the type TIMESTAMP.*epoch\(outcome\)/,
    ],
    [
      "of lists",
      label(classesOf({ a: 40, b: 9, c: 8 }), { type: "BIGINT[]" }),
      undefined,
      DataError,
      /has the type BIGINT\[\]/,
    ],
    [
      "of too many names",
      label(many, { type: "VARCHAR" }),
      undefined,
      DataError,
      new RegExp(
        `at most ${count(MAX_CLASSES)} .*outcome has 1,001 different values in 9,009 rows, as "name 0", "name 1"`,
      ),
    ],
    [
      "of names that do not come back",
      label(
        many.slice(0, 50).map(({ value }) => ({ value, count: 1 })),
        { type: "VARCHAR" },
      ),
      undefined,
      DataError,
      /classes are at most/,
    ],
    [
      "of rare classes only",
      label(classesOf({ a: 40, b: 4, c: 3 }), { type: "VARCHAR" }),
      undefined,
      DataError,
      /at least 5 rows to be learned, and of 3 classes only one has/,
    ],
    [
      "of three values as binary",
      label(classesOf({ 1: 40, 2: 30, 3: 20 }), { type: "BIGINT" }),
      "binary",
      ConfigError,
      /--task binary: a binary label has two values, and outcome has 3.*--label "outcome = 1"/,
    ],
    [
      "of classes with one that is yes",
      label(classesOf({ a: 40, b: 30, c: 20 }), { type: "VARCHAR" }),
      undefined,
      ConfigError,
      /--positive says which of two values is yes, and outcome is multiclass.*--label "outcome = 'b'"/,
      "b",
    ],
    [
      "of two values, none of which is the one that is yes",
      label(classesOf({ yes: 40, no: 30 }), { type: "VARCHAR" }),
      undefined,
      ConfigError,
      /--positive must be a value of the label, "yes" or "no", got "Yes"\. Did you mean yes\?/,
      "Yes",
    ],
    [
      "of names as numbers",
      label(classesOf({ a: 40, b: 30, c: 20 }), { type: "VARCHAR" }),
      "regression",
      ConfigError,
      /--task regression: a label is a finite number, and 0 % of outcome are, not "a"/,
    ],
  ];
  for (const [name, given, task, type, message, positive] of cases) {
    test(name, () => {
      assert.throws(
        () => describeLabel(given, task, positive),
        (error) => {
          assert.ok(error instanceof type, String(error));
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});

/** Numbers as a label, each in so many rows. */
function numbers(values: readonly number[], changes: Partial<ReturnType<typeof numbersOf>> = {}): LabelFigures {
  const one = { ...numbersOf(values), ...changes };
  return {
    sql: "price",
    numSpellings: 0,
    classes: [],
    figures: figuresOf({ type: "DOUBLE", numRows: one.count, numDistinct: 500, numbers: one }),
  };
}

test("a number that is never negative is not predicted below 0, and learned as a logarithm where its tail is long", () => {
  const shares = Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000);
  const exponential = numbers(shares.map((share) => -30 * Math.log(1 - share)));
  assert.deepEqual(describeLabel(exponential).options, { scale: "log" });
  assert.match(describeLabel(exponential).hints[0]?.text ?? "", /learned as a logarithm.*--target-scale linear/);
  assert.deepEqual(describeLabel(exponential, undefined, undefined, "linear").options, { least: 0 });
  const even = numbers(shares.map((share) => 100 + 50 * share));
  assert.deepEqual(describeLabel(even).options, { least: 0 });
  assert.deepEqual(describeLabel(even, undefined, undefined, "log").options, { scale: "log" });
  const mostlyZero = numbers(shares.map((share) => (share < 0.7 ? 0 : 10 * share)));
  assert.deepEqual(describeLabel(mostlyZero).options, { least: 0 }, "a logarithm would not cure it");
  const signed = numbers(shares.map((share) => share - 0.5));
  assert.equal(describeLabel(signed).options, undefined);
  assert.throws(
    () => describeLabel(signed, undefined, undefined, "log"),
    /--target-scale log: .* goes down to -0.4995/,
  );
  assert.throws(
    () => describeLabel(wholes(5), undefined, undefined, "log"),
    /learned as multiclass .* add --task regression/,
  );
});

test("infinite numbers are left out of a label, and counted", () => {
  const values = Array.from({ length: 1000 }, (_, i) => i / 7 - 50);
  const { condition, hints } = describeLabel(numbers(values, { count: 1003, numInfinite: 3 }));
  assert.equal(condition, "isfinite(price)");
  assert.match(hints[0]?.text ?? "", /^3 rows have no number as their label \(3 of them an infinite one\)/);
});
