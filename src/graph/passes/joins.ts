import * as ops from "../ops.js";
import { isOp, type Tensor } from "../tensor.js";
import { allTensors, type Pass } from "./walk.js";

/**
 * A sum of tensors that lie between zeros at different places along one axis is those tensors side by side. Such sums are
 * the gradient of a tensor that is read in slices. Every result is equal, as no two numbers are added in another order;
 * where a tensor has -0, the sum would have been 0.
 */
export const joins: Pass = (graph, reads) => {
  const isOnlyHere = (term: Tensor) => reads.get(term) === 1;
  // A sum that begins another one is taken apart there, so that a long one is done at once.
  const inner = new Set(allTensors(graph).flatMap((tensor) => (isOp(tensor, "add") ? tensor.inputs.slice(0, 1) : [])));
  return (tensor, before) => {
    if (!isOp(tensor, "add") || (inner.has(before) && isOnlyHere(before))) return tensor;
    const groups = groupsOf(termsOf(tensor, isOnlyHere), isOnlyHere);
    const terms = groups.flatMap((group) => (group.length > 1 ? runsOf(group as Pads).map(sideBySide) : group));
    return terms.length < groups.flat().length ? terms.reduce(ops.add) : tensor;
  };
};

type Pads = readonly Tensor<"pad">[];

/** What a sum adds up, from the first to the last, sums at its beginning taken apart where nothing else reads them. */
function termsOf(sum: Tensor<"add">, isOnlyHere: (tensor: Tensor) => boolean): Tensor[] {
  const [first, second] = sum.inputs as [Tensor, Tensor];
  const isPart = isOp(first, "add") && isOnlyHere(first);
  return [...(isPart ? termsOf(first, isOnlyHere) : [first]), second];
}

/** Neighbours of which each element is added to at most once, and every other term by itself. */
function groupsOf(terms: readonly Tensor[], isOnlyHere: (tensor: Tensor) => boolean): Tensor[][] {
  const groups: Tensor[][] = [];
  for (const term of terms) {
    const group = groups.at(-1);
    const isApart = group?.every((other) => isOnlyHere(other) && areApart(other, term));
    if (group && isApart && isOnlyHere(term)) group.push(term);
    else groups.push([term]);
  }
  return groups;
}

function areApart(a: Tensor, b: Tensor): boolean {
  if (!isOp(a, "pad") || !isOp(b, "pad") || a.attributes.axis !== b.attributes.axis) return false;
  return ops.sameShape(a.shape, b.shape) && (endOf(a) <= b.attributes.before || endOf(b) <= a.attributes.before);
}

/** Tensors between zeros, those together that follow each other without a gap. */
function runsOf(pads: Pads): Pads[] {
  const runs: Tensor<"pad">[][] = [];
  for (const pad of [...pads].sort((a, b) => a.attributes.before - b.attributes.before)) {
    const run = runs.find((run) => endOf(run.at(-1) as Tensor<"pad">) === pad.attributes.before);
    if (run) run.push(pad);
    else runs.push([pad]);
  }
  return runs;
}

function endOf({ shape, attributes: { axis, after } }: Tensor<"pad">): number {
  return (shape[axis] as number) - after;
}

function sideBySide(run: Pads): Tensor {
  const [first, last] = [run[0] as Tensor<"pad">, run.at(-1) as Tensor<"pad">];
  if (first === last) return first;
  const { axis } = first.attributes;
  const joined = ops.concat(
    run.map(({ inputs: [x] }) => x as Tensor),
    axis,
  );
  return ops.pad(joined, axis, first.attributes.before, last.attributes.after);
}
