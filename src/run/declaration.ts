/** The run declaration: what all groups of a run must share, created once in the store. */

import { sha256 } from "../checkpoint/digest.js";
import { decodeJson, encodeJson } from "../checkpoint/json.js";
import type { Store } from "../checkpoint/store.js";
import { type DataRegime, numSlots } from "../data/shard.js";
import { ConfigError } from "../errors.js";
import { forwardOnnx } from "../nn/forward-onnx.js";
import { algorithmOf } from "./algorithms.js";
import type { RunConfig } from "./schema.js";
import type { RunSpec } from "./specs.js";

/** The version of `run.json`. */
const DECLARATION_VERSION = 1;

const NAME = "run.json";
/**
 * Bytes that the store's declaration may have beyond four times this group's own, so that a difference can still be
 * named.
 */
const SPARE_BYTES = 1 << 20;

/**
 * What is fixed for the life of a run, including what the data declares. A group must match it, or stops with an error
 * that names the difference.
 */
export interface RunDeclaration extends Readonly<Record<string, unknown>> {
  readonly version: typeof DECLARATION_VERSION;
  readonly name: string;
  /** Digest of the data and of the query that makes the features. */
  readonly data: string;
  /** Slot s of `numSlots` belongs to group s modulo `numGroups`, unless the regime says otherwise. */
  readonly numGroups: number;
  readonly regime: DataRegime;
  /** Left out where the parts of groups are equally large. */
  readonly shares?: readonly number[];
  readonly numSlots: number;
  readonly model: RunConfig["model"];
  /** Digest of the forward graph: inputs, params and output. */
  readonly modelDigest: string;
  readonly seed: number;
  /** The kind of algorithm; the algorithm adds the options that groups must share. */
  readonly algorithm: RunConfig["algorithm"]["kind"];
}

/** The declaration that follows from a configuration and its data. */
export function declarationOf(
  config: RunConfig,
  { digest, declared }: Pick<RunSpec, "digest" | "declared">,
  modelDigest: string,
): RunDeclaration {
  return {
    version: DECLARATION_VERSION,
    name: config.name,
    data: digest,
    ...declared,
    numGroups: config.numGroups,
    regime: config.data.regime,
    ...(config.data.shares && { shares: config.data.shares }),
    ...("labelNoise" in config.data && config.data.labelNoise && { labelNoise: config.data.labelNoise }),
    numSlots,
    model: config.model,
    modelDigest,
    seed: config.seed,
    ...algorithmOf(config).declared,
  };
}

/** Whether a run is declared in a store, this one or another. */
export async function isDeclared(store: Store): Promise<boolean> {
  return (await store.list(NAME)).includes(NAME);
}

/**
 * Declare a run in its store, or check that the declaration there is this group's.
 *
 * Throws {@link ConfigError} that names what differs when it is another one, and {@link StoreError} when it is larger
 * than four times this group's declaration plus 1 MiB.
 */
export async function declareRun(store: Store, own: RunDeclaration): Promise<void> {
  const bytes = encodeJson(own, 1);
  if (await store.create(NAME, bytes)) return;
  const declared = decodeJson((await store.get(NAME, undefined, 4 * bytes.length + SPARE_BYTES)) ?? "");
  if (typeof declared !== "object" || declared === null) {
    throw new ConfigError(`${NAME} in the store is not a run declaration; start the run in an empty store`);
  }
  const declaredValue = (name: string): unknown => (declared as Readonly<Record<string, unknown>>)[name];
  const differing = Object.entries(own).filter(
    ([name, value]) => JSON.stringify(declaredValue(name)) !== JSON.stringify(value),
  );
  if (differing.length === 0) return;
  const lines = differing.map(([name, value]) => {
    const show = (what: unknown) => (JSON.stringify(what) ?? "nothing").slice(0, 60);
    return `${name}: the store declares ${show(declaredValue(name))}, this group has ${show(value)}`;
  });
  throw new ConfigError(
    `the groups of a run must share its declaration:\n  ${lines.join("\n  ")}\nUse the configuration of that run, or start another run in an empty store.`,
  );
}

/**
 * Declare the run in the store that all groups share, or check its declaration there; returns the digest of the forward
 * graph.
 *
 * Throws {@link ConfigError} when another run is declared there.
 */
export async function joinRun(config: RunConfig, spec: RunSpec, store: Store): Promise<string> {
  const modelDigest = await sha256(forwardOnnx(spec.learner.model));
  await declareRun(store, declarationOf(config, spec, modelDigest));
  return modelDigest;
}
