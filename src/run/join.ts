/** Joining a run: its declaration in the store is made, or adopted. */
import { sha256 } from "../checkpoint/digest.js";
import type { Store } from "../checkpoint/store.js";
import type { Preprocessing } from "../data/table.js";
import { forwardOnnx } from "../nn/model.js";
import { declarationOf, declareRun } from "./declaration.js";
import { makeLearner } from "./learner.js";
import type { RunConfig } from "./schema.js";

/** What tells the data of a run from any other. */
export interface DataIdentity {
  readonly digest: string;
  readonly preprocessing: Preprocessing;
}

export interface JoinOptions {
  readonly config: RunConfig;
  readonly data: DataIdentity;
  /** What all groups share. */
  readonly store: Store;
}

/**
 * Build the learner, and declare the run in the store or adopt what is declared there.
 *
 * Throws {@link ConfigError} when another run is declared there.
 */
export async function joinRun({ config, data, store }: JoinOptions) {
  const learner = makeLearner(config, data.preprocessing);
  const modelDigest = await sha256(forwardOnnx(learner.model));
  await declareRun(store, declarationOf(config, data, modelDigest));
  return { learner, modelDigest };
}
