/** The part of the ONNX file format (onnx.proto, IR version 8) that we write and read, for the protobuf library. */
import protobuf from "protobufjs/light.js";

const message = (...fields: [name: string, id: number, type: string, rule?: "repeated"][]) => ({
  fields: Object.fromEntries(
    fields.map(([name, id, type, rule]) => [name, { id, type, ...(rule && { rule, options: { packed: false } }) }]),
  ),
});

const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: message(
      ["irVersion", 1, "int64"],
      ["producerName", 2, "string"],
      ["graph", 7, "GraphProto"],
      ["opsetImport", 8, "OperatorSetIdProto", "repeated"],
      ["metadataProps", 14, "StringStringEntryProto", "repeated"],
    ),
    OperatorSetIdProto: message(["domain", 1, "string"], ["version", 2, "int64"]),
    StringStringEntryProto: message(["key", 1, "string"], ["value", 2, "string"]),
    GraphProto: message(
      ["node", 1, "NodeProto", "repeated"],
      ["name", 2, "string"],
      ["initializer", 5, "TensorProto", "repeated"],
      ["input", 11, "ValueInfoProto", "repeated"],
      ["output", 12, "ValueInfoProto", "repeated"],
    ),
    NodeProto: message(
      ["input", 1, "string", "repeated"],
      ["output", 2, "string", "repeated"],
      ["name", 3, "string"],
      ["opType", 4, "string"],
      ["attribute", 5, "AttributeProto", "repeated"],
      ["domain", 7, "string"],
    ),
    AttributeProto: message(
      ["name", 1, "string"],
      ["f", 2, "float"],
      ["i", 3, "int64"],
      ["s", 4, "bytes"],
      ["t", 5, "TensorProto"],
      ["g", 6, "GraphProto"],
      ["floats", 7, "float", "repeated"],
      ["ints", 8, "int64", "repeated"],
      ["strings", 9, "bytes", "repeated"],
      ["type", 20, "int32"],
    ),
    TensorProto: message(
      ["dims", 1, "int64", "repeated"],
      ["dataType", 2, "int32"],
      ["floatData", 4, "float", "repeated"],
      ["int32Data", 5, "int32", "repeated"],
      ["stringData", 6, "bytes", "repeated"],
      ["int64Data", 7, "int64", "repeated"],
      ["name", 8, "string"],
      ["rawData", 9, "bytes"],
      ["doubleData", 10, "double", "repeated"],
    ),
    ValueInfoProto: message(["name", 1, "string"], ["type", 2, "TypeProto"]),
    TypeProto: message(["tensorType", 1, "TensorTypeProto"]),
    TensorTypeProto: message(["elemType", 1, "int32"], ["shape", 2, "TensorShapeProto"]),
    TensorShapeProto: message(["dim", 1, "DimensionProto", "repeated"]),
    DimensionProto: message(["dimValue", 1, "int64"], ["dimParam", 2, "string"]),
  },
});

const [model, tensor] = [root.lookupType("ModelProto"), root.lookupType("TensorProto")];

/** An attribute of a node; `type` says which of the fields holds it. */
export interface AttributeProto {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: TensorProto;
  readonly g?: GraphProto;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly strings?: readonly Uint8Array[];
}

export interface NodeProto {
  readonly name?: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly opType: string;
  readonly domain: string;
  readonly attribute: readonly AttributeProto[];
}

/** A tensor; `rawData` holds its elements, or else the list for its type, which we write only for strings. */
export interface TensorProto {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData?: Uint8Array;
  readonly floatData?: readonly number[];
  readonly int32Data?: readonly number[];
  readonly stringData?: readonly Uint8Array[];
  readonly int64Data?: readonly number[];
  readonly doubleData?: readonly number[];
}

export interface ValueInfoProto {
  readonly name: string;
  readonly type: {
    readonly tensorType: {
      readonly elemType: number;
      readonly shape: { readonly dim: readonly ({ readonly dimValue: number } | { readonly dimParam: string })[] };
    };
  };
}

export interface ModelProto {
  readonly irVersion: number;
  readonly producerName: string;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[];
  readonly graph: GraphProto;
}

/** A graph: the main one of a model, or one that a node of another runs. */
export interface GraphProto {
  readonly name: string;
  readonly node: readonly NodeProto[];
  readonly initializer: readonly TensorProto[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
}

/** The bytes of a model file. */
export function encodeModel(value: ModelProto): Uint8Array {
  return model.encode(model.fromObject(value)).finish();
}

/** A model file as a plain record; 64-bit integers become numbers, and absent fields their defaults. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return recordOf(model, bytes) as ModelProto;
}

/** Whether a model file holds only what {@link decodeModel} returns, so that a reader of all of ONNX sees no more. */
export function isWhollyKnown(bytes: Uint8Array): boolean {
  return model.encode(model.decode(bytes)).finish().length === bytes.length;
}

/** A file of one tensor, in the same way. */
export function decodeTensor(bytes: Uint8Array): TensorProto {
  return recordOf(tensor, bytes) as TensorProto;
}

function recordOf(type: protobuf.Type, bytes: Uint8Array): unknown {
  return type.toObject(type.decode(bytes), { longs: Number, defaults: true, arrays: true });
}
