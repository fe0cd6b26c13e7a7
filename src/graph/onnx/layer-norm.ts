import type { LayerNormOps } from "../tensor.js";
import type { Rules } from "./builder.js";

export const layerNormEmission = {
  layerNorm: (b, node, ...inputs) => {
    const numOutputs = b.isUsed(node, 1) || b.isUsed(node, 2) ? 3 : 1;
    const epsilon = { float: node.attributes.epsilon };
    return b.nodeOf(numOutputs, "LayerNormalization", inputs, { axis: -1, epsilon });
  },
} satisfies Rules<keyof LayerNormOps>;
