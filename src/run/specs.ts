/** What a run and its groups train, for any kind of data. */
import type { Cursor, Part, SkippingStream } from "../data/stream.js";
import type { Engine } from "../engine/engine.js";
import type { Metrics } from "../log/events.js";
import type { Key } from "../runtime/random.js";
import type { Learner } from "../train/graphs.js";
import type { Levels } from "./learning-watch.js";

/** What all groups of a run must have alike. */
export interface RunSpec {
  /** SHA-256 of the data's content and of what makes examples of it. */
  readonly digest: string;
  /** What else the run declaration says of the data, before it is sharded. */
  readonly declared: Readonly<Record<string, unknown>>;
  readonly learner: Learner;
}

/** What one group trains, and its batches. */
export interface GroupSpec extends RunSpec {
  /**
   * What the ids of names and tokens stand for, by the keys of a shipped model's metadata: weights whose metadata say otherwise have
   * other names in the same places.
   */
  readonly meaning?: Readonly<Record<string, string>>;
  /** Rows or documents of its shard. */
  readonly numExamples: number;
  /** The label losses of models that have learned nothing, where they are known. */
  readonly levels?: Levels;
  /**
   * Batches of its shard, from a cursor on, or a worker's part of them. Throws {@link DataError} when the shard is too
   * small for one batch.
   */
  stream(key: Key, cursor?: Cursor, part?: Part): SkippingStream;
  /** Compile the validation of the weights in the engine that would be shipped. */
  validator(engine: Engine): Promise<Validate>;
}

/** The loss by which checkpoints are chosen, the temperature of the probabilities where they have one, and metrics. */
export type Validated = { readonly loss: number; readonly temperature?: number } & Metrics;

/** Validate the weights that would be shipped. Rejects with the reason of the signal that cancels it. */
export type Validate = (signal: AbortSignal) => Promise<Validated>;
