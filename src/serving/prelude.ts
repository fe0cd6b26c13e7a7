/** The part of a served model that turns columns into the inputs of training: ids and float32 numbers. */

import { featureName, numbersName } from "../data/batch.js";
import { areOneArray } from "../data/records.js";
import type { Preprocessing, Shift } from "../data/table.js";
import { ELEMENT_TYPES } from "../graph/onnx/element-types.js";
import type { ModelProto, ValueInfoProto } from "../graph/onnx-proto.js";
import { outputNames } from "../train/task.js";
import { type Expression, inputsIn, renamed, type Serving } from "./expression.js";
import { functions } from "./functions.js";
import { Nodes } from "./nodes.js";
import { keptPrediction, keysOf } from "./serving.js";

/** Prefixes of the names of values between columns and features, and of values after predictions. */
const PREFIX = "%column.";
const LABEL_PREFIX = "%label.";

/** Versions of the operation sets in which text can be compared and concatenated, and float64 looked up in tables. */
const OPSETS = [
  { domain: "", version: 20 },
  { domain: "ai.onnx.ml", version: 4 },
];
const IR_VERSION = 9;

/** A model that reads features, as training does, turned into one that reads columns. */
export function servedFrom(model: ModelProto, { inputs, features }: Serving, preprocessing: Preprocessing): ModelProto {
  const g = new Nodes(PREFIX);
  const vocabularies = new Map(Object.entries(preprocessing.vocabularies));
  const isOneArray = areOneArray(Object.keys(preprocessing.numeric).length);
  for (const [name, { type, expression }] of Object.entries(features)) {
    const vocabulary = vocabularies.get(name);
    if (vocabulary) g.result(featureName(name), ids(g, emit(g, expression), type, vocabulary));
    else if (!isOneArray) {
      const kept = shifted(g, emit(g, expression), [preprocessing.numeric[name]?.shift]);
      g.result(featureName(name), g.cast(kept, "float32"));
    }
  }
  if (isOneArray) {
    const numeric = Object.entries(preprocessing.numeric);
    const matrix = matrixOf(
      g,
      numeric.map(([name]) => features[name]?.expression as Expression),
    );
    const shifts = numeric.map(([, { shift }]) => shift);
    g.result(numbersName, g.cast(shifted(g, matrix, shifts), "float32"));
  }
  const dim = [{ dimParam: "batch" }];
  const { graph, opsetImport } = model;
  const labels = preprocessing.labels;
  const shift = labels?.kind === "numbers" ? labels.shift : undefined;
  const after = new Nodes(LABEL_PREFIX);
  const output = shift ? inOwnUnit(after, graph.output, shift) : graph.output;
  const contributed = opsetImport.filter(({ domain }) => OPSETS.every((own) => own.domain !== domain));
  return {
    ...model,
    irVersion: IR_VERSION,
    opsetImport: [...OPSETS, ...contributed],
    graph: {
      ...graph,
      node: [...g.nodes, ...graph.node, ...after.nodes],
      initializer: [...g.initializers, ...graph.initializer, ...after.initializers],
      output,
      input: inputs.map(({ name, type }) => {
        const elemType = type === "text" ? ELEMENT_TYPES.string : ELEMENT_TYPES.float64;
        return { name, type: { tensorType: { elemType, shape: { dim } } } };
      }),
    },
  };
}

/**
 * Many numbers as one matrix, float64 [batch, expressions]. Expressions that differ only in their input are computed
 * together: the cost of a graph with thousands of nodes is in its number of nodes, not in their arithmetic.
 */
function matrixOf(g: Nodes, expressions: readonly Expression[]): string {
  const groups = new Map<string, number[]>();
  for (const [i, expression] of expressions.entries()) {
    const isOfOne = inputsIn(expression).size === 1;
    const key = isOfOne ? JSON.stringify(renamed(expression, () => "")) : "";
    groups.set(key, groups.get(key) ?? []);
    groups.get(key)?.push(i);
  }
  const parts = [...groups].map(([key, members]) => {
    const own = members.map((i) => expressions[i] as Expression);
    if (key === "") return g.columns(own.map((expression) => emit(g, expression)));
    const inputs = g.columns(own.flatMap((expression) => [...inputsIn(expression)]));
    return emit(
      g,
      renamed(own[0] as Expression, () => inputs),
    );
  });
  const order = [...groups.values()].flat();
  const placeOf = expressions.map((_, i) => order.indexOf(i));
  const all = parts.length === 1 ? (parts[0] as string) : g.node("Concat", parts, { axis: 1 });
  return parts.length === 1 ? all : g.node("Gather", [all, g.whole(placeOf)], { axis: 1 });
}

/** Predictions of numbers that were shifted, as float64 in the unit of the label: center + scale x. */
function inOwnUnit(g: Nodes, outputs: readonly ValueInfoProto[], { center, scale }: Shift): ValueInfoProto[] {
  const scaled = g.node("Mul", [g.cast(keptPrediction, "float64"), g.number(scale)]);
  const name = outputNames.regression;
  g.result(name, g.node("Add", [scaled, g.number(center)]));
  return outputs.map(({ type }) => ({
    name,
    type: { tensorType: { ...type.tensorType, elemType: ELEMENT_TYPES.float64 } },
  }));
}

/** Values of one column, or of one column for each shift, as float64: (x - center) / scale. */
function shifted(g: Nodes, x: string, shifts: readonly (Shift | undefined)[]): string {
  if (shifts.every((shift) => shift === undefined)) return x;
  const [center, scale] = (["center", "scale"] as const).map((part) => {
    const values = shifts.map((shift) => shift?.[part] ?? (part === "center" ? 0 : 1));
    return values.length === 1 ? g.number(values[0] as number) : g.numbers(values);
  });
  return g.node("Div", [g.node("Sub", [x, center as string]), scale as string]);
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
  if ("lookup" in expression) return lookedUp(g, emit(g, expression.lookup), expression);
  return isAmong(g, emit(g, expression.among), expression.values);
}

/** The value of each key as float64. Texts are looked up as places, as ONNX Runtime looks up no float64 by text. */
function lookedUp(
  g: Nodes,
  x: string,
  { keys, values, otherwise }: Omit<Extract<Expression, { readonly lookup: Expression }>, "lookup">,
): string {
  if (!isTexts(keys)) return g.numberOf(x, keys, values, otherwise);
  const places = keys.map((_, i) => i + 1);
  return g.node("Gather", [g.numbers([otherwise, ...values]), g.idOf(x, keys, places, 0)]);
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
