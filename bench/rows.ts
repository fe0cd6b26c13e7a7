/**
 * What a training step costs by the size of an embedding table, with updates of the whole table and of touched rows:
 * Adagrad, 2,048 ids a batch, width 16, one linear layer behind it, one thread. `npm run bench:rows`, a minute on a quiet machine.
 */
import { binary } from "../src/nn/losses.js";
import { mlp } from "../src/nn/mlp.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import { adagrad } from "../src/optim/optimizers.js";
import { constantSchedule } from "../src/optim/schedules.js";
import { filled, float32, int32, type NamedArrays, scalar } from "../src/runtime/array.js";
import { mapValues, withPrefix } from "../src/runtime/named.js";
import { fold, rootKey, uniform } from "../src/runtime/random.js";
import { stateNames, stepGraph } from "../src/train/graphs.js";
import { sourceCommit, thisMachine } from "./machine.js";
import { median } from "./statistics.js";

const BATCH = 2048;
const WIDTH = 16;
const NUM_BATCHES = 20;
const NUM_STEPS = 100;
const sizes = [1_000, 10_000, 100_000, 1_000_000];

/** Milliseconds of each step after the first, whose ids follow no order and repeat as uniform ones do. */
async function stepTimes(numRows: number, sparseParams: readonly string[]): Promise<number[]> {
  const optimizer = adagrad(constantSchedule(0.01), { sparseParams });
  const model = mlp({ categorical: { id: { numIds: numRows, width: WIDTH } }, numeric: {}, hidden: [] });
  const engine = onnxRuntimeEngine({ threads: 1 });
  try {
    const program = await engine.compile(stepGraph({ model, objective: binary, optimizer }, 0));
    await engine.write({
      ...withPrefix(
        stateNames.params,
        mapValues(model.params, ({ shape }) => filled(shape, 0.05)),
      ),
      ...withPrefix(
        stateNames.optState,
        mapValues(optimizer.stateSpec(model.params), ({ shape, fill }) => filled(shape, fill)),
      ),
    });
    const scalars = mapValues(optimizer.scalars, (schedule) => scalar(schedule(0)));
    const batches = Array.from({ length: NUM_BATCHES }, (_, i) => ({ ...batch(numRows, i), ...scalars }));
    const times: number[] = [];
    for (let step = 0; step <= NUM_STEPS; step++) {
      const start = performance.now();
      await program.run(batches[step % NUM_BATCHES] as NamedArrays);
      times.push(performance.now() - start);
    }
    return times.slice(1);
  } finally {
    await engine.close();
  }
}

function batch(numRows: number, seed: number): NamedArrays {
  const draw = (what: string) => uniform(fold(fold(rootKey(seed), what), numRows), BATCH);
  return {
    "features.id": int32(Int32Array.from(draw("ids"), (u) => Math.floor(u * numRows))),
    labels: float32(draw("labels").map((u) => Number(u < 0.3))),
  };
}

const print = (line: string) => process.stdout.write(`${line}\n`);

const { cpu, cores, load } = thisMachine();
print(`commit ${sourceCommit()}, ${cpu}, ${cores} cores, load ${load.toFixed(2)}; ms a step, ${NUM_STEPS} steps`);
print("     rows   whole: least  median   touched: least  median   ratio of the least");
for (const numRows of sizes) {
  const whole = await stepTimes(numRows, []);
  const touched = await stepTimes(numRows, ["embeddings.*"]);
  const [w, t] = [Math.min(...whole), Math.min(...touched)];
  const cell = (value: number, width: number) => value.toFixed(2).padStart(width);
  print(
    `${String(numRows).padStart(9)}${cell(w, 15)}${cell(median(whole), 8)}${cell(t, 17)}${cell(median(touched), 8)}${cell(w / t, 21)}`,
  );
}
