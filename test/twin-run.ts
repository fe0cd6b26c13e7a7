/** Our side of the comparison with PyTorch: the real two-group run, at the exchange steps that the twin states. */
import assert from "node:assert/strict";
import { memoryStore } from "../src/checkpoint/store.js";
import { codistill } from "../src/codistill/codistill.js";
import { storeExchange } from "../src/codistill/exchange.js";
import { teachersOf } from "../src/codistill/topology.js";
import type { ExchangeEvent } from "../src/log/events.js";
import { binary } from "../src/nn/losses.js";
import { mlp } from "../src/nn/mlp.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import type { NamedArrays } from "../src/runtime/array.js";
import type { Step } from "../src/train/algorithm.js";
import type { Learner } from "../src/train/graphs.js";
import { engineStudent } from "../src/train/student.js";
import { curvesRun, type OptimizerName, paramsKey, twinBatch, twinOptimizer } from "./golden/twin.js";

/** What a group went through, and where it ended. */
export interface GroupRun {
  readonly steps: readonly Step[];
  readonly params: NamedArrays;
}

/**
 * Two groups in lockstep: in each round a group steps and its exchange comes to rest before the other one's turn.
 *
 * Without that rest group 1 would look for snapshots while group 0 may still be writing the one of the same round, and
 * chance would decide which one teaches.
 */
export async function runInLockstep(name: OptimizerName): Promise<GroupRun[]> {
  const { network, numSteps, numGroups, burnInSteps, publishInterval, exchangeInterval, distillWeight } = curvesRun;
  const model = mlp(network);
  const learner: Learner = {
    model,
    objective: binary,
    optimizer: twinOptimizer(name, curvesRun.optimizers[name], numSteps),
  };
  const store = memoryStore();
  const events: ExchangeEvent[] = [];

  const groups = Array.from({ length: numGroups }, (_, group) => {
    const engine = onnxRuntimeEngine({ threads: 1 });
    const student = engineStudent({ engine, learner });
    const exchange = storeExchange({
      store,
      group,
      teachers: teachersOf("pairs", group, numGroups),
      model,
      burnInSteps,
      onEvent: (event) => events.push(event),
    });
    let drawn = 0;
    const stream = { next: () => twinBatch(curvesRun, group, drawn++) };
    const loop = codistill({
      student,
      stream,
      exchange,
      numSteps,
      burnInSteps,
      distillWeight: () => distillWeight,
      publishInterval,
      exchangeInterval,
    });
    return { group, engine, student, exchange, loop, steps: [] as Step[] };
  });

  for (const { group, student } of groups) await student.init(paramsKey(curvesRun, group));
  for (let round = 0; round < numSteps; round++) {
    for (const { loop, steps, exchange } of groups) {
      const { value } = await loop.next();
      steps.push(value as Step);
      await exchange.idle();
    }
  }
  const troubles = events.filter(({ event }) => event === "exchange-trouble");
  assert.deepEqual(troubles, []);

  const runs: GroupRun[] = [];
  for (const { steps, student, engine } of groups) {
    runs.push({ steps, params: await student.params() });
    await engine.close();
  }
  return runs;
}
