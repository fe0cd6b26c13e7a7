/** A configuration as a user writes it: what an editor shows of each option. The schema checks the same (`schema.ts`). */
import type { TableDataInput, TextDataInput } from "./data.js";
import type { MlpInput, TextModelInput } from "./model.js";
import type { OptimizerInput, StepsOrShare } from "./optimizer.js";
import type { LanguageTaskInput, TaskInput } from "./task.js";

/** A weight that changes in a straight line, which begins where burn-in ends, and then stays at its end. */
export interface WeightLineInput {
  /** Where it begins; 0 by default. */
  readonly from?: number | undefined;
  /** Where it ends. */
  readonly to: number;
  /** How long the line is. */
  readonly steps: StepsOrShare;
}

/** A number of steps that changes in such a line. */
export interface LineInput {
  /** Where it begins. */
  readonly from: number;
  /** Where it ends. */
  readonly to: number;
  /** How long the line is. */
  readonly steps: StepsOrShare;
}

/**
 * How groups teach one another (Anil et al. 2018); of one group none of it matters.
 *
 * @example
 * { burnInSteps: "20%", distillWeight: 1, exchangeInterval: 50 }
 */
export interface CodistillInput {
  /** Steps before teaching starts: a number, or a share of `numSteps`; "50%" by default: teachers should know something. */
  readonly burnInSteps?: StepsOrShare | undefined;
  /** Weight of the distillation loss: a number, or a line; 1 by default. */
  readonly distillWeight?: number | WeightLineInput | undefined;
  /** Logits are divided by it before teachers and student are compared; 1 by default. */
  readonly temperature?: number | undefined;
  /** "sum" (default): label loss + weight x distillation loss; "convex": (1 - weight) x label loss + weight x distillation loss. */
  readonly mix?: "sum" | "convex" | undefined;
  /** Steps between publishing a snapshot: a number, or a line; 50 by default. */
  readonly publishInterval?: number | LineInput | undefined;
  /** Steps between looking for fresher teachers, likewise; 50 by default. */
  readonly exchangeInterval?: number | LineInput | undefined;
  /** A teacher counts until it has been known for this many student steps; 1,000 by default. */
  readonly maxStaleness?: number | undefined;
  /** Who teaches whom: a name ("all" by default), `{ degree }` for that many random teachers each, or the list of each group's teachers. */
  readonly topology?:
    | "all"
    | "ring"
    | "pairs"
    | { readonly degree: number }
    | readonly (readonly number[])[]
    | undefined;
  /** Newest snapshots of its own that a group leaves in the store; 10 by default. */
  readonly keepSnapshots?: number | undefined;
}

/** What runs on a table and on text have alike. */
export interface CommonRunInput {
  /** Short name of lower-case letters, digits and dashes: the first part of the run folder's name. */
  readonly name: string;
  /** The rule by which params change, and its learning rate. */
  readonly optimizer: OptimizerInput;
  /** How groups teach one another; of one group none of it matters. */
  readonly codistill?: CodistillInput | undefined;
  /** Groups that train a copy of the model each; 2 by default, at most 64. */
  readonly numGroups?: number | undefined;
  /** Optimizer steps of each group. */
  readonly numSteps: number;
  /** Examples of one optimizer step of one group: rows, or texts of `data.sequenceLength` units side by side. */
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
  /** The text: its files, units and splits. */
  readonly data: TextDataInput;
  /** How what comes next is learned. */
  readonly task?: LanguageTaskInput | undefined;
  /** The network. */
  readonly model: TextModelInput;
}

/** A configuration: of a table, or of text. */
export type RunInput = TableRunInput | TextRunInput;
