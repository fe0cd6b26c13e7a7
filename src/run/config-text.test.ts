import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError } from "../errors.js";
import { resolveConfig } from "./config.js";
import { ofTable } from "./schema.js";

describe("a configuration of text", () => {
  const text = {
    name: "books",
    data: { kind: "text", source: "books/*.txt" },
    model: { kind: "lstm" },
    optimizer: { kind: "adam", learningRate: 1e-3 },
    codistill: { burnInSteps: 10 },
    numSteps: 100,
    globalBatchSize: 8,
  };

  test("has defaults of its own", () => {
    const { data, model, ...run } = resolveConfig(text);
    assert.deepEqual(data, {
      ...text.data,
      tokenizer: "bytes",
      validation: 0.05,
      test: 0.05,
      sequenceLength: 64,
      regime: "disjoint",
    });
    assert.deepEqual(model, { kind: "lstm", width: 128, hidden: 256, layers: 2, tied: false, dropout: 0 });
    assert.deepEqual(run.task, { kind: "language" });
    const smoothed = resolveConfig({ ...text, task: { labelSmoothing: 0.1, distillLoss: "jensenShannon" } });
    assert.deepEqual(smoothed.task, {
      kind: "language",
      distillLoss: "jensenShannon",
      labelSmoothing: { amount: 0.1, prior: "uniform" },
    });
    assert.throws(
      () => ofTable(resolveConfig(text), "shards"),
      /shards is for tables, and this configuration is of text/,
    );
  });

  const cases: readonly (readonly [string, object, RegExp])[] = [
    [
      "another kind of data",
      { data: { ...text.data, kind: "txt" } },
      /data\.kind: must be "table" or "text", got "txt"; did you mean "text"\?/,
    ],
    [
      "another kind of model",
      { model: { kind: "lsmt" } },
      /model\.kind: must be "lstm" or "transformer", got "lsmt"; did you mean "lstm"\?/,
    ],
    [
      "an option of the other model",
      { model: { kind: "lstm", heads: 4 } },
      /model\.heads: unknown name; known names: kind, width, hidden/,
    ],
    ["a label", { data: { ...text.data, label: "x" } }, /data\.label: unknown name/],
    [
      "a tied embedding that is too narrow",
      { model: { kind: "lstm", tied: true } },
      /model\.width: must be model\.hidden \(256\) when model\.tied is true, got 128/,
    ],
    [
      "heads of an odd depth",
      { model: { kind: "transformer", width: 20 } },
      /model\.heads: must divide model\.width \(20\) into heads of an even depth, got 4/,
    ],
    [
      "shares that leave nothing",
      { data: { ...text.data, validation: 0.5, test: 0.5 } },
      /shares of validation and test must be below 1 together, got 1/,
    ],
    ["the task of a table", { task: { kind: "binary" } }, /task\.kind: must be "language", got "binary"/],
    ["a share above 1", { data: { ...text.data, test: 2 } }, /data\.test: must be < 1, got 2/],
  ];
  for (const [name, changes, says] of cases) {
    test(`refuses ${name}`, () => {
      assert.throws(
        () => resolveConfig({ ...text, ...changes }),
        (error) => {
          assert.ok(error instanceof ConfigError);
          assert.match(error.message, says);
          assert.match(error.message, /has 1 problem:/);
          return true;
        },
      );
    });
  }
});
