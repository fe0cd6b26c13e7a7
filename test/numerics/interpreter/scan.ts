import type { ScanOps } from "../../../src/graph/tensor.js";
import { build, count, numbers, operand, type Rules, type Values } from "./values.js";

export const scanValues = {
  scan: ({ attributes: { body, reverse }, inputs, evaluate }) => {
    const [numStates, numOwn] = [body.states.length, body.states.length + body.elements.length];
    const sequences = inputs.slice(numStates, numOwn).map((_, i) => operand(inputs, numStates + i));
    const steps = sequences[0]?.shape[0] ?? 0;
    const results = [...body.outputs, ...body.saved];
    let states = inputs.slice(0, numStates);
    const collected: Values[][] = results.map(() => []);
    for (let step = 0; step < steps; step++) {
      const at = reverse ? steps - 1 - step : step;
      const elements = sequences.map(({ shape, data }) => {
        const rest = shape.slice(1);
        return { shape: rest, data: data.slice(at * count(rest), (at + 1) * count(rest)) };
      });
      const own = [...body.states, ...body.elements, ...body.captured];
      const values = [...states, ...elements, ...inputs.slice(numOwn)];
      const bound = new Map(own.map((tensor, i) => [tensor, values[i] as Values]));
      const computed = evaluate([...body.nextStates, ...results], bound);
      states = computed.slice(0, numStates);
      computed.slice(numStates).forEach((value, i) => {
        (collected[i] as Values[])[at] = value;
      });
    }
    return [...states, ...collected.map(stack)];
  },
} satisfies Rules<keyof ScanOps>;

function stack(values: readonly Values[]): Values {
  const parts = values.map(numbers);
  const shape = parts[0]?.shape ?? [];
  return build([parts.length, ...shape], ([at = 0, ...rest]) => {
    const offset = rest.reduce((sum, position, axis) => sum * (shape[axis] ?? 1) + position, 0);
    return parts[at]?.data[offset] ?? Number.NaN;
  });
}
