import type { ScanOps, Tensor } from "../tensor.js";
import { topologicalOrder } from "../tensor.js";
import { type Rules, valueInfo } from "./builder.js";

export const scanEmission = {
  scan: (b, whole, ...inputs) => {
    const { body, reverse } = whole.attributes;
    const numStates = body.states.length;
    const own = [...body.states, ...body.elements].map((tensor) => [tensor, b.fresh()] as const);
    const shared = body.captured.map((tensor, i) => [tensor, inputs[own.length + i] as string] as const);
    const names = [...own, ...shared].map(([tensor, name]): [Tensor, string[]] => [tensor, [name]]);
    // The first result is always wanted, because the tensor itself stands for it.
    const isWanted = (_: Tensor, i: number) => numStates + i === 0 || b.isUsed(whole, numStates + i);
    const collected = [...body.outputs, ...body.saved];
    const results = [...body.nextStates, ...collected.filter(isWanted)];
    const step = b.body(topologicalOrder(results, new Set(names.map(([tensor]) => tensor))), names);
    const direction = Array.from({ length: body.elements.length }, () => Number(reverse));
    const outputs = b.nodeOf(results.length, "Scan", inputs.slice(0, own.length), {
      body: step.graph(
        own.map(([tensor, name]) => valueInfo(name, tensor)),
        results.map((tensor) => [b.fresh(), tensor] as const),
      ),
      num_scan_inputs: body.elements.length,
      scan_input_directions: direction,
      scan_output_directions: Array.from({ length: results.length - numStates }, () => Number(reverse)),
    });
    // A result that nothing reads has no output of its own; any name does.
    let next = numStates;
    const nameOf = (tensor: Tensor, i: number) => (isWanted(tensor, i) ? outputs[next++] : outputs[0]) as string;
    return [...outputs.slice(0, numStates), ...collected.map(nameOf)];
  },
} satisfies Rules<keyof ScanOps>;
