import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveConfig } from "./config.js";
import { epochsOf } from "./epochs.js";

const common = { name: "a", numGroups: 4, numSteps: 300, globalBatchSize: 16, algorithm: { burnInSteps: 0 } };
const optimizer = { kind: "sgd", learningRate: 0.1 };
const rows = { train: 6400, validation: 1, test: 1 };

const table = (data: object) =>
  resolveConfig({
    ...common,
    optimizer,
    data: {
      ...{ source: "a.csv", label: "y", numeric: { x: "x" }, split: { train: "a", validation: "b", test: "c" } },
      ...data,
    },
    model: { kind: "mlp", hidden: [4] },
  });

test("of a table: rows of all steps over the rows of a group", () => {
  assert.equal(epochsOf(table({}), { rows }), 3);
  assert.equal(epochsOf(table({ regime: "same" }), { rows }), 3);
  assert.equal(epochsOf(table({ regime: "all" }), { rows }), 0.75);
  assert.equal(epochsOf(table({}), { rows: { ...rows, unassigned: 3200 } }), 6);
});

test("of text: by tokens", () => {
  const config = resolveConfig({
    ...common,
    optimizer,
    data: { kind: "text", source: "a.txt", sequenceLength: 8 },
    model: { kind: "lstm" },
  });
  assert.equal(epochsOf(config, { rows, tokens: { train: 307_200, validation: 1, test: 1 } }), 0.5);
});
