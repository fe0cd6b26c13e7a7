/** Several exported language models as one, whose probabilities are the mean of theirs. */
import { CheckpointError } from "../errors.js";
import { ELEMENT_TYPES } from "../graph/onnx/element-types.js";
import type { ModelProto, ValueInfoProto } from "../graph/onnx-proto.js";
import { opsetsOf } from "../serving/ensemble.js";
import { mergedGraph } from "../serving/merge.js";
import { Nodes } from "../serving/nodes.js";
import { textNames } from "./export-text.js";

/** A language model of an ensemble. */
export interface TextPart {
  /** What it is called in messages. */
  readonly path: string;
  readonly model: ModelProto;
  /** The shape of each part of its state, without the batch. */
  readonly state: Readonly<Record<string, readonly number[]>>;
}

/** The name that a part of the state of a member has in the ensemble's. */
const partName = (member: number, name: string) => `${member}.${name}`;

const { before, after, ids, logProbs } = textNames;

/** The state of an ensemble: that of each member. */
export function ensembleState(parts: readonly Pick<TextPart, "state">[]): TextPart["state"] {
  return Object.fromEntries(
    parts.flatMap(({ state }, i) => Object.entries(state).map(([name, shape]) => [partName(i, name), shape] as const)),
  );
}

/**
 * The model of the mean of the next token's probabilities, log((1 / n) sum_i p_i), with the inputs and outputs of `exportText`:
 * each member reads the same tokens, with a state of its own, as in {@link ensembleState}. The mean is computed in float64, and its
 * logarithm from the largest of the members', so that no probability is too small for it.
 *
 * Throws {@link CheckpointError} for members whose operations are of different versions, and what {@link mergedGraph} throws.
 */
export async function textEnsembleModel(
  parts: readonly TextPart[],
  metadata: Readonly<Record<string, string>>,
): Promise<ModelProto> {
  const stateNames = parts.map(({ state }) => Object.keys(state));
  const merged = await mergedGraph(
    parts.map(({ path, model }, i) => ({
      path,
      graph: model.graph,
      inputs: new Map([
        [ids, ids],
        ...(stateNames[i] ?? []).map((name) => [`${before}.${name}`, `${before}.${partName(i, name)}`] as const),
      ]),
    })),
  );
  const g = new Nodes("%mean.");
  const madeBy = (i: number, name: string) => {
    const value = merged.nameOf(i, name);
    if (value !== undefined) return value;
    throw new CheckpointError(`${parts[i]?.path} must make its output ${name}, and does not`);
  };
  const own = parts.map((_, i) => g.cast(madeBy(i, logProbs), "float64"));
  const most = g.node("Max", own);
  const sum = own
    .map((one) => g.node("Exp", [g.node("Sub", [one, most])]))
    .reduce((all, one) => g.node("Add", [all, one]));
  const mean = g.node("Add", [g.node("Log", [g.node("Div", [sum, g.number(parts.length)])]), most]);
  g.result(logProbs, g.cast(mean, "float32"));
  for (const [i, names] of stateNames.entries())
    for (const name of names) g.result(`${after}.${partName(i, name)}`, madeBy(i, `${after}.${name}`));
  const ofAll = (when: string, values: (part: TextPart) => readonly ValueInfoProto[]) =>
    parts.flatMap((part, i) =>
      values(part).flatMap((info) =>
        info.name.startsWith(`${when}.`)
          ? [{ ...info, name: `${when}.${partName(i, info.name.slice(when.length + 1))}` }]
          : [],
      ),
    );
  const [first] = parts as readonly [TextPart];
  return {
    irVersion: Math.max(...parts.map(({ model }) => model.irVersion)),
    producerName: "codistill",
    opsetImport: opsetsOf(parts),
    metadataProps: Object.entries({ ...metadata, state: JSON.stringify(ensembleState(parts)) }).map(([key, value]) => ({
      key,
      value,
    })),
    graph: {
      name: "codistill",
      node: [...merged.nodes, ...g.nodes],
      initializer: [...merged.initializers, ...g.initializers],
      input: [tokens, ...ofAll(before, ({ model }) => model.graph.input)],
      output: [
        ...first.model.graph.output.filter(({ name }) => name === logProbs),
        ...ofAll(after, ({ model }) => model.graph.output),
      ],
    },
  };
}

const tokens: ValueInfoProto = {
  name: ids,
  type: { tensorType: { elemType: ELEMENT_TYPES.int32, shape: { dim: [{ dimParam: "batch" }] } } },
};
