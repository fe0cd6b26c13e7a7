import { ShapeError } from "../../errors.js";
import { type Axis, formatShape, isSymbolic, joined, type Shape, sameShape } from "../shape.js";
import { node, type Tensor } from "../tensor.js";
import { allAxes, broadcastShapes, checkAxes, reducedShape, requireDtype } from "./checks.js";
import { add, clamp, exp, log, mul, sub } from "./elementwise.js";
import { stopGradient } from "./leaves.js";
import { reshape, transpose } from "./shapes.js";

/** The largest float32. */
const LARGEST = 2 ** 127 * (2 - 2 ** -23);

/** Sum over the axes (all by default); they stay as size 1 with `keepDims`. */
export function reduceSum(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  return node("reduceSum", [x], { axes, keepDims }, reducedShape("reduceSum", x, axes, keepDims), "float32");
}

/** Mean over the axes (all by default); they stay as size 1 with `keepDims`. */
export function reduceMean(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  return node("reduceMean", [x], { axes, keepDims }, reducedShape("reduceMean", x, axes, keepDims), "float32");
}

/** Largest over the axes (all by default), which stay as size 1 with `keepDims`; ties share the gradient evenly. */
export function reduceMax(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  return node("reduceMax", [x], { axes, keepDims }, reducedShape("reduceMax", x, axes, keepDims), "float32");
}

/** Smallest over the axes (all by default), which stay as size 1 with `keepDims`; ties share the gradient evenly. */
export function reduceMin(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  return node("reduceMin", [x], { axes, keepDims }, reducedShape("reduceMin", x, axes, keepDims), "float32");
}

/** Variance over the axes (all by default): the mean of the squared differences from the mean. */
export function variance(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  const centred = sub(x, reduceMean(x, axes, true));
  return reduceMean(mul(centred, centred), axes, keepDims);
}

/** log of the sum of e^x over the axes (all by default), without overflow; -infinity where all of them are. */
export function logSumExp(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  // The peak changes nothing but the rounding, so no gradient need flow through it; an infinite one would make NaN.
  const peak = stopGradient(clamp(reduceMax(x, axes, true), -LARGEST, LARGEST));
  const sum = add(log(reduceSum(exp(sub(x, peak)), axes, true)), peak);
  return keepDims ? sum : reshape(sum, reducedShape("reduceSum", x, axes, false));
}

/** The position of the largest element along an axis, the first of equal ones, as int32 without that axis. */
export function argMax(x: Tensor, axis: number): Tensor {
  return node("argMax", [x], { axis }, reducedShape("argMax", x, [axis], false), "int32");
}

/** Sums of the elements up to each along an axis, or from each on with `reverse`; without itself with `exclusive`. */
export function cumulativeSum(
  x: Tensor,
  axis: number,
  { exclusive = false, reverse = false }: { exclusive?: boolean; reverse?: boolean } = {},
): Tensor {
  requireDtype("cumulativeSum", x, "float32");
  checkAxes("cumulativeSum", x, [axis]);
  return node("cumulativeSum", [x], { axis, exclusive, reverse }, x.shape, "float32");
}

/** How many elements the axes of `x` span together, as a float32 scalar; known only when a run brings its batch. */
export function countAlong(x: Tensor, axes = allAxes(x)): Tensor {
  checkAxes("countAlong", x, axes);
  return node("countAlong", [x], { axes }, [], "float32");
}

export interface MatmulOptions {
  /** Exchange the last two axes of `a` first. */
  readonly transposeA?: boolean | undefined;
  /** Exchange the last two axes of `b` first. */
  readonly transposeB?: boolean | undefined;
  /** A factor on the product, as float32. 1 by default. */
  readonly scale?: number | undefined;
}

