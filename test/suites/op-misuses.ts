/** For every operation, what its shape rule must refuse. Keyed by `Op`: an operation without an entry does not compile. */
import * as ops from "../../src/graph/ops.js";
import type { Op } from "../../src/graph/tensor.js";
import { float32 } from "../../src/runtime/array.js";
import { contractionsMisuses } from "./op-misuses/contractions.js";
import { convolutionMisuses } from "./op-misuses/convolution.js";
import { elementwiseMisuses } from "./op-misuses/elementwise.js";
import { indexingMisuses } from "./op-misuses/indexing.js";
import { normalisationMisuses } from "./op-misuses/normalisation.js";
import { randomMisuses } from "./op-misuses/random.js";
import { scanMisuses } from "./op-misuses/scan.js";
import { shapesMisuses } from "./op-misuses/shapes.js";
import type { Misuses } from "./op-misuses/shared.js";

export const opMisuses: Misuses<Op> = {
  input: [
    {
      call: () => ops.input("x", [2, "batch"]),
      message: /^input: "batch" must be the leading axis, the result would be \[2, batch\]/,
    },
  ],
  constant: [
    {
      call: () => ops.constant(float32([1, 2, 3], [2, 2])),
      message: /^array: shape \[2, 2\] holds 4 elements, got 3/,
    },
  ],
  // Takes any tensor, so there is nothing to refuse.
  stopGradient: [],
  ...elementwiseMisuses,
  ...contractionsMisuses,
  ...normalisationMisuses,
  ...convolutionMisuses,
  ...shapesMisuses,
  ...indexingMisuses,
  ...randomMisuses,
  ...scanMisuses,
};
