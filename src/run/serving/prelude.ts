/** The part of a served model that turns columns into what training reads: ids and float32 numbers. */
import { featureName, type Preprocessing } from "../../data/table.js";
import type { ModelProto } from "../../graph/onnx-proto.js";
import type { Expression, Serving } from "./expression.js";
import { functions } from "./functions.js";
import { Nodes, types } from "./nodes.js";
import { keysOf } from "./serving.js";

/** Names between columns and features. */
const PREFIX = "%column.";

/** Sets of operations with text that is compared and joined, and with tables of float64. */
const OPSETS = [
  { domain: "", version: 20 },
  { domain: "ai.onnx.ml", version: 4 },
];
const IR_VERSION = 9;

/** A model that reads features, as training does, turned into one that reads columns. */
export function servedFrom(model: ModelProto, { inputs, features }: Serving, preprocessing: Preprocessing): ModelProto {
  const g = new Nodes(PREFIX);
  const vocabularies = new Map(Object.entries(preprocessing.vocabularies));
  for (const [name, { type, expression }] of Object.entries(features)) {
    const vocabulary = vocabularies.get(name);
    const value = emit(g, expression);
    g.result(featureName(name), vocabulary ? ids(g, value, type, vocabulary) : g.cast(value, "float32"));
  }
  const dim = [{ dimParam: "batch" }];
  const { graph, opsetImport } = model;
  const contributed = opsetImport.filter(({ domain }) => OPSETS.every((own) => own.domain !== domain));
  return {
    ...model,
    irVersion: IR_VERSION,
    opsetImport: [...OPSETS, ...contributed],
    graph: {
      ...graph,
      node: [...g.nodes, ...graph.node],
      initializer: [...g.initializers, ...graph.initializer],
      input: inputs.map(({ name, type }) => {
        const elemType = type === "text" ? types.string : types.float64;
        return { name, type: { tensorType: { elemType, shape: { dim } } } };
      }),
    },
  };
}

function ids(g: Nodes, value: string, type: "number" | "float32" | "text", vocabulary: readonly string[]): string {
  const numbers = vocabulary.map((_, i) => i + 1);
  if (type === "text") return g.cast(g.idOf(value, vocabulary, numbers, 0), "int32");
  const keys = keysOf(type, vocabulary);
  if (!keys) throw new Error("internal: a vocabulary of numbers holds other names");
  return g.cast(g.numberOf(value, keys, numbers, 0), "int32");
}

function emit(g: Nodes, expression: Expression): string {
  if ("input" in expression) return expression.input;
  if ("text" in expression) return g.text(expression.text);
  if ("number" in expression) return g.number(expression.number ?? Number.NaN);
  if ("call" in expression) return functions[expression.call](g, ...expression.args.map((arg) => emit(g, arg)));
  return isAmong(g, emit(g, expression.among), expression.values);
}

function isAmong(g: Nodes, x: string, values: readonly number[] | readonly string[]): string {
  const ones = values.map(() => 1);
  if (isTexts(values)) {
    const found = g.cast(g.idOf(x, values, ones, 0), "float64");
    return g.node("Where", [g.node("Equal", [x, g.text("")]), g.number(Number.NaN), found]);
  }
  return g.node("Where", [g.node("IsNaN", [x]), x, g.numberOf(x, values, ones, 0)]);
}

function isTexts(values: readonly number[] | readonly string[]): values is readonly string[] {
  return typeof values[0] === "string";
}
