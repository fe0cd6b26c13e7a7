import assert from "node:assert/strict";
import { type Numbers, numbers, type Values } from "./interpreter.js";

/**
 * Assert that two arrays agree: shapes exactly, elements within `tolerance` of the largest magnitude among the
 * expected ones (but at least of `scale`); what is not finite must be the same.
 */
export function assertClose(actual: Values, expected: Values, tolerance: number, what: string, scale = 0): void {
  assert.deepEqual([...actual.shape], [...expected.shape], `the shape of ${what}`);
  const [a, e] = [numbers(actual), numbers(expected)];
  const allowed = tolerance * Math.max(scale, magnitude(e));
  a.data.forEach((value, i) => {
    const target = e.data[i] ?? Number.NaN;
    const agrees = Number.isFinite(target) ? Math.abs(value - target) <= allowed : Object.is(value, target);
    assert.ok(agrees, `${what}: element ${i} is ${value}, expected ${target} within ${allowed}`);
  });
}

/** Assert that records of arrays have the same names and agree by {@link assertClose}. */
export function assertAllClose(
  actual: Readonly<Record<string, Values>>,
  expected: Readonly<Record<string, Values>>,
  tolerance: number,
  what: string,
  scale = 0,
): void {
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort(), `the names of ${what}`);
  for (const [name, values] of Object.entries(expected)) {
    assertClose(actual[name] as Values, values, tolerance, `${name} of ${what}`, scale);
  }
}

/** The largest difference between the elements of two arrays, by the largest magnitude among both. */
export function relativeDifference(a: Values, b: Values): number {
  const [x, y] = [numbers(a), numbers(b)];
  const difference = x.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (y.data[i] ?? Number.NaN))), 0);
  return difference / Math.max(magnitude(x), magnitude(y), Number.MIN_VALUE);
}

function magnitude({ data }: Numbers): number {
  return data.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
}
