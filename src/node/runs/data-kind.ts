/** The data of a run, prepared: what depends on whether it is a table or text, and the rest of a run does not look into. */

import type { Engine } from "../../engine/engine.js";
import type { RunResult, TrainEvent } from "../../log/events.js";
import type { RunConfig } from "../../run/schema.js";
import type { ScoredGroup } from "../../run/score.js";
import type { Work, Workload } from "../../run/workload.js";
import type { NamedArrays } from "../../runtime/array.js";

/** How much data there is, as the log says it. */
export type DataSizes = Pick<Extract<TrainEvent, { readonly event: "data-ready" }>, "rows" | "units">;

export interface PreparedData {
  readonly work: Work;
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

/** How data of one kind is prepared, and opened by the process of a group. */
export interface DataKind<Config extends RunConfig> {
  prepare(config: Config, options: PrepareOptions): Promise<PreparedData>;
  open(config: Config, cacheFolder: string, groupIndex: number): Promise<Workload>;
}
