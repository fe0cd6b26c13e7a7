/** Where nodes ran, from the profiles of sessions on WebGPU. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";

/** Operations of ONNX that ran on each device, in order. */
export interface Placement {
  readonly cpu: readonly string[];
  readonly webgpu: readonly string[];
}

/**
 * Operations of ONNX that run on the CPU in the tests, always or with some operands: ONNX Runtime 1.30 has no WebGPU kernel
 * for them, or none for int64, uint32 and bool; they compute shapes, which it keeps there; or we tell it to.
 */
export const ON_CPU: readonly string[] = [
  ...["BitShift", "BitwiseXor", "FusedMatMul", "LogSoftmax", "Mod", "Or", "Scan", "Sign"],
  ...["Cast", "Concat", "ConstantOfShape", "Mul", "Range", "Reshape", "Shape", "Size", "Slice"],
  ...["Cos", "MaxPool", "Sin"],
  ...["Add", "DequantizeLinear", "DynamicQuantizeLinear", "DynamicQuantizeMatMul", "MatMulIntegerToFloat", "Sub"],
];

const eventsSchema = z.array(
  z.object({
    name: z.string().default(""),
    args: z.looseObject({ op_name: z.string().optional(), provider: z.string().optional() }).optional(),
  }),
);

/** The paths of the files of a profile prefix, one for each program. They are whole once the engine is closed. */
function profileFiles(prefix: string): string[] {
  return readdirSync(dirname(prefix))
    .filter((name) => name.startsWith(basename(prefix)) && name.endsWith(".json"))
    .map((name) => join(dirname(prefix), name));
}

/** By the profiles of a prefix, once the engine that wrote them is closed. */
export function placementOf(prefix: string): Placement {
  const ran = profileFiles(prefix)
    .flatMap((path) => eventsSchema.parse(JSON.parse(readFileSync(path, "utf8"))))
    .filter(({ name }) => name.endsWith("_kernel_time"))
    .map(({ args = {} }) => args);
  const on = (device: string) =>
    [...new Set(ran.flatMap(({ op_name: op, provider }) => (op && provider === device ? [op] : [])))].sort();
  return { cpu: on("CPUExecutionProvider"), webgpu: on("WebGpuExecutionProvider") };
}
