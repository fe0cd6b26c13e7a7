import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { tinyInput } from "../../test/fixtures/tiny-run.js";
import { ConfigError } from "../errors.js";
import { applyOverrides, resolveConfig } from "./config.js";

const input = tinyInput();

describe("applyOverrides", () => {
  const applied = (...overrides: string[]) => applyOverrides(input, overrides) as Record<string, unknown>;

  test("reads values as JSON, and as text where they are none", () => {
    const values: readonly [text: string, value: unknown][] = [
      ["100", 100],
      ["1e-3", 0.001],
      ["true", true],
      ["null", null],
      ["[64,32]", [64, 32]],
      ['{"a":1}', { a: 1 }],
      ['"5"', "5"],
      ["ring", "ring"],
      ["date < '2001-05-25' AND a = b", "date < '2001-05-25' AND a = b"],
      ["", ""],
      ["01", "01"],
      ["two\nlines", "two\nlines"],
    ];
    for (const [text, value] of values) assert.deepEqual(applied(`seed=${text}`).seed, value);
  });

  test("reaches into groups, makes those that are missing, and applies the last of two", () => {
    const config = applied("algorithm.topology=ring", "optimizer.deep.er=8", "seed=1", "seed=2");
    assert.deepEqual(config.algorithm, { ...input.algorithm, topology: "ring" });
    assert.deepEqual(config.optimizer, { ...input.optimizer, deep: { er: 8 } });
    assert.equal(config.seed, 2);
    assert.equal(resolveConfig(applied("numSteps=77")).numSteps, 77);
    const listed = { data: { source: ["a", "b"] } };
    assert.deepEqual(applyOverrides(listed, ["data.source.1=c"]), { data: { source: ["a", "c"] } });
  });

  test("changes a copy", () => {
    const given = structuredClone(input);
    applyOverrides(given, ["data.label=other", "numSteps=1"]);
    assert.deepEqual(given, input);
    assert.notEqual(applyOverrides(given, []), given);
  });

  test("without any is the same configuration", () => assert.deepEqual(applied(), input));

  for (const text of ["numSteps", "", "=5", "--numSteps"]) {
    test(`refuses "${text}", which is not path=value`, () => {
      assert.throws(
        () => applied(text),
        (error) => {
          assert.ok(error instanceof ConfigError);
          assert.equal(error.message, `--set needs path=value, as in --set numSteps=100, got "${text}"`);
          return true;
        },
      );
    });
  }

  test("refuses a path that leads through what is not a group", () => {
    assert.throws(
      () => applied("numSteps.x=1"),
      /^ConfigError: --set numSteps\.x: "numSteps" is not a group of options$/,
    );
    assert.throws(() => applied("data.label.x.y=1"), /--set data\.label\.x\.y: "label" is not a group of options/);
    assert.throws(() => applied("toString.x=1"), ConfigError);
    for (const config of [null, 5, "text"]) assert.throws(() => applyOverrides(config, ["a=1"]), ConfigError);
  });

  test("never reaches what all objects share", () => {
    for (const path of ["__proto__.polluted", "constructor.prototype.polluted", "data.__proto__.polluted"]) {
      try {
        applied(`${path}=1`);
      } catch (error) {
        assert.ok(error instanceof ConfigError);
      }
      assert.equal(Reflect.get({}, "polluted"), undefined, path);
    }
  });

  test("refuses a configuration that is not plain data", () => {
    assert.throws(() => applyOverrides(() => input, []), /plain data/);
    assert.throws(() => applyOverrides({ ...input, seed: () => 1 }, []), ConfigError);
  });
});
