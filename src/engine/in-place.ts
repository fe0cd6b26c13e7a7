/** The state tensors that a run may overwrite in place. */
import { alwaysOf, type Graph, inputsOf, rootsOf } from "../graph/graph.js";
import { interned } from "../graph/passes/walk.js";
import { type Tensor, topologicalOrder } from "../graph/tensor.js";
import { traits } from "../graph/traits.js";

/**
 * The names of the state tensors that a run may overwrite in place. In every order of execution all readers of such a
 * tensor come before its new value, because the new value depends on them, and the operation that makes the new value
 * reads each element before it overwrites it.
 *
 * In a graph with `when`, every update waits for those tensors that are computed always and that any update needs.
 */
export function updatedInPlace(given: Graph): Set<string> {
  const graph = interned(given);
  const inputs = inputsOf(graph);
  const readers = readersOf(graph);
  const roots = new Set(rootsOf(graph));
  const always = new Set(graph.when ? topologicalOrder(alwaysOf(graph)) : []);
  const first = topologicalOrder([...(graph.when ? [graph.when] : []), ...Object.values(graph.updates)]);
  const awaited = new Set(first.filter((tensor) => always.has(tensor)));
  const safe = Object.entries(graph.updates).filter(([name, updated]) => {
    const kept = inputs.get(name);
    if (!kept) return true;
    const views = viewsOf(kept, readers);
    if (!mayOverwrite(updated, kept, views)) return false;
    if (views.some((view) => roots.has(view))) return false;
    const before = new Set(topologicalOrder([updated], always));
    const isOrdered = (reader: Tensor) => awaited.has(reader) || before.has(reader);
    return views.every((view) => (readers.get(view) ?? []).every(isOrdered));
  });
  return new Set(safe.map(([name]) => name));
}

/** Whether an operation reads each element of a tensor before it overwrites it, as a matrix product does not. */
function mayOverwrite({ op, inputs }: Tensor, kept: Tensor, views: readonly Tensor[]): boolean {
  const { overwrites } = traits[op];
  if (overwrites !== "rows") return overwrites === "elements";
  // Rows are set in the table itself, which the other operands must therefore not read.
  return inputs[0] === kept && !inputs.slice(1).some((input) => views.includes(input));
}

/** The operations that read each tensor. */
function readersOf(graph: Graph): Map<Tensor, Tensor[]> {
  const readers = new Map<Tensor, Tensor[]>();
  for (const tensor of topologicalOrder(rootsOf(graph))) {
    for (const input of tensor.inputs) {
      const known = readers.get(input);
      if (known) known.push(tensor);
      else readers.set(input, [tensor]);
    }
  }
  return readers;
}

/** The tensor, and the results that an engine may place in its memory. */
function viewsOf(tensor: Tensor, readers: ReadonlyMap<Tensor, readonly Tensor[]>): Tensor[] {
  const views = (readers.get(tensor) ?? []).filter(({ op }) => traits[op].mayShare);
  return [tensor, ...views.flatMap((view) => viewsOf(view, readers))];
}
