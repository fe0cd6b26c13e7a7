/** Steps of the networks of `golden/blocks.ts`, held against PyTorch's. */
import { float32, int32, type NamedArrays } from "../src/runtime/array.js";
import { mapValues, named, underPrefix, withPrefix } from "../src/runtime/named.js";
import { assertClose } from "./close.js";
import {
  type BlockName,
  type BlockResult,
  blockBatch,
  blockKept,
  blockParams,
  LEARNING_RATE,
  MOMENTUM,
  NUM_STEPS,
} from "./golden/blocks.js";
import { readGolden, resultOf } from "./golden/golden.js";
import { GRADS } from "./gradcheck.js";
import type { Values } from "./interpreter.js";

const golden = readGolden<BlockResult>("blocks");

/** From `params.*`, `kept.*` and a batch to the loss, the gradients, and what is kept from now on under `moved.*`. */
export type Run = (feeds: Readonly<Record<string, Values>>) => Promise<Readonly<Record<string, Values>>>;

/** The same feeds as an engine takes them: ids as they are, all else in single precision. */
export function singles(feeds: Readonly<Record<string, Values>>): NamedArrays {
  return mapValues(feeds, ({ shape, data }) =>
    data instanceof Int32Array ? int32(data, shape) : float32(Float32Array.from(data as ArrayLike<number>), shape),
  );
}

/** Stochastic gradient descent with momentum in JavaScript; only what it descends on is what is tested. */
export async function checkBlockSteps(name: BlockName, run: Run, tolerance: number): Promise<void> {
  const expected = resultOf(golden, name);
  let [params, kept] = [mapValues(blockParams(name), doubles), mapValues(blockKept(name), doubles)];
  const velocity = mapValues(params, ({ data }) => new Float64Array(data.length));
  for (let step = 0; step < NUM_STEPS; step++) {
    const feeds = { ...withPrefix("params", params), ...withPrefix("kept", kept), ...blockBatch(name, step) };
    const out = await run(feeds);
    assertClose(flat(named(out, "loss").data), flat([expected.losses[step] ?? Number.NaN]), tolerance, `loss ${step}`);
    const grads = underPrefix(GRADS, out);
    params = mapValues(params, ({ shape, data }, path) => {
      const [v, g] = [named(velocity, path), named(grads, path).data];
      for (let i = 0; i < v.length; i++) v[i] = MOMENTUM * (v[i] ?? 0) + Number(g[i]);
      return { shape, data: data.map((value, i) => value - LEARNING_RATE * (v[i] ?? 0)) };
    });
    kept = mapValues(underPrefix("moved", out), doubles);
  }
  for (const [path, data] of Object.entries(expected.params))
    assertClose(flat(named(params, path).data), flat(data), tolerance, path);
  for (const [path, data] of Object.entries(expected.kept))
    assertClose(flat(named(kept, path).data), flat(data), tolerance, path);
}

function doubles({ shape, data }: Values) {
  return { shape, data: Float64Array.from(data as ArrayLike<number>) };
}

function flat(data: Values["data"]): Values {
  return { shape: [data.length], data };
}
