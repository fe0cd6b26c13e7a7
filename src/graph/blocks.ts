/**
 * Updates of large tensors, made block by block.
 *
 * An optimizer is a chain of elementwise operations, each a pass over memory: Adam makes 10 of them on each param. When
 * a tensor is larger than the processor's cache, every pass reads it from memory again. Here the whole chain goes over
 * one block after the other, so that each operation finds the result of the one before in the cache.
 */
import { alwaysOf, type Graph } from "./graph.js";
import { loopOf, resultOf } from "./ops/scan.js";
import { input, reshape, sameShape } from "./ops.js";
import { elementsOf } from "./shape.js";
import { type Tensor, topologicalOrder } from "./tensor.js";
import { traits } from "./traits.js";

/** The most elements of a block: some arrays of a megabyte each stay in the cache, and a block's overhead is small. */
export const MOST_ELEMENTS = 2 ** 18;
/** The smallest block, as a share of the largest: with smaller ones the overhead would count. */
const LEAST_SHARE = 1 / 8;
/** Chains of fewer operations gain nothing. */
const LEAST_OPS = 3;

/** Updates that are computed together, as they share operations. */
interface Chain {
  /** The names of the updates. */
  readonly names: readonly string[];
  /** The operations, on tensors of one shape and on scalars. */
  readonly ops: ReadonlySet<Tensor>;
  /** The tensors of that shape that the operations begin with. */
  readonly operands: ReadonlySet<Tensor>;
}

/**
 * The same graph, in which chains of elementwise operations that update large tensors are loops over blocks. Such an
 * update has the elements of the tensor in their order, and the shape [blocks, elements of a block].
 *
 * Tensors that every run computes stay outside of the loops, and so do tensors that an operation needs whole, as LAMB's
 * trust ratio needs the step.
 */
export function inBlocks(graph: Graph, mostElements = MOST_ELEMENTS): Graph {
  const updates: Record<string, Tensor> = { ...graph.updates };
  for (const { names, ops, operands } of chainsOf(graph)) {
    const ends = names.map((name) => graph.updates[name] as Tensor);
    const size = elementsOf((ends[0] as Tensor).shape).count;
    const blocks = ops.size < LEAST_OPS ? 0 : numBlocks(size, mostElements);
    if (blocks === 0) continue;
    const made = loopOver(ends, operands, [blocks, size / blocks]);
    for (const [i, name] of names.entries()) updates[name] = resultOf(made, i);
  }
  return { ...graph, updates };
}

/** The number of equal blocks that the elements are cut into; 0 when they are too few, or have no such divisor. */
function numBlocks(elements: number, mostElements: number): number {
  if (elements < 2 * mostElements) return 0;
  const most = Math.floor(elements / (mostElements * LEAST_SHARE));
  for (let blocks = Math.ceil(elements / mostElements); blocks <= most; blocks++)
    if (elements % blocks === 0) return blocks;
  return 0;
}

function chainsOf(graph: Graph): Chain[] {
  const tensors = topologicalOrder(Object.values(graph.updates));
  const whole = new Set(topologicalOrder([...alwaysOf(graph), ...tensors.filter((tensor) => !isLink(tensor))]));
  let chains: Chain[] = [];
  for (const [name, end] of Object.entries(graph.updates)) {
    if (whole.has(end)) continue;
    const chain = chainTo(end, name, whole);
    const [apart, joined] = [false, true].map((shares) =>
      chains.filter(({ ops }) => [...ops].some((op) => chain.ops.has(op)) === shares),
    ) as [Chain[], Chain[]];
    chains = [...apart, [...joined, chain].reduce(together)];
  }
  return chains;
}

/** Whether an operation may be part of a chain: each element is made of those at the same place, and of scalars. */
function isLink({ op, shape, inputs }: Tensor): boolean {
  const isKnown = shape.length > 0 && !elementsOf(shape).isPerExample;
  return (
    isKnown &&
    traits[op].isExact === true &&
    inputs.every((operand) => isScalar(operand) || sameShape(operand.shape, shape))
  );
}

function isScalar({ shape }: Tensor): boolean {
  return shape.length === 0;
}

/** Follow a chain from its end back to its operands. */
function chainTo(end: Tensor, name: string, whole: ReadonlySet<Tensor>): Chain {
  const arrays = ({ inputs }: Tensor) => inputs.filter((operand) => !isScalar(operand));
  const ops = new Set(topologicalOrder([end], whole));
  const operands = new Set([...ops].flatMap(arrays).filter((operand) => whole.has(operand)));
  return { names: [name], ops, operands };
}

function together(a: Chain, b: Chain): Chain {
  return {
    names: [...a.names, ...b.names],
    ops: new Set([...a.ops, ...b.ops]),
    operands: new Set([...a.operands, ...b.operands]),
  };
}

/** A loop over blocks of operands that gives the ends of a chain. */
function loopOver(ends: readonly Tensor[], operands: ReadonlySet<Tensor>, shape: readonly [number, number]): Tensor {
  const size = shape.slice(1);
  const whole = [...operands];
  const elements = whole.map(({ dtype }, i) => input(`block ${i}`, size, dtype));
  const made = new Map<Tensor, Tensor>(whole.map((operand, i) => [operand, elements[i] as Tensor]));
  const madeOf = (tensor: Tensor) => made.get(tensor) ?? tensor;
  for (const tensor of topologicalOrder(ends, operands))
    if (isLink(tensor) && !made.has(tensor))
      made.set(tensor, { ...tensor, inputs: tensor.inputs.map(madeOf), shape: size });
  const body = { states: [], elements, nextStates: [], outputs: ends.map(madeOf), saved: [] };
  const blocks = whole.map((operand) => reshape(operand, shape));
  return loopOf(body, blocks, false);
}
