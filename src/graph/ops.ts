/**
 * The builders, one for each operation, each with its shape rule. Every builder throws {@link ShapeError} when its
 * operands do not fit. Elementwise operations broadcast as in NumPy; a number stands for a float32 scalar.
 */

export { allAxes, broadcastShapes, knownSize, type Operand, sameShape } from "./ops/checks.js";
export * from "./ops/contractions.js";
export * from "./ops/convolution.js";
export * from "./ops/elementwise.js";
export * from "./ops/indexing.js";
export * from "./ops/leaves.js";
export * from "./ops/normalisation.js";
export * from "./ops/pooling.js";
export * from "./ops/random.js";
export { type ScanOptions, scan } from "./ops/scan.js";
export * from "./ops/shapes.js";
export type { ConvolutionOptions, WindowOptions } from "./ops/spatial.js";
