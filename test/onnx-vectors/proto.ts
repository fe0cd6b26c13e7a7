/** The part of the ONNX file format (onnx.proto) that test vectors are read by: it shares nothing with what we write. */
import protobuf from "protobufjs/light.js";

const message = (...fields: [name: string, id: number, type: string, rule?: "repeated"][]) => ({
  fields: Object.fromEntries(fields.map(([name, id, type, rule]) => [name, { id, type, ...(rule && { rule }) }])),
});

const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: message(["graph", 7, "GraphProto"]),
    GraphProto: message(
      ["node", 1, "NodeProto", "repeated"],
      ["input", 11, "ValueInfoProto", "repeated"],
      ["output", 12, "ValueInfoProto", "repeated"],
    ),
    NodeProto: message(
      ["input", 1, "string", "repeated"],
      ["output", 2, "string", "repeated"],
      ["opType", 4, "string"],
      ["attribute", 5, "AttributeProto", "repeated"],
    ),
    AttributeProto: message(
      ["name", 1, "string"],
      ["f", 2, "float"],
      ["i", 3, "int64"],
      ["s", 4, "string"],
      ["t", 5, "TensorProto"],
      ["g", 6, "GraphProto"],
      ["ints", 8, "int64", "repeated"],
    ),
    TensorProto: message(
      ["dims", 1, "int64", "repeated"],
      ["dataType", 2, "int32"],
      ["floatData", 4, "float", "repeated"],
      ["int32Data", 5, "int32", "repeated"],
      ["stringData", 6, "string", "repeated"],
      ["int64Data", 7, "int64", "repeated"],
      ["rawData", 9, "bytes"],
      ["doubleData", 10, "double", "repeated"],
    ),
    ValueInfoProto: message(["name", 1, "string"], ["type", 2, "TypeProto"]),
    TypeProto: message(["tensorType", 1, "TensorTypeProto"]),
    TensorTypeProto: message(["elemType", 1, "int32"]),
  },
});

export interface TensorFile {
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly floatData: readonly number[];
  readonly int32Data: readonly number[];
  readonly stringData: readonly string[];
  readonly int64Data: readonly number[];
  readonly doubleData: readonly number[];
  readonly rawData: Uint8Array;
}

/** An attribute of a node; fields that it does not have hold their defaults. */
export interface AttributeFile {
  readonly name: string;
  readonly f: number;
  readonly i: number;
  readonly s: string;
  readonly t: TensorFile | null;
  readonly g: GraphFile | null;
  readonly ints: readonly number[];
}

export interface NodeFile {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly opType: string;
  readonly attribute: readonly AttributeFile[];
}

export interface ValueFile {
  readonly name: string;
  /** Without a tensor type: a sequence, or a value that may be missing. */
  readonly type: { readonly tensorType: { readonly elemType: number } | null };
}

export interface GraphFile {
  readonly node: readonly NodeFile[];
  readonly input: readonly ValueFile[];
  readonly output: readonly ValueFile[];
}

export interface ModelFile {
  readonly graph: GraphFile;
}

function read(type: string, bytes: Uint8Array): unknown {
  const message = root.lookupType(type);
  return message.toObject(message.decode(bytes), { longs: Number, defaults: true, arrays: true });
}

/** A model file; 64-bit numbers come as numbers. */
export function readModel(bytes: Uint8Array): ModelFile {
  return read("ModelProto", bytes) as ModelFile;
}

/** A file of one tensor. */
export function readTensor(bytes: Uint8Array): TensorFile {
  return read("TensorProto", bytes) as TensorFile;
}
