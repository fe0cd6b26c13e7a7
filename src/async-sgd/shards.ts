/** Which parameter server has which params. */
import { ConfigError } from "../errors.js";
import { sizeOf } from "../runtime/array.js";
import type { Learner } from "../train/graphs.js";

/**
 * The params of each server: whole tensors, the largest first, each to the server that has fewest numbers so far.
 *
 * @throws ConfigError when there are more servers than params
 */
export function shardsOf(
  params: Readonly<Record<string, { readonly shape: readonly number[] }>>,
  numServers: number,
): readonly (readonly string[])[] {
  const names = Object.keys(params);
  if (names.length < numServers) {
    throw new ConfigError(
      `algorithm.servers: each server has whole params, of which this model has ${names.length}; got ${numServers} servers. Use at most ${names.length}.`,
    );
  }
  const numbersOf = (name: string) => sizeOf(params[name]?.shape ?? []);
  const shards = Array.from({ length: numServers }, () => ({ numbers: 0, names: new Set<string>() }));
  for (const name of names.sort((a, b) => numbersOf(b) - numbersOf(a))) {
    const lightest = shards.reduce((least, one) => (one.numbers < least.numbers ? one : least));
    lightest.names.add(name);
    lightest.numbers += numbersOf(name);
  }
  return shards.map((shard) => Object.keys(params).filter((name) => shard.names.has(name)));
}

/** A learner of some of the params alone; the first one's updates also set the buffers of the model. */
export function shardLearner(learner: Learner, names: readonly string[], isFirst: boolean): Learner {
  const { params, buffers, state: _, ...model } = learner.model;
  const own = Object.fromEntries(Object.entries(params).filter(([name]) => names.includes(name)));
  return { ...learner, model: { ...model, params: own, ...(isFirst && buffers && { buffers }) } };
}
