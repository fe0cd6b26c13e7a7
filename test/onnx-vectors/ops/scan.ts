import type { GraphProto, NodeProto } from "../../../src/graph/onnx-proto.js";
import * as ops from "../../../src/graph/ops.js";
import type { Tensor } from "../../../src/graph/tensor.js";
import { type Call, callOn, type Translation, type Translations } from "../call.js";
import { notOurs } from "../values.js";

/** A loop whose body is a graph of nodes, each translated in its turn. */
export function scanTranslation(translations: () => Translations): Translation {
  return (call) => {
    if (call.node.input[0] === "") {
      return notOurs("the form before opset 9, with a batch of loops of different lengths");
    }
    const odd = call.node.attribute.find(({ name }) => name !== "body" && name !== "num_scan_inputs");
    if (odd) return notOurs(`the attribute ${odd.name}`);
    const numStates = call.numInputs - call.int("num_scan_inputs", 0);
    const tensors = Array.from({ length: call.numInputs }, (_, i) => call.tensor(i));
    const { states, outputs } = ops.scan({
      states: tensors.slice(0, numStates),
      sequences: tensors.slice(numStates),
      body: (states, elements) => {
        const results = stepOf(bodyOf(call), [...states, ...elements], translations());
        return { states: results.slice(0, numStates), outputs: results.slice(numStates) };
      },
    });
    return [...states, ...outputs];
  };
}

function bodyOf(call: Call): GraphProto {
  return call.attribute("body")?.g ?? notOurs("a loop without a body");
}

function stepOf(body: GraphProto, given: readonly Tensor[], translations: Translations): Tensor[] {
  const known = new Map(body.input.map(({ name }, i) => [name, given[i]]));
  for (const node of body.node) {
    const results = [resultsOf(node, known, translations)].flat();
    node.output.forEach((name, i) => {
      known.set(name, results[i]);
    });
  }
  return body.output.map(({ name }) => known.get(name) ?? notOurs(`a body that reads ${name} from outside`));
}

function resultsOf(node: NodeProto, known: ReadonlyMap<string, Tensor | undefined>, translations: Translations) {
  const translate = translations[node.opType] ?? notOurs(`a body with ${node.opType}`);
  const inputs = node.input.map((name) => known.get(name));
  return translate(callOn(node, inputs)) as Tensor | Tensor[];
}
