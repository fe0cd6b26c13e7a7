/** Several served models as one, whose prediction is the mean of theirs. */
import { featureName, numbersName } from "../data/batch.js";
import { CheckpointError, ConfigError } from "../errors.js";
import { ELEMENT_TYPES } from "../graph/onnx/element-types.js";
import type { ModelProto, NodeProto, ValueInfoProto } from "../graph/onnx-proto.js";
import type { TaskKind } from "../log/events.js";
import { outputNames } from "../train/task.js";
import type { ServedInput } from "./expression.js";
import { type GraphPart, type MergedGraph, mergedGraph } from "./merge.js";
import { Nodes } from "./nodes.js";
import type { SeenFeature, SeenValues } from "./seen.js";

/** A model of an ensemble. */
export interface EnsemblePart extends GraphPart {
  readonly model: ModelProto;
  /** What training saw of its features. */
  readonly seen: readonly SeenFeature[];
  /** The index that each class of the ensemble has among its own classes; null where they are in one order. */
  readonly order: readonly number[] | null;
}

/** What an ensemble predicts, and from what. */
export interface EnsembleSpec {
  readonly task: TaskKind;
  readonly inputs: readonly ServedInput[];
  /** 0 where the label is no class. */
  readonly numClasses: number;
  /** Whether predictions are float64. */
  readonly isDouble: boolean;
}

const MEAN_PREFIX = "%mean.";
const FEATURES_PREFIX = "%seen.";

/**
 * The model whose prediction is the mean of the predictions of its parts, computed in float64: of probabilities, or of
 * numbers in the unit of the label. It has each input once, and the features of all parts, each once, under the names by
 * which served models give them; `seen` describes them. Where parts read a feature alike and have seen other values of
 * it, it has seen what all of them have.
 *
 * Throws {@link ConfigError} for a part that is there twice, {@link CheckpointError} for parts whose operations are of
 * different versions, and what {@link mergedGraph} throws.
 */
export async function ensembleModel(
  parts: readonly EnsemblePart[],
  spec: EnsembleSpec,
  metadata: (seen: readonly SeenFeature[]) => Readonly<Record<string, string>>,
): Promise<ModelProto> {
  const merged = await mergedGraph(parts);
  const mean = meanOf(parts, merged, spec);
  const { seen, renamed, nodes, initializers } = featuresOf(parts, merged, spec);
  const { task, inputs, numClasses, isDouble } = spec;
  const dim = [{ dimParam: "batch" }, ...(task === "multiclass" ? [{ dimValue: numClasses }] : [])];
  return {
    irVersion: Math.max(...parts.map(({ model }) => model.irVersion)),
    producerName: "codistill",
    opsetImport: opsetsOf(parts),
    metadataProps: Object.entries(metadata(seen)).map(([key, value]) => ({ key, value })),
    graph: {
      name: "codistill",
      node: [...merged.nodes, ...mean.nodes, ...nodes].map((node) => withNames(node, renamed)),
      initializer: [...merged.initializers, ...mean.initializers, ...initializers],
      input: inputs.map(({ name, type }) =>
        valueInfo(name, type === "text" ? ELEMENT_TYPES.string : ELEMENT_TYPES.float64, [{ dimParam: "batch" }]),
      ),
      output: [valueInfo(outputNames[task], isDouble ? ELEMENT_TYPES.float64 : ELEMENT_TYPES.float32, dim)],
    },
  };
}

