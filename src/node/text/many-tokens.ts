/**
 * Turns an exported model that reads one token of each text into one that reads many tokens in a call: its graph in a
 * loop (Scan) of ONNX Runtime.
 */

import { onnxNode } from "../../graph/onnx/builder.js";
import { encodeModel, type ModelProto, type TensorProto, type ValueInfoProto } from "../../graph/onnx-proto.js";
import { textNames } from "../../run/export-text.js";

/** The names that it adds to those of the model of one token. */
export const manyNames = {
  /** int32 [sequenceLength, texts], the tokens that are read. */
  ids: "many.ids",
  /**
   * int32 [sequenceLength, texts], the next tokens. A negative one, which means no label, is an index from the end; its
   * result is not used.
   */
  labels: "many.labels",
  /** float32 [sequenceLength, texts], the log probability of the label. */
  logProbs: "many.logProbabilities",
  /** int64 [sequenceLength, texts], the most probable token, of equal ones the first. */
  best: "many.best",
  first: "many.first",
  last: "many.last",
} as const;

const INT32 = 6;
const [FLOAT32, INT64] = [1, 7];

/**
 * A model with the inputs `many.ids`, `many.labels` and of each part of the state `many.first.<name>`, and the outputs
 * `many.logProbabilities`, `many.best` and `many.last.<name>`. Each step is that of the model that reads one token, on as many texts.
 */
export function manyTokens(model: ModelProto, states: readonly string[]): Uint8Array {
  const { before, after, ids, logProbs } = textNames;
  const { graph } = model;
  const infoOf = (name: string) => graph.input.find((info) => info.name === name) ?? outputOf(name);
  const outputOf = (name: string) => graph.output.find((info) => info.name === name) as ValueInfoProto;
  const renamed = (info: ValueInfoProto, name: string): ValueInfoProto => ({ ...info, name });
  const label = "many.label";
  const [column, row, best] = ["many.column", "many.row", "many.one"];
  const axis: TensorProto = {
    name: "many.axis",
    dims: [1],
    dataType: INT64,
    rawData: new Uint8Array(BigInt64Array.of(1n).buffer),
  };
  const body = {
    name: "token",
    node: [
      ...graph.node,
      onnxNode("Unsqueeze", [label, axis.name], [column]),
      onnxNode("GatherElements", [logProbs, column], ["many.gathered"], { axis: 1 }),
      onnxNode("Squeeze", ["many.gathered", axis.name], [row]),
      onnxNode("ArgMax", [logProbs], [best], { axis: 1, keepdims: 0 }),
    ],
    // The body reads the weights of the outer graph, so that they are stored once.
    initializer: [],
    input: [...states.map((name) => infoOf(`${before}.${name}`)), infoOf(ids), vector(label, INT32)],
    output: [...states.map((name) => outputOf(`${after}.${name}`)), vector(row, FLOAT32), vector(best, INT64)],
  };
  const ofAll = (prefix: string) => states.map((name) => `${prefix}.${name}`);
  const scan = onnxNode(
    "Scan",
    [...ofAll(manyNames.first), manyNames.ids, manyNames.labels],
    [...ofAll(manyNames.last), manyNames.logProbs, manyNames.best],
    { body, num_scan_inputs: 2 },
  );
  return encodeModel({
    ...model,
    graph: {
      name: "many tokens",
      node: [scan],
      initializer: [...graph.initializer, axis],
      input: [
        ...states.map((name) => renamed(infoOf(`${before}.${name}`), `${manyNames.first}.${name}`)),
        matrix(manyNames.ids, INT32),
        matrix(manyNames.labels, INT32),
      ],
      output: [
        ...states.map((name) => renamed(outputOf(`${after}.${name}`), `${manyNames.last}.${name}`)),
        matrix(manyNames.logProbs, FLOAT32),
        matrix(manyNames.best, INT64),
      ],
    },
  });
}

const vector = (name: string, elemType: number) => infoWith(name, elemType, ["batch"]);
const matrix = (name: string, elemType: number) => infoWith(name, elemType, ["sequenceLength", "batch"]);

function infoWith(name: string, elemType: number, dims: readonly string[]): ValueInfoProto {
  return { name, type: { tensorType: { elemType, shape: { dim: dims.map((dimParam) => ({ dimParam })) } } } };
}
