/** A configuration as a user writes it: what an editor shows of each option. The schema checks the same (`schema.ts`). */
import type { AlgorithmInput } from "../algorithms.js";
import type { TableDataInput, TextDataInput } from "./data.js";
import type { MlpInput, TextModelInput } from "./model.js";
import type { OptimizerInput } from "./optimizer.js";
import type { LanguageTaskInput, TaskInput } from "./task.js";

/** What runs on a table and on text have alike. */
export interface CommonRunInput {
  /** Short name of lower-case letters, digits and dashes: the first part of the run folder's name. */
  readonly name: string;
  /** The rule by which params change, and its learning rate. */
  readonly optimizer: OptimizerInput;
  /** How groups train; `{ kind: "codistill" }` by default: each also learns from the others. One group alone needs none of it. */
  readonly algorithm?: AlgorithmInput | undefined;
  /** Groups that train a copy of the model each; 2 by default, at most 64. */
  readonly numGroups?: number | undefined;
  /** Optimizer steps of each group. */
  readonly numSteps: number;
  /** Examples of one optimizer step of one group: rows, or texts of `data.sequenceLength` tokens side by side. */
  readonly globalBatchSize: number;
  /** Sub-batches that a step's examples are split into, to save memory; 1 by default. */
  readonly accumulate?: number | undefined;
  /** End a group's training after `patience` validations whose loss was not lower by more than `minDelta` (0 by default). */
  readonly earlyStopping?: { readonly patience: number; readonly minDelta?: number | undefined } | undefined;
  /**
   * Validate and ship a moving average of the params (Polyak averaging; decay 0.999 by default) instead of the last ones. The
   * other groups learn from the params themselves, as without it.
   */
  readonly ema?: { readonly decay?: number | undefined } | undefined;
  /**
   * Safetensors file whose params all groups begin from, as a run's model.safetensors; relative paths start at the
   * configuration file. Kept with the run as its path and SHA-256.
   */
  readonly init?: string | { readonly path: string; readonly sha256: string } | undefined;
  /** Initial params and data order follow from it; 1 by default. */
  readonly seed?: number | undefined;
  /** Steps between validations, 500 by default; the best checkpoint is chosen among them. */
  readonly validationInterval?: number | undefined;
  /** Steps between checkpoints; 500 by default. */
  readonly checkpointInterval?: number | undefined;
  /** Steps between step events in the log; 20 by default. */
  readonly logInterval?: number | undefined;
  /** Times that a group's process is started again, from its checkpoint, after it died; 3 by default. */
  readonly restarts?: number | undefined;
  /** Keep every snapshot that teaches, so that the run can be replayed to the same bits. */
  readonly record?: boolean | undefined;
  /** What every group trains on, "cpu" by default; see docs/devices.md. The test split is always scored on the CPU. */
  readonly device?: "cpu" | "webgpu" | "cuda" | undefined;
  /** Threads of each group; by default the machine's cores are shared out. */
  readonly threads?: number | undefined;
}

/**
 * A run on a table.
 *
 * @example
 * {
 *   name: "rides",
 *   data: {
 *     source: "rides/*.parquet",
 *     label: "minutes_late > 5",
 *     categorical: { zone: "zone" },
 *     numeric: { km: "km" },
 *     split: { kind: "rows" },
 *   },
 *   model: { kind: "mlp", hidden: [128, 64] },
 *   optimizer: { kind: "adam", learningRate: 1e-3 },
 *   numSteps: 3000,
 *   globalBatchSize: 256,
 * }
 */
export interface TableRunInput extends CommonRunInput {
  /** The table: its files, label and features, and how rows are split. */
  readonly data: TableDataInput;
  /** What the label is: "binary" (the default), "multiclass" or "regression", or one of these with options. */
  readonly task?: TaskInput | undefined;
  /** The network. */
  readonly model: MlpInput;
}

/**
 * A run on text.
 *
 * @example
 * {
 *   name: "books",
 *   data: { kind: "text", source: "books/*.txt" },
 *   model: { kind: "lstm", hidden: 256 },
 *   optimizer: { kind: "adam", learningRate: 3e-3, clip: { norm: 1 } },
 *   numSteps: 2000,
 *   globalBatchSize: 16,
 * }
 */
export interface TextRunInput extends CommonRunInput {
  /** The text: its files, tokens and splits. */
  readonly data: TextDataInput;
  /** How next-token prediction is learned. */
  readonly task?: LanguageTaskInput | undefined;
  /** The network. */
  readonly model: TextModelInput;
}

/** A configuration: of a table, or of text. */
export type RunInput = TableRunInput | TextRunInput;