/**
 * Matrix product of `a` [..., m, k] and `b` [..., k, n], either of them transposed first if asked: [..., m, n]. The axes
 * before the last two broadcast.
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false, scale = 1 }: MatmulOptions = {},
): Tensor {
  requireDtype("matmul", a, "float32");
  requireDtype("matmul", b, "float32");
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new ShapeError(
      `matmul: both operands must have at least 2 axes, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  if (!Number.isFinite(scale)) throw new ShapeError(`matmul: the scale must be finite, got ${scale}`);
  const [rows, inner] = matrixAxes(a, transposeA);
  const [innerB, columns] = matrixAxes(b, transposeB);
  if (inner !== innerB) {
    const note = transposeA || transposeB ? ` (transposeA=${transposeA}, transposeB=${transposeB})` : "";
    throw new ShapeError(
      `matmul: inner sizes must agree, got ${formatShape(a.shape)} and ${formatShape(b.shape)}${note}`,
    );
  }
  const leading = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  const attributes = { transposeA, transposeB, scale: Math.fround(scale) };
  return node("matmul", [a, b], attributes, [...leading, rows, columns], "float32");
}

/**
 * x [..., rows, inner] W [..., rows, columns] in whole numbers of 8 bits: of W there is `weight` int8 [inner, columns] and `scale`
 * float32 [columns], W about weight x scale. The range of x, from min(x, 0) to max(x, 0) over all of it, is cut into 255 equal steps s,
 * of which z is that of 0, and
 *
 *     q = clamp(round(x / s) + z, 0, 255),  y = s scale (q - z) weight,
 *
 * rounded half to even (ONNX's DynamicQuantizeLinear). In two `pieces`, the same is done once more with what is left of x, and both
 * products are added up: as if x had 16 bits. No gradient flows through it.
 *
 * A processor without instructions for products of 8 bits adds up pairs of them in 16 bits, which overflow unless weights are
 * from -64 to 64.
 */
export function quantisedMatmul(x: Tensor, weight: Tensor, scale: Tensor, pieces: 1 | 2 = 1): Tensor {
  requireDtype("quantisedMatmul", x, "float32");
  requireDtype("quantisedMatmul", weight, "int8");
  requireDtype("quantisedMatmul", scale, "float32");
  const [inner, columns] = weight.shape;
  const fits = x.shape.length >= 2 && weight.shape.length === 2 && x.shape.at(-1) === inner;
  if (!fits || columns === undefined || !sameShape(scale.shape, [columns])) {
    throw new ShapeError(
      `quantisedMatmul: takes [..., rows, inner], [inner, columns] and [columns], got ${[x, weight, scale].map(({ shape }) => formatShape(shape)).join(", ")}`,
    );
  }
  return node("quantisedMatmul", [x, weight, scale], { pieces }, [...x.shape.slice(0, -1), columns], "float32");
}

function matrixAxes({ shape }: Tensor, isTransposed: boolean): [Axis, Axis] {
  const [rows, columns] = shape.slice(-2) as [Axis, Axis];
  return isTransposed ? [columns, rows] : [rows, columns];
}

/**
 * The contraction of two tensors by labels, one letter for each axis: `contract("bhqd,bhkd->bhqk", q, k)` sums the
 * products over `d`. Letters that are in the result stay, all others are summed over. It is built of transposes,
 * reshapes and one matrix product, scaled by `scale`; the symbolic axis must lead wherever it comes.
 *
 * Throws {@link ShapeError} when letters do not fit the axes, or a letter has two sizes.
 */
export function contract(labels: string, a: Tensor, b: Tensor, { scale = 1 }: { scale?: number } = {}): Tensor {
  const { ofA, ofB, ofResult } = parse(labels);
  const sizes = sizesOf(labels, [ofA, a], [ofB, b]);
  const isWanted = (other: string[]) => (letter: string) => other.includes(letter) || ofResult.includes(letter);
  const left = summed({ tensor: a, letters: ofA }, isWanted(ofB));
  const right = summed({ tensor: b, letters: ofB }, isWanted(ofA));
  // The product gives the axes of its left operand first, and the symbolic axis must lead.
  const ofRight = right.letters.filter((letter) => !left.letters.includes(letter));
  const isSwapped = ofRight.some((letter) => isSymbolic(sizes.get(letter)));
  const [x, y] = isSwapped ? [right, left] : [left, right];

  const shared = x.letters.filter((letter) => y.letters.includes(letter));
  const batch = shared.filter((letter) => ofResult.includes(letter));
  const inner = shared.filter((letter) => !ofResult.includes(letter));
  const rows = x.letters.filter((letter) => !shared.includes(letter));
  const columns = y.letters.filter((letter) => !shared.includes(letter));
  const shapeOf = (letters: readonly string[]): Shape => letters.map((letter) => sizes.get(letter) as Axis);

  const first = matrices(x, [batch, rows, inner], shapeOf);
  const second = matrices(y, [batch, inner, columns], shapeOf);
  const product = matmul(first.tensor, second.tensor, {
    transposeA: first.isTransposed,
    transposeB: second.isTransposed,
    scale,
  });
  const letters = [...batch, ...rows, ...columns];
  const result = reshape(product, shapeOf(letters));
  return ordered({ tensor: result, letters }, ofResult).tensor;
}

