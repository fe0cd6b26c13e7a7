import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { firstMatch, isSelected, matches } from "./patterns.js";

/** Names and patterns of few letters, so that they often match. */
const name = fc.array(fc.constantFrom("a", "b", ".", "+"), { maxLength: 8 }).map((parts) => parts.join(""));
const pattern = fc.array(fc.constantFrom("a", "b", ".", "+", "*"), { maxLength: 8 }).map((parts) => parts.join(""));

describe("a pattern", () => {
  test("is of names by its text and its stars", () => {
    const yes: readonly (readonly [string, string])[] = [
      ["*.bias", "layers.0.bias"],
      ["layers.*", "layers.0.bias"],
      ["layers.*.weight", "layers.10.weight"],
      ["layers.*.weight", "layers.0.sub.weight"],
      ["*", ""],
      ["*", "anything.at.all"],
      ["a*a", "aa"],
      ["exact", "exact"],
      ["", ""],
    ];
    const no: readonly (readonly [string, string])[] = [
      ["*.bias", "bias"],
      ["*.bias", "layers.0.biases"],
      ["a*a", "a"],
      ["exact", "exactly"],
      ["layers.0", "layers.0.bias"],
      ["a.b", "acb"],
      ["", "a"],
    ];
    for (const [pattern, name] of yes) assert.ok(matches(pattern, name), `${pattern} is of ${name}`);
    for (const [pattern, name] of no) assert.ok(!matches(pattern, name), `${pattern} is not of ${name}`);
  });

  test("means what the regular expression with .* for each star means", () => {
    fc.assert(
      fc.property(pattern, name, (pattern, name) => {
        const source = pattern.replace(/[.+]/g, "\\$&").replaceAll("*", ".*");
        assert.equal(matches(pattern, name), new RegExp(`^${source}$`).test(name));
      }),
      { numRuns: 2000 },
    );
  });

  test("is of a name that stars were filled in for", () => {
    fc.assert(
      fc.property(pattern, name, (pattern, filling) => assert.ok(matches(pattern, pattern.replaceAll("*", filling)))),
    );
  });
});

test("a selection holds what is asked for and not excepted", () => {
  assert.ok(isSelected({}, "a.bias"));
  assert.ok(!isSelected({ except: ["*.bias"] }, "a.bias"));
  assert.ok(isSelected({ only: ["b", "a.*"] }, "a.bias"));
  assert.ok(!isSelected({ only: ["a.*"], except: ["*.bias"] }, "a.bias"));
  assert.ok(!isSelected({ only: [] }, "a"));
  fc.assert(
    fc.property(fc.array(pattern), name, (patterns, name) => {
      assert.equal(isSelected({ only: patterns }, name), !isSelected({ except: patterns }, name));
      assert.equal(firstMatch(patterns, name) !== undefined, isSelected({ only: patterns }, name));
    }),
  );
});
