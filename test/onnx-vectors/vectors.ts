/** Test vectors of ONNX, as Debian's package libonnx-testdata lays them out, and what becomes of each with us. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Graph, inputsOf } from "../../src/graph/graph.js";
import {
  type AttributeProto,
  decodeModel,
  decodeTensor,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from "../../src/graph/onnx-proto.js";
import type { Tensor } from "../../src/graph/tensor.js";
import type { NamedArrays, NdArray } from "../../src/runtime/array.js";
import { type Call, callOf } from "./call.js";
import { translations } from "./translations.js";
import { arrayOf, NotOurs, notOurs } from "./values.js";
import { type WholeProgram, wholePrograms } from "./whole.js";

const PACKAGE = "libonnx-testdata";
const FOLDER = "/usr/share/libonnx-testdata/data/node";

/** The list of what became of the vectors, in the source tree. */
export const listFile = new URL("../../../docs/onnx-vectors.md", import.meta.url);

/** What to do when the package is missing. */
const CURE = `apt-get install ${PACKAGE}`;

/** Set where the vectors must be there, as in the checks of a change. */
const REQUIRED = "CODISTILL_REQUIRE_VECTORS";

/** Why there are no vectors; false where there are. To be given to a test as `skip`. Throws where they are required. */
export function whyMissing(): string | false {
  if (existsSync(FOLDER)) return false;
  if (process.env[REQUIRED]) throw new Error(`${REQUIRED} asks for the test vectors of ONNX in ${FOLDER}: ${CURE}`);
  return `the test vectors of ONNX are not in ${FOLDER}: ${CURE}`;
}

/** The version of the package, as Debian counts. */
export function installedVersion(): string {
  const { status, stdout } = spawnSync("dpkg-query", ["--show", PACKAGE], { encoding: "utf8" });
  return status === 0 ? stdout.trim().slice(PACKAGE.length + 1) : "unknown";
}

/** One node with inputs, and the outputs that it must give. */
export interface Vector {
  readonly name: string;
  readonly model: ModelProto;
  /** The node, where there is but one: of other models it is the first. */
  readonly node: NodeProto;
}

/** All node tests, by name. */
export function readVectors(): Vector[] {
  return readdirSync(FOLDER)
    .sort()
    .map((name) => {
      const model = decodeModel(readFileSync(join(FOLDER, name, "model.onnx")));
      const [node] = model.graph.node;
      if (!node) throw new Error(`${name} has no node`);
      const { attribute } = corrections[name] ?? {};
      return { name, model, node: attribute ? { ...node, attribute: [...node.attribute, attribute] } : node };
    });
}

/** What vectors leave out of their node although their outputs were made with it. */
export const corrections: Readonly<Record<string, { readonly attribute: AttributeProto; readonly why: string }>> = {
  test_adam_multiple: {
    attribute: { name: "epsilon", type: 1, f: 1e-2 },
    why: "with epsilon 0.01, by which its outputs were made; its node gives none, which means 1e-6",
  },
};

/** A vector as a program of ours, or why it is none. */
export type Outcome =
  | { readonly isUsed: true; readonly program: WholeProgram; readonly expected: readonly NdArray[] }
  | { readonly isUsed: false; readonly reason: string };

/** Why a model of several nodes is not used: most are another vector, with the operation taken apart. */
export const SEVERAL_NODES = "several nodes";

/** Why a vector of an operation that has no translation is not used. */
export const NO_OPERATION = "no operation of ours";

/** What becomes of a vector. Only what a translation refuses is no part of our vocabulary; any other error is one. */
export function outcomeOf(vector: Vector): Outcome {
  try {
    const program = programOf(vector);
    const numOutputs = vector.node.output.length;
    const numResults = program.results.length;
    if (numResults !== numOutputs) throw new Error(`${numOutputs} results expected, got ${numResults}`);
    const outputs = vector.model.graph.output.map((output, i) => arrayFrom(vector, output, `output_${i}`));
    return {
      isUsed: true,
      program,
      expected: program.results.map(({ expected }, i) => expected(outputs[i] as NdArray)),
    };
  } catch (error) {
    if (error instanceof NotOurs) return { isUsed: false, reason: error.message };
    throw new Error(`${vector.name} could not be said`, { cause: error });
  }
}

function programOf(vector: Vector): WholeProgram {
  const { model, node } = vector;
  if (model.graph.node.length > 1) return notOurs(SEVERAL_NODES);
  const make = makerOf(node) ?? notOurs(NO_OPERATION);
  const { input } = model.graph;
  // Outputs are looked at first: what we could not compare need not be built.
  for (const { type } of model.graph.output) requireTensor(type);
  const files = node.input.map((name) => input.findIndex((value) => value.name === name));
  const arrays = files.map((file) => {
    const value = input[file];
    return once(() => value && arrayFrom(vector, value, `input_${file}`));
  });
  const { call, feeds } = callOf(node, trimmed(arrays, files));
  return make(call, feeds);
}

function makerOf({ opType }: NodeProto): ((call: Call, feeds: () => NamedArrays) => WholeProgram) | undefined {
  const translate = translations[opType];
  return translate ? (call, feeds) => forward(call, [translate(call)].flat(), feeds()) : wholePrograms[opType];
}

/** Without the inputs at the end that are left out. */
function trimmed<T>(arrays: readonly T[], files: readonly number[]): readonly T[] {
  return arrays.slice(0, files.findLastIndex((file) => file >= 0) + 1);
}

/** A graph of the first results, as many as the node has, and what of `all` it reads. */
function forward({ node }: Call, results: readonly Tensor[], all: NamedArrays) {
  const named = results.slice(0, node.output.length).map((tensor, i) => [`y${i}`, tensor] as const);
  const graph: Graph = { outputs: Object.fromEntries(named), updates: {} };
  const read = inputsOf(graph);
  const feeds = Object.fromEntries(Object.entries(all).filter(([name]) => read.has(name)));
  return { graph, feeds, kept: {}, results: named.map(([name]) => ({ name, expected: (output: NdArray) => output })) };
}

function arrayFrom({ name }: Vector, { type }: ValueInfoProto, file: string): NdArray {
  requireTensor(type);
  return arrayOf(decodeTensor(readFileSync(join(FOLDER, name, "test_data_set_0", `${file}.pb`))));
}

/** A value of another kind has a type, but none of a tensor. */
function requireTensor({ tensorType }: Partial<ValueInfoProto["type"]>): void {
  if (!tensorType) notOurs("a sequence, or a value that may be missing");
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