interface Labelled {
  readonly tensor: Tensor;
  readonly letters: readonly string[];
}

/**
 * As [...batch, rows, columns] with `rows` and `columns` one axis each, or with the last two exchanged if that saves a
 * transpose.
 */
function matrices(
  x: Labelled,
  [batch, rows, columns]: readonly [string[], string[], string[]],
  shapeOf: (letters: readonly string[]) => Shape,
): { readonly tensor: Tensor; readonly isTransposed: boolean } {
  const has = x.letters.join("");
  const isAsItIs = has === [...batch, ...rows, ...columns].join("");
  const isTurned = !isAsItIs && has === [...batch, ...columns, ...rows].join("");
  const isTransposed = isTurned || (batch.length === 0 && isSymbolic(shapeOf(columns)[0]));
  const [outer, inner] = isTransposed ? [columns, rows] : [rows, columns];
  const { tensor } = ordered(x, [...batch, ...outer, ...inner]);
  const shape = [...shapeOf(batch), joined(shapeOf(outer)), joined(shapeOf(inner))];
  return { tensor: reshape(tensor, shape), isTransposed };
}

function ordered(x: Labelled, letters: readonly string[]): Labelled {
  if (x.letters.join("") === letters.join("")) return x;
  const permutation = letters.map((letter) => x.letters.indexOf(letter));
  return { tensor: transpose(x.tensor, permutation), letters };
}

/** Summed over the letters that are not wanted. */
function summed(x: Labelled, isWanted: (letter: string) => boolean): Labelled {
  const axes = x.letters.flatMap((letter, axis) => (isWanted(letter) ? [] : [axis]));
  if (axes.length === 0) return x;
  return { tensor: reduceSum(x.tensor, axes), letters: x.letters.filter(isWanted) };
}

function parse(labels: string): { ofA: string[]; ofB: string[]; ofResult: string[] } {
  const match = /^([a-zA-Z]*),([a-zA-Z]*)->([a-zA-Z]*)$/.exec(labels);
  if (!match) throw new ShapeError(`contract: labels must read as "ij,jk->ik", got "${labels}"`);
  const [ofA, ofB, ofResult] = match.slice(1).map((letters) => [...letters]) as [string[], string[], string[]];
  for (const letters of [ofA, ofB, ofResult]) {
    const twice = letters.find((letter, i) => letters.indexOf(letter) !== i);
    if (twice) throw new ShapeError(`contract: a letter may be in each term once, got "${twice}" twice in "${labels}"`);
  }
  const lost = ofResult.find((letter) => !ofA.includes(letter) && !ofB.includes(letter));
  if (lost) throw new ShapeError(`contract: "${lost}" of the result is in neither operand of "${labels}"`);
  return { ofA, ofB, ofResult };
}

function sizesOf(labels: string, ...terms: readonly [letters: string[], tensor: Tensor][]): Map<string, Axis> {
  const sizes = new Map<string, Axis>();
  for (const [letters, { shape }] of terms) {
    if (letters.length !== shape.length) {
      throw new ShapeError(
        `contract: "${letters.join("")}" of "${labels}" has ${letters.length} letters, got ${formatShape(shape)}`,
      );
    }
    letters.forEach((letter, axis) => {
      const [size, known] = [shape[axis] as Axis, sizes.get(letter)];
      if (known !== undefined && known !== size) {
        throw new ShapeError(`contract: "${letter}" of "${labels}" must have one size, got ${known} and ${size}`);
      }
      sizes.set(letter, size);
    });
  }
  return sizes;
}
