import assert from "node:assert/strict";
import { test } from "node:test";
import { yesAndNo } from "./positive.js";

test("which of two values is yes is one rule, said with its share and how to turn it", () => {
  const cases: readonly (readonly [string, string, string, RegExp])[] = [
    // The first value has 70 rows, the second 30.
    ["1", "0", "1", /^yes is "1" \(70 % of rows\), the larger number; --positive 0 turns it$/],
    ["0", "1", "1", /30 %/],
    ["-1", "1", "1", /the larger number; --positive="-1" turns it$/],
    ["1", "2", "2", /the larger number/],
    ["0.5", "10", "10", /the larger number/],
    ["True", "False", "True", /^yes is "True" \(70 % of rows\), as usual; --positive False turns it$/],
    ["Yes", "No", "Yes", /a word for yes/],
    ["on", "off", "on", /a word for yes/],
    ["churned", "no", "churned", /beside a word for no/],
    ["<=50K", ">50K", ">50K", /the rarer value; --positive "<=50K" turns it$/],
    ["M", "F", "F", /the rarer value/],
    ["T", "F", "T", /a letter for yes/],
    ["n", "y", "y", /a letter for yes/],
    ["y", "x", "x", /the rarer value/],
    ["yes", "ja", "ja", /the rarer value/],
  ];
  for (const [most, least, yes, reason] of cases) {
    const classes = [
      { value: most, count: 70 },
      { value: least, count: 30 },
    ] as const;
    const chosen = yesAndNo(classes);
    assert.equal(chosen.positive.value, yes, `${most} or ${least}`);
    assert.equal(chosen.negative.value, yes === most ? least : most);
    assert.match(chosen.reason, reason);
    const turned = yesAndNo(classes, chosen.negative.value);
    assert.equal(turned.positive.value, chosen.negative.value);
    assert.match(turned.reason, /as given with --positive/);
  }
});

test("of two equally frequent values the order in which they come does not decide", () => {
  const [m, f] = [
    { value: "M", count: 50 },
    { value: "F", count: 50 },
  ];
  for (const pair of [
    [m, f],
    [f, m],
  ] as const)
    assert.equal(yesAndNo(pair).positive.value, "M");
});

test("yes and no that DuckDB reads as booleans may be given as words", () => {
  const classes = [
    { value: "true", count: 50 },
    { value: "false", count: 60 },
  ] as const;
  for (const given of ["no", "No", "false", "0"]) assert.equal(yesAndNo(classes, given).positive.value, "false", given);
  assert.equal(yesAndNo(classes, "yes").positive.value, "true");
});

test("the value that is given may be written in another way", () => {
  const classes = [
    { value: "1", count: 50 },
    { value: "0", count: 60 },
  ] as const;
  for (const given of ["0", "0.0", " 0 ", "false", "-0"])
    assert.equal(yesAndNo(classes, given).positive.value, "0", given);
});
