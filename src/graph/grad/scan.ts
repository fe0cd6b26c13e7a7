/** The gradient of a loop: another loop, in the other direction. */
import { filled } from "../../runtime/array.js";
import { resultOf, scan } from "../ops/scan.js";
import * as ops from "../ops.js";
import { isOp, placeholder, type ScanOps, type Tensor, topologicalOrder } from "../tensor.js";
import type { PartsRule, Rules } from "./rule.js";

/**
 * Each backward step takes the cotangents of a step's outputs and next states to those of its elements and earlier
 * states. The states before each step and its matrix products were saved on the way forward; the rest, which is cheap,
 * is computed again. Cotangents of tensors that all steps share are summed over the steps; where a step would add a
 * matrix product, its factors are collected instead, and one product over all steps is taken at the end.
 */
const ofParts: PartsRule<"scan">["ofParts"] = (cotangents, whole, pullBack) => {
  const { body, reverse } = whole.attributes;
  const numStates = body.states.length;
  const sequences = whole.inputs.slice(numStates, numStates + body.elements.length);
  const savedAt = numStates + body.outputs.length;
  const flowing = [...body.outputs, ...body.saved].flatMap((output, i) => {
    const cotangent = cotangents[numStates + i];
    return cotangent ? [{ output, cotangent, element: placeholder(output) }] : [];
  });

  // One step back, over inputs of its own: `later` are the cotangents of the states after the step.
  const later = body.nextStates.map(placeholder);
  const elements = body.elements.filter(isFloat);
  const shared = body.captured.filter(isFloat);
  const seeds = [
    ...body.nextStates.map((state, i) => [state, later[i] as Tensor] as const),
    ...flowing.map(({ output, element }) => [output, element] as const),
  ];
  const wrt = [...body.states, ...elements, ...shared];
  const pulled = pullBack(
    seeds.filter(([tensor]) => isFloat(tensor)),
    wrt,
    new Set([...wrt, ...body.elements, ...body.captured]),
  );
  const earlier = pulled.slice(0, numStates).map((cotangent, i) => cotangent ?? zerosLike(body.states[i] as Tensor));
  const ofElements = pulled.slice(numStates, numStates + elements.length);
  const ofShared = pulled.slice(numStates + elements.length).map(termsOf);
  // Terms that are not products are summed in a state of their own, which is carried only where there are such terms.
  const summed = shared.flatMap((tensor, i) => {
    const sum = sumOf((ofShared[i] ?? []).filter((term) => !isProduct(term)));
    return sum ? [{ tensor, sum }] : [];
  });
  const factors = [...new Set(ofShared.flatMap((terms) => terms.filter(isProduct).flatMap(({ inputs }) => inputs)))];

  const known = new Map<Tensor, Tensor>([
    ...body.saved.map((tensor, i) => [tensor, resultOf(whole, savedAt + i)] as const),
    ...body.elements.map((tensor, i) => [tensor, sequences[i] as Tensor] as const),
    ...flowing.map(({ element, cotangent }) => [element, cotangent] as const),
  ]);
  const collected = [...ofElements.filter((cotangent) => cotangent !== null), ...factors.filter((x) => !known.has(x))];
  const back = scan({
    states: [
      ...body.nextStates.map((state, i) => cotangents[i] ?? zerosLike(state)),
      ...summed.map(({ tensor }) => zerosLike(tensor)),
    ],
    sequences: [...known.values()],
    reverse: !reverse,
    body: (carried, given) => {
      const own = [...later, ...known.keys()];
      const values = [...carried.slice(0, later.length), ...given];
      const step = [...earlier, ...summed.map(({ sum }) => sum), ...collected];
      const made = substitute(step, new Map(own.map((tensor, i) => [tensor, values[i] as Tensor])));
      const soFar = carried.slice(numStates);
      const added = soFar.map((sum, i) => ops.add(sum, made[numStates + i] as Tensor));
      return { states: [...made.slice(0, numStates), ...added], outputs: made.slice(numStates + soFar.length) };
    },
  });

  const sequenceOf = new Map<Tensor | null, Tensor>([
    ...known,
    ...collected.map((tensor, i) => [tensor, back.outputs[i] as Tensor] as const),
  ]);
  const given = new Map<Tensor, Tensor | null>([
    ...body.states.map((state, i) => [state, isFloat(state) ? (back.states[i] as Tensor) : null] as const),
    ...elements.map((element, i) => [element, sequenceOf.get(ofElements[i] ?? null) ?? null] as const),
    ...shared.map((tensor, i) => {
      const products = (ofShared[i] ?? []).filter(isProduct).map((term) => overAllSteps(term, sequenceOf));
      const at = summed.findIndex((other) => other.tensor === tensor);
      return [tensor, sumOf([...(at < 0 ? [] : [back.states[numStates + at] as Tensor]), ...products])] as const;
    }),
  ]);
  return [...body.states, ...body.elements, ...body.captured].map((tensor) => given.get(tensor) ?? null);
};

/** The sum over all steps of a product of two matrices, as one product of the matrices of all steps side by side. */
function overAllSteps(term: Tensor<"matmul">, sequenceOf: ReadonlyMap<Tensor | null, Tensor>): Tensor {
  const { transposeA, transposeB } = term.attributes;
  const [a, b] = term.inputs.map((factor) => sequenceOf.get(factor) as Tensor) as [Tensor, Tensor];
  return ops.matmul(sideBySide(a, transposeA), sideBySide(b, !transposeB), term.attributes);
}

/** [steps, m, n] to [steps m, n], or to [m, steps n]. */
function sideBySide(sequence: Tensor, isByRows: boolean): Tensor {
  const [steps, rows, columns] = sequence.shape as [number, number, number];
  if (isByRows) return ops.reshape(sequence, [steps * rows, columns]);
  return ops.reshape(ops.transpose(sequence, [1, 0, 2]), [rows, steps * columns]);
}

/** The terms of a sum. */
function termsOf(sum: Tensor | null): Tensor[] {
  if (!sum) return [];
  const isSum = sum.op === "add" && sum.inputs.every(({ shape }) => ops.sameShape(shape, sum.shape));
  return isSum ? sum.inputs.flatMap(termsOf) : [sum];
}

function sumOf(terms: readonly Tensor[]): Tensor | null {
  const [first, ...others] = terms;
  return first ? others.reduce(ops.add, first) : null;
}

function isProduct(term: Tensor): term is Tensor<"matmul"> {
  return isOp(term, "matmul") && term.inputs.every(({ shape }) => shape.length === 2);
}

const isFloat = ({ dtype }: Tensor) => dtype === "float32";

function zerosLike({ shape }: Tensor): Tensor {
  return ops.constant(filled(shape as number[], 0));
}

/** The same tensors after a substitution: every tensor that depends on a replaced one is made again. */
function substitute(roots: readonly Tensor[], replaced: ReadonlyMap<Tensor, Tensor>): Tensor[] {
  const made = new Map<Tensor, Tensor>(replaced);
  const madeOf = (tensor: Tensor) => made.get(tensor) ?? tensor;
  for (const tensor of topologicalOrder(roots, new Set(replaced.keys()))) {
    if (made.has(tensor)) continue;
    const inputs = tensor.inputs.map(madeOf);
    if (inputs.some((input, i) => input !== tensor.inputs[i])) made.set(tensor, { ...tensor, inputs });
  }
  return roots.map(madeOf);
}

export const scanGradients = { scan: { ofParts } } satisfies Rules<keyof ScanOps>;
