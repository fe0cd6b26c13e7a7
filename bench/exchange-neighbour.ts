/** The second group of `exchange-cost.ts`, a process of its own: publishes a snapshot whenever it is told a step. */
import { sha256 } from "../src/checkpoint/digest.js";
import { publishSnapshot } from "../src/checkpoint/snapshot.js";
import { forwardOnnx } from "../src/nn/forward-onnx.js";
import { initWeights } from "../src/nn/model.js";
import { directoryStore } from "../src/node/stores/directory-store.js";
import { rootKey } from "../src/runtime/random.js";
import { learnerOf, sizeNamed } from "./exchange-sizes.js";

const [root = "", size = ""] = process.argv.slice(2);
const { model } = learnerOf(sizeNamed(size));
const store = directoryStore(root);
const digest = await sha256(forwardOnnx(model));
const params = initWeights(model, rootKey(2));

process.on("message", async (step: number) => {
  for (const { data } of Object.values(params)) data[0] = 1e-3 * step;
  const { name } = await publishSnapshot(store, { group: 1, step, incarnation: 1, model: digest, params });
  for (const old of await store.list("groups/1/snapshots/")) if (old !== name) await store.remove(old);
  process.send?.(step);
});
process.send?.("ready");
