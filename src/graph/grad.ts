/** Reverse-mode differentiation: one rule for each operation, one walk. */
import { ShapeError } from "../errors.js";
import { scalar } from "../runtime/array.js";
import { contractionsGradients } from "./grad/contractions.js";
import { convolutionGradients } from "./grad/convolution.js";
import { elementwiseGradients } from "./grad/elementwise.js";
import { indexingGradients } from "./grad/indexing.js";
import { normalisationGradients } from "./grad/normalisation.js";
import { NOT_DIFFERENTIABLE, type PartsRule, type PullBack, type Rule, type Rules } from "./grad/rule.js";
import { scanGradients } from "./grad/scan.js";
import { shapesGradients } from "./grad/shapes.js";
import * as ops from "./ops.js";
import { formatShape, isOp, isSameInput, type Op, type Tensor, topologicalOrder } from "./tensor.js";

const leaf = () => [];

/** Total: an operation without a rule, or the declaration that it has none, does not compile. */
const rules: Rules<Op> = {
  input: leaf,
  constant: leaf,
  stopGradient: NOT_DIFFERENTIABLE,
  // The walk hands its cotangent to the rule of the whole.
  part: leaf,
  ...elementwiseGradients,
  ...contractionsGradients,
  ...normalisationGradients,
  ...convolutionGradients,
  ...shapesGradients,
  ...indexingGradients,
  randomUniform: NOT_DIFFERENTIABLE,
  hash: NOT_DIFFERENTIABLE,
  ...scanGradients,
};

/**
 * The gradients of a scalar loss with respect to tensors: dloss/dw, each of the shape of its `w`.
 *
 * @throws ShapeError when the loss is not a float32 scalar, or does not depend on one of the tensors
 * @example
 * import { formatGraph, gradients, ops } from "codistill";
 * const [x, w] = [ops.input("x", ["batch", 2]), ops.input("w", [2, 1])];
 * const loss = ops.reduceMean(ops.square(ops.matmul(x, w)));
 * const [gradient] = gradients(loss, [w]);
 * if (gradient) console.log(formatGraph({ outputs: { loss, gradient }, updates: {} }));
 */
export function gradients(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  if (loss.shape.length > 0 || loss.dtype !== "float32") {
    throw new ShapeError(`gradients: the loss must be a float32 scalar, got ${loss.dtype}${formatShape(loss.shape)}`);
  }
  const order = topologicalOrder([loss]);
  // An input that was made several times has the sum of the gradients of all of them.
  const allOf = (tensor: Tensor) => [tensor, ...order.filter((one) => one !== tensor && isSameInput(one, tensor))];
  const all = wrt.flatMap(allOf);
  const pulled = pullBack([[loss, ops.constant(scalar(1))]], all);
  const gradientOf = new Map(all.map((tensor, i) => [tensor, pulled[i] ?? null]));
  return wrt.map((tensor) => {
    const found = allOf(tensor).flatMap((one) => gradientOf.get(one) ?? []);
    if (found.length > 0) return found.reduce(ops.add);
    const name = isOp(tensor, "input") ? tensor.attributes.name : tensor.op;
    throw new ShapeError(`gradients: the loss does not depend on ${name}; leave it out, or use it in the model`);
  });
}

const pullBack: PullBack = (seeds, wrt, given) => {
  const roots = seeds.map(([tensor]) => tensor);
  const order = topologicalOrder(roots, given);
  const needed = new Set<Tensor>(wrt);
  for (const tensor of order) if (tensor.inputs.some((input) => needed.has(input))) needed.add(tensor);

  // By tensor and by number of its result: 0, or more for a further result of a tensor that has several.
  const cotangents = new Map<Tensor, (Tensor | null)[]>();
  const contribute = (tensor: Tensor, result: number, contribution: Tensor) => {
    const known = cotangents.get(tensor) ?? Array.from({ length: 1 + (tensor.parts?.length ?? 0) }, () => null);
    const sum = known[result];
    cotangents.set(tensor, known.with(result, sum ? ops.add(sum, contribution) : contribution));
  };
  for (const [tensor, cotangent] of seeds) contribute(tensor, 0, cotangent);
  for (const tensor of order.reverse()) {
    const known = cotangents.get(tensor);
    if (!known || !needed.has(tensor)) continue;
    if (isOp(tensor, "part")) {
      contribute(tensor.inputs[0] as Tensor, tensor.attributes.index, known[0] as Tensor);
      continue;
    }
    contributionsOf(tensor, known).forEach((contribution, i) => {
      const input = tensor.inputs[i];
      if (input && contribution && needed.has(input)) contribute(input, 0, contribution);
    });
  }
  return wrt.map((tensor) => cotangents.get(tensor)?.[0] ?? null);
};

/** The contributions of the cotangents of a tensor's results to each of its inputs. */
function contributionsOf(tensor: Tensor, cotangents: readonly (Tensor | null)[]): (Tensor | null)[] {
  const rule = rules[tensor.op] as Rule<Op> | PartsRule<Op> | typeof NOT_DIFFERENTIABLE;
  if (rule === NOT_DIFFERENTIABLE) return [];
  if (typeof rule === "object") return rule.ofParts(cotangents, tensor, pullBack, ...tensor.inputs);
  const [cotangent] = cotangents;
  return cotangent ? rule(cotangent, tensor, ...tensor.inputs) : [];
}

/** Whether gradients flow through an operation. */
export function isDifferentiable(op: Op): boolean {
  return rules[op] !== NOT_DIFFERENTIABLE;
}
