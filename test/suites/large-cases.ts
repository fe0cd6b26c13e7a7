/** Large cases of every operation: of the sizes at which an engine divides the work between threads. */
import * as ops from "../../src/graph/ops.js";
import type { Op } from "../../src/graph/tensor.js";
import { filled } from "../../src/runtime/array.js";
import { activationsLargeCases } from "./large-cases/activations.js";
import { alongLargeCases } from "./large-cases/along.js";
import { comparisonsLargeCases } from "./large-cases/comparisons.js";
import { convolutionLargeCases } from "./large-cases/convolution.js";
import { elementwiseLargeCases } from "./large-cases/elementwise.js";
import { layerNormLargeCases } from "./large-cases/layer-norm.js";
import { normalisationLargeCases } from "./large-cases/normalisation.js";
import { productsLargeCases } from "./large-cases/products.js";
import { randomLargeCases } from "./large-cases/random.js";
import { reductionsLargeCases } from "./large-cases/reductions.js";
import { rowsLargeCases } from "./large-cases/rows.js";
import { scanLargeCases } from "./large-cases/scan.js";
import { shapesLargeCases } from "./large-cases/shapes.js";
import { unary } from "./large-cases/shared.js";
import { softmaxLargeCases } from "./large-cases/softmax.js";
import type { Cases } from "./op-case.js";

export const largeCases: Cases<Op> = {
  input: unary((x) => x),
  constant: [{ name: "65,536 elements", operands: [], build: () => ops.constant(filled([256, 256], 0.1)) }],
  stopGradient: unary(ops.stopGradient),
  ...activationsLargeCases,
  ...alongLargeCases,
  ...comparisonsLargeCases,
  ...layerNormLargeCases,
  ...randomLargeCases,
  ...softmaxLargeCases,
  ...elementwiseLargeCases,
  ...productsLargeCases,
  ...reductionsLargeCases,
  ...shapesLargeCases,
  ...rowsLargeCases,
  ...scanLargeCases,
  ...convolutionLargeCases,
  ...normalisationLargeCases,
};
