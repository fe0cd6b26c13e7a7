import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError } from "../errors.js";
import { elementsOf } from "../graph/shape.js";
import { transformerLanguageModel } from "../nn/transformer-language-model.js";
import { resolveConfig } from "./config.js";
import { configOfKind } from "./kinds/kinds.js";
import { transformerSizeNames } from "./model-schema.js";

describe("a configuration of text", () => {
  const text = {
    name: "books",
    data: { kind: "text", source: "books/*.txt" },
    model: { kind: "lstm" },
    optimizer: { kind: "adam", learningRate: 1e-3 },
    algorithm: { burnInSteps: 10 },
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
      () => configOfKind(resolveConfig(text), "table", "shards"),
      /shards is for tables, and this configuration is of text/,
    );
  });

  test("names sizes of transformers by the params of their blocks, and what is given beside a name counts more", () => {
    const millions = { "1M": 1, "3M": 3, "10M": 10, "30M": 30, "100M": 100 };
    assert.deepEqual(transformerSizeNames, Object.keys(millions));
    for (const style of ["llama", "gpt"] as const)
      for (const [size, wanted] of Object.entries(millions)) {
        const { model } = resolveConfig({ ...text, model: { kind: "transformer", style, size } });
        assert.ok(model.kind === "transformer");
        const { width, layers: numLayers, heads: numHeads } = model;
        const options = { sequenceLength: 4, batchSize: 1, vocabulary: 2, style, width, numLayers, numHeads };
        const { embedding: _, ...params } = transformerLanguageModel(options).params;
        const count = Object.values(params).reduce((sum, { shape }) => sum + elementsOf(shape).count, 0);
        assert.ok(Math.abs(count / 1e6 - wanted) < 0.06 * wanted, `${style} ${size} has ${count} params`);
      }
    const { model } = resolveConfig({ ...text, model: { kind: "transformer", size: "10M", layers: 2 } });
    assert.deepEqual(model, {
      kind: "transformer",
      style: "llama",
      width: 320,
      layers: 2,
      heads: 5,
      tied: true,
      dropout: 0,
    });
  });

  const cases: readonly (readonly [string, object, RegExp])[] = [
    [
      "another kind of data",
      { data: { ...text.data, kind: "txt" } },
      /data\.kind: must be "table" or "text" or "images", got "txt"; did you mean "text"\?/,
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
      "a size that is none",
      { model: { kind: "transformer", size: "1G" } },
      /model\.size: must be one of "1M"\|"3M"\|"10M"\|"30M"\|"100M", got "1G"; did you mean "1M"/,
    ],
    [
      "an option of no network",
      { model: { kind: "transformer", hiden: 3 } },
      /model\.hiden: unknown name; known names: kind, style, size, width/,
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
