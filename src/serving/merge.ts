/** Puts the graphs of several served models into one, in which what they compute alike is computed once. */
import { sha256 } from "../checkpoint/digest.js";
import { CheckpointError } from "../errors.js";
import type { AttributeProto, GraphProto, NodeProto, TensorProto } from "../graph/onnx-proto.js";

/** A graph, and the names that the inputs of the merged one have for its own. */
export interface GraphPart {
  /** What it is called in messages. */
  readonly path: string;
  readonly graph: GraphProto;
  readonly inputs: ReadonlyMap<string, string>;
}

/** The nodes and constants of several graphs. */
export interface MergedGraph {
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  /** The name in the merged graph of a value of one of the graphs, by their order; undefined where it has none. */
  readonly nameOf: (part: number, name: string) => string | undefined;
}

/** The begin of the names of all values but the inputs. */
const PREFIX = "%all.";

/**
 * Merge graphs. A node that does what one before it does to the same values gives that one's values, as does a constant
 * with the same elements; a node that renames a value gives that value. So the part of models that reads columns is
 * there once where they read them alike, and neither are the names of one graph's values those of another's.
 *
 * Throws {@link CheckpointError} when a node reads what nothing before it makes, or has an attribute of a kind that no
 * exported model has.
 */
export async function mergedGraph(parts: readonly GraphPart[]): Promise<MergedGraph> {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const known = new Map<string, readonly string[]>();
  let numNames = 0;
  const fresh = () => `${PREFIX}${numNames++}`;

  /** The values that are known by a key, or those that are made. */
  function once(key: string, make: () => readonly string[]): readonly string[] {
    const before = known.get(key);
    if (before) return before;
    const made = make();
    known.set(key, made);
    return made;
  }

  async function constantOf(tensor: TensorProto): Promise<string> {
    const [name = ""] = once(`constant ${await tensorKey(tensor)}`, () => {
      const own = fresh();
      initializers.push({ ...lean(tensor), name: own });
      return [own];
    });
    return name;
  }

  async function resultsOf({ path }: GraphPart, node: NodeProto, inputs: readonly string[]) {
    const { opType, domain, output } = node;
    if (opType === "Identity" && domain === "" && inputs.length === 1 && output.length === 1) return inputs;
    const attribute = node.attribute.map((one) => leanAttribute(path, opType, one));
    const attributes = await Promise.all(attribute.map(attributeKey));
    const isNamed = output.map((name) => name !== "");
    return once(JSON.stringify([opType, domain, inputs, attributes, isNamed]), () => {
      const results = isNamed.map((named) => (named ? fresh() : ""));
      nodes.push({ opType, domain, input: inputs, output: results, attribute });
      return results;
    });
  }

  const values: Map<string, string>[] = [];
  for (const part of parts) {
    const own = new Map(part.inputs);
    for (const tensor of part.graph.initializer) own.set(tensor.name, await constantOf(tensor));
    for (const node of part.graph.node) {
      const inputs = node.input.map((name) => valueIn(part.path, own, node, name));
      const results = await resultsOf(part, node, inputs);
      for (const [i, name] of node.output.entries()) if (name !== "") own.set(name, results[i] as string);
    }
    values.push(own);
  }
  return { nodes, initializers, nameOf: (part, name) => values[part]?.get(name) };
}

/** The name in the merged graph of what a node reads; "" for an input that it leaves out. */
function valueIn(path: string, own: ReadonlyMap<string, string>, { opType }: NodeProto, name: string): string {
  const value = name === "" ? "" : own.get(name);
  if (value !== undefined) return value;
  throw broken(path, `the operation ${opType} reads "${name}", which nothing before it makes`);
}

function broken(path: string, why: string): CheckpointError {
  return new CheckpointError(
    `${path} is no model that codistill exported: ${why}. Give the model.onnx of a run as it was written.`,
  );
}

/** A tensor without the fields that are empty: to ONNX Runtime an empty list of bytes is a list. */
function lean(tensor: TensorProto): TensorProto {
  const { name, dims, dataType, rawData, floatData, int32Data, stringData, int64Data, doubleData } = tensor;
  return {
    ...{ name, dims, dataType },
    ...(rawData && rawData.length > 0 && { rawData }),
    ...(floatData && floatData.length > 0 && { floatData }),
    ...(int32Data && int32Data.length > 0 && { int32Data }),
    ...(stringData && stringData.length > 0 && { stringData }),
    ...(int64Data && int64Data.length > 0 && { int64Data }),
    ...(doubleData && doubleData.length > 0 && { doubleData }),
  };
}

/** An attribute with the field that its type says alone. */
function leanAttribute(path: string, opType: string, attribute: AttributeProto): AttributeProto {
  const { name, type, f = 0, i = 0, s = new Uint8Array(), t, ints = [], strings = [] } = attribute;
  switch (type) {
    case 1:
      return { name, type, f };
    case 2:
      return { name, type, i };
    case 3:
      return { name, type, s };
    case 4:
      if (t) return { name, type, t: lean(t) };
      break;
    case 7:
      return { name, type, ints };
    case 8:
      return { name, type, strings };
  }
  throw broken(path, `the operation ${opType} has an attribute "${name}" of type ${type}`);
}

async function attributeKey({ name, type, f, i, s, t, ints, strings }: AttributeProto): Promise<string> {
  const value =
    t !== undefined
      ? `${t.name} ${await tensorKey(t)}`
      : strings !== undefined || s !== undefined
        ? await bytesKey(strings ?? [s as Uint8Array])
        : [f, i].map(numberText).join() + (ints ?? []).join();
  return JSON.stringify([name, type, value]);
}

function numberText(value: number | undefined): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** What two tensors have in common when they are equal but for their names. */
async function tensorKey({ dims, dataType, rawData, stringData = [], ...lists }: TensorProto): Promise<string> {
  const { floatData = [], int32Data = [], int64Data = [], doubleData = [] } = lists;
  const numbers = [floatData, int32Data, int64Data, doubleData].map(
    (list) => new Uint8Array(Float64Array.from(list).buffer),
  );
  return JSON.stringify([dims, dataType, await bytesKey([rawData ?? new Uint8Array(), ...numbers, ...stringData])]);
}

/** Bytes up to which a key holds them, and not their digest. */
const SHORT = 64;

/** What two lists of bytes have in common when they are equal. */
async function bytesKey(list: readonly Uint8Array[]): Promise<string> {
  const lengths = Float64Array.from(list, ({ length }) => length);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total <= SHORT && list.length <= SHORT) return list.map((bytes) => bytes.join()).join(";");
  return sha256([new Uint8Array(lengths.buffer), ...list]);
}
