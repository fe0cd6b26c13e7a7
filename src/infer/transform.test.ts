import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { numbersOf } from "../../test/fixtures/column-figures.js";
import { fold, normal, rootKey, uniform } from "../runtime/random.js";
import { transformOf, transformSql } from "./transform.js";

const SIZE = 20_000;
const gaussian = Array.from(normal(fold(rootKey(1), "normal"), SIZE));
const flat = Array.from(uniform(fold(rootKey(1), "uniform"), SIZE));
const kind = (values: readonly number[]) => transformOf(numbersOf(values)).kind;

describe("the transform of", () => {
  test("normal, uniform and exponential numbers is none", () => {
    assert.equal(kind(gaussian), "identity");
    assert.equal(kind(flat), "identity");
    assert.equal(kind(flat.map((x) => -Math.log(1 - x))), "identity");
  });

  test("log-normal numbers is a logarithm, whatever their unit", () => {
    const values = gaussian.map((x) => 50 * Math.exp(1.5 * x));
    assert.deepEqual(transformOf(numbersOf(values)), { kind: "signedLog", scale: 1, isSigned: false });
    const small = transformOf(numbersOf(values.map((x) => x * 1e-6)));
    assert.deepEqual(small, { kind: "signedLog", scale: 1e-5, isSigned: false });
    const large = transformOf(numbersOf(values.map((x) => x * 1e6)));
    assert.ok(large.kind === "signedLog" && large.scale >= 1e6, JSON.stringify(large));
  });

  test("numbers with far outliers on both sides is a signed logarithm", () => {
    const values = [...gaussian, -1000, 900];
    assert.deepEqual(transformOf(numbersOf(values)), { kind: "signedLog", scale: 0.1, isSigned: true });
  });

  test("one value and a few others is a logarithm", () => {
    const values = gaussian.map((x, i) => (i % 200 === 0 ? Math.abs(x) * 1000 : 0));
    assert.equal(kind(values), "signedLog");
  });

  test("one number alone is none", () => {
    assert.equal(kind([5, 5, 5]), "identity");
  });
});

test("transforms are SQL that keeps the expression whole and what is missing missing", () => {
  const log = { kind: "signedLog", scale: 1, isSigned: false } as const;
  assert.equal(transformSql({ kind: "identity" }, "x"), "x");
  assert.equal(transformSql(log, "x"), "ln(1 + x)");
  assert.equal(transformSql({ ...log, scale: 0.001 }, "x"), "ln(1 + x / 0.001)");
  assert.equal(transformSql({ ...log, scale: 1e-7 }, "a - b"), "ln(1 + (a - b) / 1e-7)");
  assert.equal(transformSql({ ...log, isSigned: true }, "a - b"), "sign(a - b) * ln(1 + abs(a - b))");
});
