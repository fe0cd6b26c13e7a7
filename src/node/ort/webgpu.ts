/**
 * Options with which the WebGPU provider of ONNX Runtime 1.30 computes the same numbers as the CPU. See
 * docs/devices.md.
 */

import { decodeModel, type GraphProto } from "../../graph/onnx-proto.js";
import type { InferenceSession } from "./library.js";

/**
 * The provider's options for a model.
 *
 * In its default layout, "NHWC", it silently computes convolutions of many numbers of channels wrongly, among them 6
 * channels to 4, and 2 groups of 3 channels to 5.
 */
export function webGpuProvider(onnx: Uint8Array): InferenceSession.WebGpuExecutionProviderOption {
  const forCpu = nodesForCpu(decodeModel(onnx).graph);
  // The provider refuses an empty list.
  return { name: "webgpu", preferredLayout: "NCHW", ...(forCpu.length > 0 && { forceCpuNodeNames: forCpu }) };
}

/**
 * The names of all nodes that have one: those of operations that must run on the CPU (`isForCpuOnWebGpu` in
 * graph/traits.ts). The provider accepts positions of maxima and then fails at them; sines of WGSL are accurate to
 * 2^-11 only, and only between -pi and pi.
 */
function nodesForCpu({ node: nodes }: GraphProto): string[] {
  return nodes.flatMap(({ name, attribute }) => [
    ...(name ? [name] : []),
    ...attribute.flatMap(({ g }) => (g ? nodesForCpu(g) : [])),
  ]);
}
