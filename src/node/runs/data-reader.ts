/** What reads the data of a run: all that depends on whether it is a table or text, and the rest of a run does not look into. */

import type { Engine } from "../../engine/engine.js";
import type { RunResult } from "../../log/events.js";
import type { DataSizes } from "../../run/kinds/kind.js";
import type { RunConfig } from "../../run/schema.js";
import type { ScoredGroup } from "../../run/score.js";
import type { GroupSpec, RunSpec } from "../../run/specs.js";
import type { NamedArrays } from "../../runtime/array.js";

export interface PreparedData {
  readonly spec: RunSpec;
  readonly sizes: DataSizes;
  /** What the user should know of it, in sentences. */
  readonly notes?: readonly string[];
  /** Whether the cache was there already. */
  readonly cached: boolean;
  /** The cache folder. */
  readonly folder: string;
  /** Throws {@link DataError} when a group's shard is too small for one batch, before any process is started. */
  checkShards(): void;
  /** Score the groups' best params, alone and together. Rejects with the signal's reason when that cancels it. */
  score(engine: Engine, groups: readonly ScoredGroup[], shippedGroup: number, signal: AbortSignal): Promise<RunResult>;
  /** What the metadata of a model says of the data that it was trained on. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Files of the shipped model beside its weights, by name: `model.onnx`, and what it needs. */
  exported(params: NamedArrays, metadata: Readonly<Record<string, string>>): Readonly<Record<string, Uint8Array>>;
}

export interface PrepareOptions {
  readonly cacheFolder: string;
  readonly onProgress: (stage: string) => void;
  readonly signal: AbortSignal;
}

/** What each group trains on, for programs and for people. */
export interface DescribedShards {
  /** Why shards that should be disjoint are not; null when they are, or need not be. */
  readonly report: { readonly problem: string | null };
  lines(): string[];
}

/** What reads data of one kind. */
export interface DataReader<Config extends RunConfig> {
  prepare(config: Config, options: PrepareOptions): Promise<PreparedData>;
  /** What a group trains, opened by its process, on data that is prepared in a folder. */
  open(config: Config, folder: string, groupIndex: number): Promise<GroupSpec>;
  /** Prepare the data, and describe the shards that some hash slots for each group make of it. */
  shards(config: Config, slots: readonly (readonly number[])[], cacheFolder: string): Promise<DescribedShards>;
  /** Throws when one of the kind's own files (`run/kinds/kind.ts`) is not what it should be. */
  checkOwnFile(name: string, path: string): void;
}
