/**
 * Makes the features that a served model computes before its network further outputs: ids of names, and numbers as they
 * are stored.
 */
import { featureName, numbersName } from "../../data/batch.js";
import { ELEMENT_TYPES } from "../../graph/onnx/element-types.js";
import type { ModelProto, ValueInfoProto } from "../../graph/onnx-proto.js";
import type { FeatureValues, SeenFeature } from "../../serving/seen.js";
import type { Tensor } from "../ort/library.js";

/** A model with the features of `seen` as further outputs, where its graph has them. */
export function withFeatures(model: ModelProto, seen: readonly SeenFeature[]): ModelProto {
  const { graph } = model;
  const made = new Set(graph.node.flatMap(({ output }) => output));
  const taken = new Set(graph.output.map(({ name }) => name));
  const outputs = [
    ...seen.map(({ feature, kind }) =>
      valueInfo(featureName(feature), kind === "name" ? ELEMENT_TYPES.int32 : ELEMENT_TYPES.float32),
    ),
    valueInfo(numbersName, ELEMENT_TYPES.float32),
  ].filter(({ name }) => made.has(name) && !taken.has(name));
  return { ...model, graph: { ...graph, output: [...graph.output, ...outputs] } };
}

function valueInfo(name: string, elemType: number): ValueInfoProto {
  const dim = name === numbersName ? [{ dimParam: "batch" }, { dimParam: "numbers" }] : [{ dimParam: "batch" }];
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

/** The values of each feature in the outputs of such a model; undefined for a feature that its graph does not have. */
export function featureValues(
  outputs: Readonly<Record<string, Tensor>>,
  seen: readonly SeenFeature[],
): (feature: string) => FeatureValues | undefined {
  const kinds = new Map(seen.map(({ feature, kind }) => [feature, kind]));
  const stacked = new Map(seen.filter(({ kind }) => kind === "number").map(({ feature }, place) => [feature, place]));
  const numbers = outputs[numbersName];
  const width = stacked.size;
  return (feature) => {
    const isId = kinds.get(feature) === "name";
    const own = outputs[featureName(feature)]?.data;
    if (own instanceof Int32Array || own instanceof Float32Array) return { isId, at: (row) => own[row] ?? Number.NaN };
    const place = stacked.get(feature);
    const all = numbers?.data;
    if (place === undefined || !(all instanceof Float32Array) || numbers?.dims[1] !== width) return undefined;
    return { isId, at: (row) => all[row * width + place] ?? Number.NaN };
  };
}
