import { ShapeError } from "../../errors.js";
import { type Convolution, sizesCovered } from "../geometry.js";
import { formatShape } from "../shape.js";
import { node, type Op, type Tensor } from "../tensor.js";
import { knownSize, requireDtype } from "./checks.js";
import { type ConvolutionOptions, convolutionOf, outputSizes, positives, spatialSizes } from "./spatial.js";

/**
 * Convolution (cross-correlation) of `x` [batch, C, ...spatial] with `weight` [O, C / groups, ...kernel], over one or two
 * spatial axes: [batch, O, ...floor((spatial + pads - dilations (kernel - 1) - 1) / strides) + 1].
 */
export function conv(x: Tensor, weight: Tensor, options: ConvolutionOptions = {}): Tensor {
  const sizes = spatialSizes("conv", x);
  const kernel = kernelOf("conv", x, weight);
  const attributes = convolutionOf("conv", sizes.length, options);
  const [outputs = 0, inputs = 0] = weight.shape as number[];
  checkGroups("conv", attributes, outputs);
  if (knownSize("conv", x, 1) !== inputs * attributes.groups) {
    throw new ShapeError(
      `conv: x must have ${attributes.groups} groups of ${inputs} channels, as the weight ${formatShape(weight.shape)} has; got ${formatShape(x.shape)}`,
    );
  }
  const shape = [x.shape[0] as number, outputs, ...outputSizes("conv", sizes, kernel, attributes)];
  return node("conv", [x, weight], attributes, shape, "float32");
}

/**
 * The transpose of {@link conv} as a linear function of its input, often called deconvolution: `x` [batch, O, ...sizes]
 * with `weight` [O, C / groups, ...kernel] to [batch, C, ...strides (sizes - 1) + dilations (kernel - 1) + 1 - pads +
 * outputPadding]. A convolution takes `strides` sizes to the same one; `outputPadding` chooses among them.
 */
export function convTranspose(
  x: Tensor,
  weight: Tensor,
  { outputPadding = 0, ...options }: ConvolutionOptions & { readonly outputPadding?: number | readonly number[] } = {},
): Tensor {
  const op = "convTranspose";
  const sizes = spatialSizes(op, x);
  const kernel = kernelOf(op, x, weight);
  const convolution = convolutionOf(op, sizes.length, options);
  const [inputs = 0, outputs = 0] = weight.shape as number[];
  checkGroups(op, convolution, inputs);
  if (knownSize(op, x, 1) !== inputs) {
    throw new ShapeError(
      `${op}: x must have ${inputs} channels, as the weight ${formatShape(weight.shape)} has; got ${formatShape(x.shape)}`,
    );
  }
  const extra = typeof outputPadding === "number" ? sizes.map(() => outputPadding) : outputPadding;
  const { strides } = convolution;
  if (
    extra.length !== sizes.length ||
    !extra.every((e, i) => Number.isInteger(e) && e >= 0 && e < (strides[i] as number))
  ) {
    throw new ShapeError(
      `${op}: outputPadding must be from 0 to less than the stride of each spatial axis, got ${extra.join(", ")} for strides ${strides.join(", ")}`,
    );
  }
  const covered = sizesCovered(sizes, kernel, convolution, extra);
  if (covered.some((size) => size <= 0)) {
    throw new ShapeError(`${op}: pads must leave something of the output, got sizes [${covered.join(", ")}]`);
  }
  const shape = [x.shape[0] as number, outputs * convolution.groups, ...covered];
  return node(op, [x, weight], { ...convolution, outputPadding: extra }, shape, "float32");
}

/**
 * The gradient of the weight of a {@link conv} of `x` [batch, C, ...spatial], from the cotangent `g` [batch, O, ...] of
 * its result: [O, C / groups, ...kernel]. Linear in `x` and in `g`.
 */
export function convWeightGrad(
  x: Tensor,
  g: Tensor,
  { kernel, ...options }: ConvolutionOptions & { readonly kernel: readonly number[] },
): Tensor {
  const op = "convWeightGrad";
  const sizes = spatialSizes(op, x);
  const convolution = convolutionOf(op, sizes.length, options);
  const whole = positives(op, "kernel", sizes.length, kernel);
  const [inputs, outputs] = [knownSize(op, x, 1), knownSize(op, g, 1)];
  checkGroups(op, convolution, inputs);
  checkGroups(op, convolution, outputs);
  requireDtype(op, g, "float32");
  const expected = [x.shape[0], outputs, ...outputSizes(op, sizes, whole, convolution)];
  if (g.shape.join() !== expected.join()) {
    throw new ShapeError(
      `${op}: g must have the shape of the convolution's result [${expected.join(", ")}], got ${formatShape(g.shape)}`,
    );
  }
  const shape = [outputs, inputs / convolution.groups, ...whole];
  return node(op, [x, g], { ...convolution, kernel: whole }, shape, "float32");
}

/** The kernel's sizes. */
function kernelOf(op: Op, x: Tensor, weight: Tensor): number[] {
  requireDtype(op, weight, "float32");
  if (weight.shape.length !== x.shape.length) {
    throw new ShapeError(
      `${op}: the weight must have as many axes as x, got ${formatShape(weight.shape)} and ${formatShape(x.shape)}`,
    );
  }
  return weight.shape.map((_, axis) => knownSize(op, weight, axis)).slice(2);
}

function checkGroups(op: Op, { groups }: Convolution, channels: number): void {
  if (channels % groups === 0) return;
  throw new ShapeError(`${op}: channels must divide into the groups, got ${channels} channels and ${groups} groups`);
}
