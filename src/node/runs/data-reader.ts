/**
 * The interface of readers of a run's data, whether it is a table or text. The rest of a run does not look into the
 * data.
 */

import type { Engine } from "../../engine/engine.js";
import type { RunResult } from "../../log/events.js";
import type { Members, ModelsApart } from "../../run/apart.js";
import type { DataSizes } from "../../run/kinds/kind.js";
import type { RunConfig } from "../../run/schema.js";
import type { BestParams, ScoredGroup } from "../../run/score.js";
import type { GroupSpec, RunSpec } from "../../run/specs.js";
import type { NamedArrays } from "../../runtime/array.js";

export interface PreparedData {
  readonly spec: RunSpec;
  readonly sizes: DataSizes;
  /** Notes on the data for the user, in sentences. */
  readonly notes?: readonly string[];
  /** Whether the cache was there already. */
  readonly cached: boolean;
  /** The cache folder. */
  readonly folder: string;
  /** Throws {@link DataError} when a group's shard is too small for one batch, before any process is started. */
  checkShards(): void;
  /** Score the groups' best params, alone and together. Rejects with the signal's reason when the signal cancels it. */
  score(engine: Engine, groups: readonly ScoredGroup[], shippedGroup: number, signal: AbortSignal): Promise<RunResult>;
  /** How far models of this configuration are apart on the test split. Rejects as `score` does. */
  apart(engine: Engine, models: Members, signal: AbortSignal): Promise<ModelsApart>;
  /** Entries for the metadata of the shipped model that follow from its predictions of validation rows. */
  validated(engine: Engine, params: NamedArrays, signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** Entries for the metadata of a model about the data that it was trained on. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Files of the shipped model beside its weights, by name: `model.onnx`, and the files that it needs. */
  exported(best: BestParams, metadata: Readonly<Record<string, string>>): Readonly<Record<string, Uint8Array>>;
}

export interface PrepareOptions {
  readonly cacheFolder: string;
  readonly onProgress: (stage: string) => void;
  readonly signal: AbortSignal;
}

/** A description of what each group trains on, for programs and for users. */
export interface DescribedShards {
  /** Why shards that should be disjoint are not; null when they are, or need not be. */
  readonly report: { readonly problem: string | null };
  lines(): string[];
}

/** A reader of one kind of data. */
export interface DataReader<Config extends RunConfig> {
  prepare(config: Config, options: PrepareOptions): Promise<PreparedData>;
  /** Open what a group trains, in the group's process, from the folder of the prepared data. */
  open(config: Config, folder: string, groupIndex: number): Promise<GroupSpec>;
  /** Prepare the data, and describe the shards of it that the hash slots of each group make. */
  shards(config: Config, slots: readonly (readonly number[])[], cacheFolder: string): Promise<DescribedShards>;
  /** Throws when one of the kind's own files (`run/kinds/kind.ts`) is invalid. */
  checkOwnFile(name: string, path: string, config: Config): void;
}
