import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../errors.js";
import { resolveConfig } from "../config.js";
import type { IsDocumented } from "../documented.js";
import type { TableRunInput, TextRunInput } from "../input/run.js";
import { configOfKind, dataKindNames, kindNamed, kindNameOf, kindOf, rulesOf } from "./kinds.js";
import type { tableKind } from "./table.js";

const common = { name: "a", optimizer: { kind: "sgd", learningRate: 0.1 }, numSteps: 10, globalBatchSize: 8 };
const table = resolveConfig({
  ...common,
  data: { source: "a.csv", label: "y", numeric: { x: "x" }, split: { kind: "rows" } },
  model: { kind: "mlp" },
});
const text = resolveConfig({
  ...common,
  data: {
    kind: "text",
    source: ["a.txt", "b.txt"],
    test: { source: "c.txt" },
    tokenizer: "t.json",
    sequenceLength: 16,
  },
  model: { kind: "lstm" },
});

const images = resolveConfig({
  ...common,
  data: { kind: "images", source: "photos", validation: 0.2, test: { source: ["one", "two"] } },
  model: { kind: "cnn" },
});

test("data that does not say its kind is a table, and every kind is found by its name alone", () => {
  assert.equal(kindNameOf(table), "table");
  assert.equal(kindOf(table), rulesOf("table"));
  assert.deepEqual([kindNameOf(text), kindNameOf(images)], ["text", "images"]);
  assert.deepEqual(dataKindNames.map(kindNamed), dataKindNames);
  for (const none of [null, "image", "toString", 3, {}]) assert.equal(kindNamed(none), undefined);
});

test("a configuration of another kind is refused with what needs it and whose it is", () => {
  assert.equal(configOfKind(text, "text", "this"), text);
  const refused = (attempt: () => unknown, message: string) =>
    assert.throws(attempt, (error) => error instanceof ConfigError && error.message === message);
  refused(
    () => configOfKind(table, "text", "a language model", "runs/a"),
    "a language model is for text, and runs/a is of tables",
  );
  refused(
    () => configOfKind(text, "table", "this study"),
    "this study is for tables, and this configuration is of text",
  );
});

test("all paths are made absolute, in their places", () => {
  const at = (path: string) => `/at/${path}`;
  assert.deepEqual(configOfKind(kindOf(table).located(table, at), "table", "this").data.source, ["/at/a.csv"]);
  const located = configOfKind(kindOf(text).located(text, at), "text", "this");
  assert.deepEqual(located, {
    ...text,
    data: {
      ...text.data,
      source: ["/at/a.txt", "/at/b.txt"],
      test: { source: ["/at/c.txt"] },
      tokenizer: "/at/t.json",
    },
  });
  const { data } = configOfKind(kindOf(images).located(images, at), "images", "this");
  assert.deepEqual(
    [data.source, data.validation, data.test],
    [["/at/photos"], 0.2, { source: ["/at/one", "/at/two"] }],
  );
  // The order of names counts when a run is gone on with.
  assert.deepEqual(Object.keys(located), Object.keys(text));
});

test("the files that a run takes from outside are named and replaced by the same rule", () => {
  const { tokenizer } = kindOf(text).ownFiles;
  assert.equal(tokenizer?.pathIn(text), "t.json");
  const replaced = tokenizer?.withPath(text, "own.json") ?? table;
  assert.equal(tokenizer?.pathIn(replaced), "own.json");
  assert.equal(tokenizer?.pathIn(tokenizer.withPath(text, "bytes")), undefined);
  const { "teacher 2": second, ...others } = kindOf(table).ownFiles;
  assert.equal(Object.keys(others).length, 7);
  assert.equal(second?.pathIn(table), undefined);
  const taught = { ...table, teachers: [{ column: "p" }, { model: "a.onnx" }] } as unknown as typeof table;
  assert.deepEqual([second?.pathIn(taught), second?.option], ["a.onnx", "teachers.1.model"]);
  const moved = second?.withPath(taught, "teacher-2.onnx") ?? table;
  assert.equal(second?.pathIn(moved), "teacher-2.onnx");
  assert.equal(others["teacher 1"]?.pathIn(moved), undefined);
});

test("a step reads rows of a table, tokens of text", () => {
  const sizes = {
    rows: { train: 100, validation: 10, test: 10, unassigned: 20 },
    tokens: { train: 5000, validation: 9, test: 9 },
  };
  assert.deepEqual([kindOf(table).numPerStep(table), kindOf(table).numToTrain(sizes)], [8, 80]);
  assert.deepEqual([kindOf(text).numPerStep(text), kindOf(text).numToTrain(sizes)], [128, 5000]);
  assert.deepEqual([kindOf(images).numPerStep(images), kindOf(images).numToTrain(sizes)], [8, 100]);
});

/** What must not compile: options that are documented and not taken, or taken and not documented. */
type Schema = (typeof tableKind)["schema"];
export const rules: IsDocumented<Schema, TableRunInput> = true;
// @ts-expect-error
export const other: IsDocumented<Schema, TextRunInput> = true;
// @ts-expect-error
export const more: IsDocumented<Schema, TableRunInput & { new: 1 }> = true;
// @ts-expect-error
export const less: IsDocumented<Schema, Omit<TableRunInput, "model">> = true;
