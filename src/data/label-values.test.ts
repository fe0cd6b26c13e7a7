import assert from "node:assert/strict";
import { test } from "node:test";
import { classIndex, labelNumber, labelText } from "./label-values.js";

test("the name of a class is its text without what does not count", () => {
  const names = [
    " a",
    "a\t\r\n",
    "\u00a0a ",
    "3.0",
    "-3.000",
    "+3.0",
    "3.50",
    "03.0",
    "1e3",
    "",
    "  ",
    "A",
    "x.0",
    "3.",
  ];
  assert.deepEqual(names.map(labelText), [
    "a",
    "a",
    "a",
    "3",
    "-3",
    "+3",
    "3.50",
    "03",
    "1e3",
    "",
    "",
    "A",
    "x.0",
    "3.",
  ]);
});

test("names are numbers where they read so and can be told apart", () => {
  const numbers: readonly (readonly [string, number | null])[] = [
    ["3", 3],
    ["003", 3],
    ["3.50", 3.5],
    ["1e3", 1000],
    ["-0", -0],
    ["true", 1],
    ["False", 0],
    ["9007199254740993", null],
    ["yes", null],
    ["", null],
    ["nan", null],
    ["inf", null],
    ["0x10", null],
    ["1_000", null],
    ["1,5", null],
  ];
  for (const [name, number] of numbers) assert.equal(labelNumber(name), number, name);
});

test("a value is the class of its name, else of its number where that is of one class alone", () => {
  const cases: readonly (readonly [string, readonly string[], number | null])[] = [
    ["3.0", ["7", "3"], 1],
    ["3", ["7", "3.0"], 1],
    ["003", ["3", "7"], 0],
    ["3", ["03", "003"], null],
    ["03", ["03", "3"], 0],
    ["true", ["0", "1"], 1],
    ["FALSE", ["0", "1"], 0],
    ["1", ["False", "True"], 1],
    ["Yes", ["no", "yes"], null],
    [" yes ", ["no", "yes"], 1],
    ["yes.", ["no", "yes"], null],
    ["a", ["A", "a"], 1],
    [".5", ["0.50", "1.50"], 0],
    ["9007199254740993", ["9007199254740992", "1"], null],
  ];
  for (const [value, classes, index] of cases)
    assert.equal(classIndex(value, classes), index, `${value} of ${classes}`);
});
