/** What the WebGPU provider of ONNX Runtime 1.30 must be told for its numbers to be those of the CPU. See docs/devices.md. */

import { decodeModel, type GraphProto } from "../../graph/onnx-proto.js";
import type { InferenceSession } from "./library.js";

/**
 * The provider's options for a model.
 *
 * In the layout that it takes by itself, "NHWC", it computes convolutions of many numbers of channels wrongly, and says
 * nothing: among them 6 channels to 4, and 2 groups of 3 channels to 5.
 */
export function webGpuProvider(onnx: Uint8Array): InferenceSession.WebGpuExecutionProviderOption {
  const forCpu = nodesForCpu(decodeModel(onnx).graph);
  // An empty list is refused.
  return { name: "webgpu", preferredLayout: "NCHW", ...(forCpu.length > 0 && { forceCpuNodeNames: forCpu }) };
}

/**
 * The nodes that have names: those of operations that are for the CPU (`isForCpuOnWebGpu` in graph/traits.ts). Positions of
 * maxima it takes and then fails at; sines of WGSL are only within 2^-11 of the true ones, and that between -pi and pi.
 */
function nodesForCpu({ node: nodes }: GraphProto): string[] {
  return nodes.flatMap(({ name, attribute }) => [
    ...(name ? [name] : []),
    ...attribute.flatMap(({ g }) => (g ? nodesForCpu(g) : [])),
  ]);
}