function valueInfo(
  name: string,
  elemType: number,
  dim: ValueInfoProto["type"]["tensorType"]["shape"]["dim"],
): ValueInfoProto {
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

function withNames(node: NodeProto, renamed: ReadonlyMap<string, string>): NodeProto {
  const nameOf = (name: string) => renamed.get(name) ?? name;
  return { ...node, input: node.input.map(nameOf), output: node.output.map(nameOf) };
}

/** The sets of operations of all parts. */
export function opsetsOf(parts: readonly Pick<EnsemblePart, "path" | "model">[]): ModelProto["opsetImport"] {
  const opsets = new Map<string, { readonly version: number; readonly path: string }>();
  for (const { path, model } of parts) {
    for (const { domain, version } of model.opsetImport) {
      const before = opsets.get(domain);
      if (before !== undefined && before.version !== version) {
        throw new CheckpointError(
          `ensemble: all models must be of one version of the operations of ONNX ("${domain}"), and ${before.path} is of ${before.version}, ${path} of ${version}. Finish the runs again by one version of codistill (train --resume).`,
        );
      }
      opsets.set(domain, before ?? { version, path });
    }
  }
  return [...opsets].map(([domain, { version }]) => ({ domain, version }));
}

/** The nodes of the mean of all predictions, in the order of the ensemble's classes. */
function meanOf(parts: readonly EnsemblePart[], { nameOf }: MergedGraph, { task, isDouble }: EnsembleSpec): Nodes {
  const g = new Nodes(MEAN_PREFIX);
  const output = outputNames[task];
  const known = new Map<string, string>();
  const predictions = parts.map(({ path, order }, i) => {
    const value = nameOf(i, output);
    if (value === undefined) throw new CheckpointError(`${path} must make its output ${output}, and does not`);
    const same = known.get(value);
    if (same !== undefined) {
      throw new ConfigError(
        `ensemble: each model counts once, and ${path} is the same model as ${same}, with the same params. Leave one of them out.`,
      );
    }
    known.set(value, path);
    const own = g.cast(value, "float64");
    if (order === null) return own;
    return task === "binary" ? g.node("Sub", [g.number(1), own]) : g.node("Gather", [own, g.whole(order)], { axis: 1 });
  });
  const sum = predictions.reduce((total, one) => g.node("Add", [total, one]));
  const mean = g.node("Div", [sum, g.number(parts.length)]);
  g.result(output, isDouble ? mean : g.cast(mean, "float32"));
  return g;
}

interface Features {
  readonly seen: readonly SeenFeature[];
  /** New names of values. */
  readonly renamed: ReadonlyMap<string, string>;
  readonly nodes: readonly NodeProto[];
  readonly initializers: ModelProto["graph"]["initializer"];
}

/** A feature whose values are an array of their own. */
interface Single {
  readonly value: string;
  readonly seen: SeenFeature;
}

/** The features of all parts under the names by which served models give them, and what training saw of them. */
function featuresOf(
  parts: readonly EnsemblePart[],
  { nameOf }: MergedGraph,
  { inputs }: Pick<EnsembleSpec, "inputs">,
): Features {
  const singles = new Map<string, Single>();
  const matrices = new Map<string, SeenFeature[]>();
  for (const [i, part] of parts.entries()) {
    const own = part.seen.map((one) => ({ ...one, inputs: one.inputs.flatMap((name) => part.inputs.get(name) ?? []) }));
    const matrix = nameOf(i, numbersName);
    const stacked: SeenFeature[] = [];
    for (const seen of own) {
      const value = nameOf(i, featureName(seen.feature));
      if (value === undefined) {
        if (seen.kind === "number") stacked.push(seen);
        continue;
      }
      const key = `${seen.kind} ${value}`;
      singles.set(key, { value, seen: seenByBoth(singles.get(key)?.seen, seen) });
    }
    if (matrix === undefined) continue;
    const before = matrices.get(matrix) ?? [];
    matrices.set(
      matrix,
      stacked.map((seen, k) => seenByBoth(before[k], seen)),
    );
  }

  const g = new Nodes(FEATURES_PREFIX);
  const renamed = new Map<string, string>();
  /** How many features have a name. */
  const taken = new Map<string, number>();
  const seen: SeenFeature[] = [];
  const add = (one: SeenFeature): string => {
    let name = one.feature;
    for (let number = taken.get(one.feature) ?? 0; taken.has(name); ) {
      number += 1;
      name = `${one.feature} (${number})`;
      taken.set(one.feature, number);
    }
    taken.set(name, taken.get(name) ?? 1);
    seen.push({ ...one, feature: name });
    return name;
  };
  const areInputs = new Set(inputs.map(({ name }) => name));
  const give = (value: string, name: string) => {
    if (renamed.has(value) || areInputs.has(value)) g.result(name, value);
    else renamed.set(value, name);
  };
  const isBeside = ({ seen }: Single) => matrices.size > 0 && seen.kind === "number";
  const all = [...singles.values()];
  const beside = all.filter(isBeside);
  for (const one of all) if (!isBeside(one)) give(one.value, featureName(add(one.seen)));
  if (matrices.size > 0 && !areInputs.has(numbersName)) {
    for (const one of [...[...matrices.values()].flat(), ...beside.map((one) => one.seen)]) add(one);
    const columns = beside.map(({ value }) => g.node("Reshape", [value, g.whole([-1, 1])]));
    const values = [...matrices.keys(), ...columns];
    give(values.length === 1 ? (values[0] as string) : g.node("Concat", values, { axis: 1 }), numbersName);
  }
  return { seen, renamed, nodes: g.nodes, initializers: g.initializers };
}

/** A feature as two trainings have seen it: the range that is in that of both. */
function seenByBoth(a: SeenFeature | undefined, b: SeenFeature): SeenFeature {
  if (a === undefined) return b;
  const ends = (of: "least" | "most", inner: (...values: number[]) => number): Partial<SeenValues> => {
    const values = [a[of], b[of]].filter((value) => value !== undefined);
    return values.length === 0 ? {} : { [of]: inner(...values) };
  };
  const { least: _, most: __, ...others } = a;
  return {
    ...others,
    count: Math.min(a.count, b.count),
    absent: Math.max(a.absent, b.absent),
    ...ends("least", Math.max),
    ...ends("most", Math.min),
  };
}
