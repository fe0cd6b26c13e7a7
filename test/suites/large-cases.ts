/** Large cases of every operation: of the sizes at which an engine divides the work between threads. */
import * as ops from "../../src/graph/ops.js";
import type { Op } from "../../src/graph/tensor.js";
import { filled } from "../../src/runtime/array.js";
import { contractionsLargeCases } from "./large-cases/contractions.js";
import { convolutionLargeCases } from "./large-cases/convolution.js";
import { elementwiseLargeCases } from "./large-cases/elementwise.js";
import { indexingLargeCases } from "./large-cases/indexing.js";
import { normalisationLargeCases } from "./large-cases/normalisation.js";
import { randomLargeCases } from "./large-cases/random.js";
import { scanLargeCases } from "./large-cases/scan.js";
import { shapesLargeCases } from "./large-cases/shapes.js";
import { unary } from "./large-cases/shared.js";
import type { Cases } from "./op-case.js";

export const largeCases: Cases<Op> = {
  input: unary((x) => x),
  constant: [{ name: "65,536 elements", operands: [], build: () => ops.constant(filled([256, 256], 0.1)) }],
  stopGradient: unary(ops.stopGradient),
  ...elementwiseLargeCases,
  ...contractionsLargeCases,
  ...normalisationLargeCases,
  ...convolutionLargeCases,
  ...shapesLargeCases,
  ...indexingLargeCases,
  ...randomLargeCases,
  ...scanLargeCases,
};
