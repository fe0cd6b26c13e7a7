/** The list of vectors, used and not used: docs/onnx-vectors.md. */
import { rootsOf } from "../../src/graph/graph.js";
import { isOp, type Op, type Tensor, topologicalOrder } from "../../src/graph/tensor.js";
import { corrections, NO_OPERATION, type Outcome, SEVERAL_NODES, type Vector } from "./vectors.js";
import type { WholeProgram } from "./whole.js";

/** A vector and what became of it. */
export interface Entry {
  readonly vector: Vector;
  readonly outcome: Outcome;
}

/** The list as Markdown, if every used vector passed; `emitted` are the operations that our graphs are made of. */
export function listOf(entries: readonly Entry[], version: string, emitted: readonly string[]): string {
  const used = entries.flatMap(({ vector, outcome }) => (outcome.isUsed ? [{ vector, ...outcome }] : []));
  const others = entries.flatMap(({ vector, outcome }) => (outcome.isUsed ? [] : [{ vector, ...outcome }]));
  const isEmitted = ({ node }: Vector) => emitted.includes(node.opType);
  const foreign = others.filter(({ reason }) => reason === NO_OPERATION);
  const several = others.filter(({ reason }) => reason === SEVERAL_NODES);
  const refused = others.filter(({ reason }) => reason !== NO_OPERATION && reason !== SEVERAL_NODES);
  const tested = new Set(entries.map(({ vector }) => vector.node.opType));
  return `# Test vectors of ONNX

The node tests of Debian's package \`libonnx-testdata\` ${version}, held against our operations by \`test/onnx-vectors/\`: inputs
and attributes of a node go through our symbolic operations, their emission and the engine, and through the float64
interpreter; both must give the outputs of the vector within 1e-5 of the largest of them. \`npm run vectors\` runs them and
compares this list, \`npm run vectors -- --write\` replaces it.

${entries.length} vectors: ${used.length} used and passed; not used are ${refused.length} that our vocabulary does not express, ${several.length} models of several nodes,
and ${foreign.length} of operations that we have not. int64 is read as int32, and double rounded to float32.

## Used and passed: operations that our graphs are emitted as

${table(["ONNX", "vectors", "through"], usedRows(used.filter(({ vector }) => isEmitted(vector))))}

No vector has ${emitted.filter((type) => !tested.has(type)).join(" or ")}; operations of \`com.microsoft\` have none.

## Used and passed: optimizers, losses and what is composed

${table(["ONNX", "vectors", "through"], usedRows(used.filter(({ vector }) => !isEmitted(vector))))}

${notes()}

## Not used: not expressed by our vocabulary

${table(
  ["ONNX", "vectors", "reason"],
  rowsBy(refused, ({ reason }) => reason),
)}

## Not used: models of several nodes

Those that end in \`_expanded\` are the vectors of the name before it, with the operation taken apart into others.

${short(several.map(({ vector }) => vector.name)).join(", ")}

## Not used: no operation of ours

With the number of vectors: ${counts(foreign.map(({ vector }) => vector.node.opType))}
`;
}

function usedRows(used: readonly { readonly vector: Vector; readonly program: WholeProgram }[]): string[][] {
  const through = new Map<string, Set<string>>();
  for (const { vector, program } of used) {
    const known = through.get(vector.node.opType) ?? new Set();
    through.set(vector.node.opType, known);
    for (const what of throughOf(program)) known.add(what);
  }
  return rowsBy(used, ({ vector }) => [...(through.get(vector.node.opType) ?? [])].join(", "));
}

/** What of ours a program is made of. */
function throughOf({ graph }: WholeProgram): string[] {
  const ops = opsOf(rootsOf(graph)).filter((op) => !["input", "constant", "part"].includes(op));
  return [...(ops.length > 0 ? ops : ["a graph that returns its input"]), ...(graph.when ? ["an update `when`"] : [])];
}

/** The operations behind some tensors, in the bodies of loops too. */
function opsOf(roots: readonly Tensor[]): Op[] {
  return topologicalOrder(roots).flatMap((tensor) => {
    if (!isOp(tensor, "scan")) return [tensor.op];
    const { nextStates, outputs } = tensor.attributes.body;
    return [tensor.op, ...opsOf([...nextStates, ...outputs])];
  });
}

/** Vectors of one operation and one text in a row. */
function rowsBy<T extends { readonly vector: Vector }>(items: readonly T[], textOf: (item: T) => string): string[][] {
  const rows = new Map<string, { type: string; names: string[]; text: string }>();
  for (const item of items) {
    const [type, text] = [item.vector.node.opType, textOf(item)];
    const row = rows.get(`${type} ${text}`) ?? { type, names: [], text };
    rows.set(`${type} ${text}`, row);
    row.names.push(item.vector.name);
  }
  return [...rows.values()]
    .sort((a, b) => (a.type < b.type ? -1 : Number(a.type > b.type)))
    .map(({ type, names, text }) => [type, short(names).join(", "), text]);
}

function notes(): string {
  return Object.entries(corrections)
    .map(([name, { why }]) => `\`${short([name])}\` is used ${why}.`)
    .join("\n");
}

function counts(types: readonly string[]): string {
  return [...new Set(types)]
    .sort()
    .map((type) => `${type} ${types.filter((other) => other === type).length}`)
    .join(", ");
}

/** Names without the word that all of them begin with. */
function short(names: readonly string[]): string[] {
  return names.map((name) => name.replace(/^test_/, ""));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
