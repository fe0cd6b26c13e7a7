/** Joining a run: its declaration in the store is made, or adopted. */
import { sha256 } from "../checkpoint/digest.js";
import type { Store } from "../checkpoint/store.js";
import { forwardOnnx } from "../nn/forward-onnx.js";
import { declarationOf, declareRun } from "./declaration.js";
import type { RunConfig } from "./schema.js";
import type { Work } from "./workload.js";

/**
 * Declare the run in the store that all groups share, or adopt what is declared there; gives the digest of the forward graph.
 *
 * Throws {@link ConfigError} when another run is declared there.
 */
export async function joinRun(config: RunConfig, work: Work, store: Store): Promise<string> {
  const modelDigest = await sha256(forwardOnnx(work.learner.model));
  await declareRun(store, declarationOf(config, work, modelDigest));
  return modelDigest;
}
