/** Parameter servers of one process: each keeps a part of the params and optimizer state, and updates it on an engine of its own. */
import type { Engine } from "../engine/engine.js";
import { codeOf, messageOf, WorkerError } from "../errors.js";
import { weightSpecs } from "../nn/model.js";
import { type NamedArrays, scalar } from "../runtime/array.js";
import { mapValues, underPrefix, withPrefix } from "../runtime/named.js";
import { applyGraph, type Learner, stateNames, weightState } from "../train/graphs.js";
import { programCache } from "../train/program-cache.js";
import { stateSpecs } from "../train/student-state.js";
import { inSharedMemory } from "./letters.js";
import { shardLearner, shardsOf } from "./shards.js";

export interface ParameterServers {
  /** Take over the state as the leader's engine has it. */
  adopt(): Promise<void>;
  /** Compile the updates. */
  prepare(): Promise<void>;
  /**
   * Update all params by the sums of a gradient of so many batches; each server its own.
   *
   * @throws WorkerError when a server fails or is lost; params are then those of no step
   */
  update(sums: NamedArrays, scalars: NamedArrays, numBatches: number): Promise<void>;
  /** Copy the params and buffers of now into arrays, which are made when they are left out. */
  copyWeights(into?: NamedArrays): NamedArrays;
  close(): Promise<void>;
}

/**
 * Servers on these engines, over memory that they share with the leader's engine: so what the leader reads, validates and restores
 * is what the servers have.
 *
 * @throws ConfigError when there are more servers than params
 */
export function parameterServers(leader: Engine, engines: readonly Engine[], learner: Learner): ParameterServers {
  const weights = weightState(learner.model, weightSpecs(learner.model));
  const servers = shardsOf(learner.model.params, engines.length).map((names, i) => {
    const own = shardLearner(learner, names, i === 0);
    const engine = engines[i] as Engine;
    return { engine, own, programs: programCache(engine), hasBuffers: own.model.buffers !== undefined };
  });
  type Server = (typeof servers)[number];
  const program = ({ own, programs }: Server) => programs.get("update", () => applyGraph(own));
  let kept: NamedArrays | null = null;

  /** Let each server do its part. One that fails without a word for users is named, as the whole group then ends. */
  async function each(part: (server: Server) => Promise<unknown>): Promise<void> {
    const parts = servers.map((server, i) =>
      part(server).catch((error: unknown) => {
        if (codeOf(error) !== null) throw error;
        throw new WorkerError(`server ${i + 1} of ${servers.length} failed: ${messageOf(error)}`, { cause: error });
      }),
    );
    await Promise.all(parts);
  }

  return {
    async adopt() {
      // What is written later is written to the same memory.
      if (kept) return;
      kept = await leader.share(Object.keys(stateSpecs(learner)));
      for (const { engine, own } of servers) {
        const names = Object.keys(stateSpecs(own));
        await engine.adopt(Object.fromEntries(names.map((name) => [name, kept?.[name] as NamedArrays[string]])));
      }
    },
    prepare: () => each(program),
    update: (sums, scalars, numBatches) =>
      each(async (server) => {
        const { params } = server.own.model;
        const all = underPrefix(stateNames.gradSum, sums);
        const grads = mapValues(params, (_, name) => all[name] as NamedArrays[string]);
        const buffers = server.hasBuffers
          ? withPrefix(stateNames.bufferSum, underPrefix(stateNames.bufferSum, sums))
          : {};
        const { run } = await program(server);
        await run({
          ...withPrefix(stateNames.gradSum, grads),
          ...buffers,
          [stateNames.lossSum]: sums[stateNames.lossSum] as NamedArrays[string],
          ...(server.hasBuffers && { numBatches: scalar(numBatches) }),
          ...scalars,
        });
      }),
    copyWeights(into) {
      const own = mapValues(weights, (_, name) => kept?.[name] as NamedArrays[string]);
      if (!into) return inSharedMemory(own);
      for (const [name, { data }] of Object.entries(own)) into[name]?.data.set(data as Float32Array<ArrayBuffer>);
      return into;
    },
    async close() {
      await Promise.all(servers.map(({ programs }) => programs.close()));
    },
  };
}
