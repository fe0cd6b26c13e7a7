/**
 * A configuration as a user writes it, with the words that an editor shows of each option. Schemas in `run/` check it.
 */
import type { AlgorithmInput } from "../algorithms.js";
import type { TableDataInput, TextDataInput } from "./data.js";
import type { ImageDataInput } from "./images.js";
import type { ImageModelInput, TableModelInput, TextModelInput } from "./model.js";
import type { OptimizerInput } from "./optimizer.js";
import type { ImageTaskInput, LanguageTaskInput, TaskInput } from "./task.js";

/** Options of every run, whatever its data is. */
export interface CommonRunInput {
  /** Name of at most 64 lower-case letters, digits and dashes; the run folder's name begins with it. */
  readonly name: string;
  /** The rule by which params change, and its learning rate. */
  readonly optimizer: OptimizerInput;
  /**
   * How groups train: by default `{ kind: "codistill" }`, in which each group also learns from the others. A single
   * group trains plainly.
   */
  readonly algorithm?: AlgorithmInput | undefined;
  /** How many groups train, each a copy of the model of its own; 2 by default, at most 64. */
  readonly numGroups?: number | undefined;
  /** How many optimizer steps each group takes. */
  readonly numSteps: number;
  /** Examples of one optimizer step of one group: rows, images, or texts of `data.sequenceLength` tokens side by side. */
  readonly globalBatchSize: number;
  /** How many sub-batches the examples of a step are split into, to save memory; 1 by default. */
  readonly accumulate?: number | undefined;
  /**
   * Workers of each group that share every step: each takes its part of the examples on a thread of its own, and the sum of their
   * gradients makes the step, which is the same for any number of workers. They divide the group's `threads`. 1 by default.
   */
  readonly workers?: number | undefined;
  /**
   * End a group's training after `patience` validations in a row whose loss was not lower than the lowest so far by
   * more than `minDelta` (0 by default).
   */
  readonly earlyStopping?: { readonly patience: number; readonly minDelta?: number | undefined } | undefined;
  /** End a group's training at the first validation whose loss is at most this. */
  readonly stopAtLoss?: number | undefined;
  /**
   * The most seconds that a group trains, from when it begins to put itself together. It then validates, saves and ends as
   * finished, though it has not taken all steps. No limit by default.
   */
  readonly timeLimit?: number | undefined;
  /**
   * Log the squared norms of the gradients of a step and of its parts, from which the gradient noise scale follows: a step must have two
   * parts or more, by `accumulate` or `workers`. False by default.
   */
  readonly noiseScale?: boolean | undefined;
  /**
   * Validate and ship a moving average of the params (Polyak averaging; decay 0.999 by default) instead of the params
   * of the last step. The other groups learn from the params themselves all the same.
   */
  readonly ema?: { readonly decay?: number | undefined } | undefined;
  /**
   * Safetensors file with the initial params of all groups, such as a run's model.safetensors; relative paths start at
   * the configuration file. The run records its path and SHA-256. Of images it may be of a network with other classes, or
   * partly another one, as `{ path, fit: "transfer" }`: params of the same name and shape begin as in the file, and others as without it.
   */
  readonly init?:
    | string
    | {
        readonly path: string;
        readonly sha256?: string | undefined;
        readonly fit?: "whole" | "transfer" | undefined;
      }
    | undefined;
  /** Seed of the initial params, of the data order and of dropout; 1 by default. */
  readonly seed?: number | undefined;
  /** Steps between validations, of which the best one chooses the checkpoint that is shipped; 500 by default. */
  readonly validationInterval?: number | undefined;
  /** Steps between checkpoints; 500 by default. */
  readonly checkpointInterval?: number | undefined;
  /** Steps between step events in the log; 20 by default. */
  readonly logInterval?: number | undefined;
  /** How many times a group's process that died is started again from its checkpoint; 3 by default. */
  readonly restarts?: number | undefined;
  /**
   * Whether to keep every snapshot that teaches, so that the run can be replayed to the same bits; false by default.
   */
  readonly record?: boolean | undefined;
  /**
   * The device that every group trains on; "cpu" by default, see docs/devices.md. The test split is always scored on
   * the CPU.
   */
  readonly device?: "cpu" | "webgpu" | "cuda" | undefined;
  /** Threads of each group; by default the machine's cores are divided among the groups. */
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
  readonly model: TableModelInput;
  /**
   * Teachers that do not change, beside the groups that teach one another: what they predict for each row is computed once, when the
   * data is prepared, and the student learns from their mean. None by default, at most 8.
   */
  readonly teachers?: readonly TeacherInput[];
  /**
   * How much of the label loss the teachers make: with w, it is (1 - w) times the loss on labels and w times the distillation loss
   * against the teachers' mean. 0.5 by default.
   */
  readonly teacherWeight?: number;
}

/**
 * A teacher that does not change: a model that a run wrote, of the same label, which may have any network and read other columns of
 * the files; an ONNX model of another program; or the predictions of any model as columns of the table.
 *
 * @example
 * { model: "yesterday/model.onnx" }
 * @example
 * { model: "boosted.onnx", inputs: { float_input: ["km", "hour(start)"] }, output: "probabilities" }
 * @example
 * { column: "p_lightgbm", weight: 2 }
 */
export type TeacherInput =
  | {
      /**
       * The model.onnx of a run, or the run's folder; or with `inputs` the ONNX model of another program. The run keeps a copy of it.
       * Relative paths start at the configuration file.
       */
      readonly model: string;
      /** Of a model of another program, each input to the SQL of its value in a row, or to one for each of its values. */
      readonly inputs?: Readonly<Record<string, string | readonly string[]>>;
      /** Of a model of another program, the tensor that predicts; its one output of numbers by default. */
      readonly output?: string;
      /** Of a model of another program, the classes in the order of its probabilities; of two the negative and the positive one. */
      readonly classes?: readonly string[];
      /** How much it counts in the mean of the teachers; 1 by default. */
      readonly weight?: number | undefined;
    }
  | {
      /** The probability of the positive label, or the number in the label's unit, as SQL over a row. */
      readonly column: string;
      /** How much it counts in the mean of the teachers; 1 by default. */
      readonly weight?: number | undefined;
    }
  | {
      /** The probability of each class, by its name, as SQL over a row. */
      readonly columns: Readonly<Record<string, string>>;
      /** How much it counts in the mean of the teachers; 1 by default. */
      readonly weight?: number | undefined;
    };

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
  /** Options of next-token prediction: label smoothing and the distillation loss. */
  readonly task?: LanguageTaskInput | undefined;
  /** The network. */
  readonly model: TextModelInput;
  /**
   * Teachers that do not change, beside the groups that teach one another: they read the batches of the student, which learns from
   * their mean. None by default, at most 8.
   */
  readonly teachers?: readonly TextTeacherInput[];
  /**
   * How much of the label loss the teachers make: with w, it is (1 - w) times the loss on labels and w times the distillation loss
   * against the teachers' mean. 0.5 by default.
   */
  readonly teacherWeight?: number;
  /**
   * "float32" (default), or "int8": these teachers multiply in whole numbers of 8 bits, as those of groups do with the option of this
   * name of an algorithm.
   */
  readonly teacherPrecision?: "float32" | "int8";
}

/**
 * A teacher of a run on text that does not change: a finished run on any text by the same tokenizer, whose network may have another
 * width, depth and style. The run keeps a copy of its weights. Paths start at the configuration file.
 *
 * @example
 * { run: "runs/books-2026-01-31T12-00-00", group: "all" }
 */
export type TextTeacherInput =
  | {
      /** The folder of a finished run. */
      readonly run: string;
      /** Which group's best params, or those of all, which count as one teacher; by default the model that the run shipped. */
      readonly group?: number | "all" | undefined;
      /** How much it counts in the mean of the teachers; 1 by default. */
      readonly weight?: number | undefined;
    }
  | {
      /** The model.safetensors of a run, beside the run's config.json. */
      readonly model: string;
      /** How much it counts in the mean of the teachers; 1 by default. */
      readonly weight?: number | undefined;
    }
  | {
      /** Any safetensors file with the params of `network`; a run keeps its teachers so. */
      readonly weights: string;
      /** That of the file, which must be it. */
      readonly sha256?: string | undefined;
      /** The network, with the options of `model`. */
      readonly network: TextModelInput;
      /** "bytes", or the SHA-256 of the tokenizer.json, which must be the student's. */
      readonly tokenizer?: string | undefined;
      /** Whether the file or its run says this network; noted when the configuration is loaded. */
      readonly isNetworkSaid?: boolean | undefined;
      /** How much it counts in the mean of the teachers; 1 by default. */
      readonly weight?: number | undefined;
    };

/**
 * A run on images.
 *
 * @example
 * {
 *   name: "leaves",
 *   data: { kind: "images", source: "leaves", size: 64, augment: { flip: true, padCrop: 4 } },
 *   model: { kind: "cnn" },
 *   optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0.9, schedule: "cosine" },
 *   numSteps: 2000,
 *   globalBatchSize: 64,
 * }
 */
export interface ImageRunInput extends CommonRunInput {
  /** The images: where they lie, their size, how they are changed and split. */
  readonly data: ImageDataInput;
  /** Options of the classes: their weights, label smoothing, the distillation loss, the temperature. */
  readonly task?: ImageTaskInput | undefined;
  /** The network. */
  readonly model: ImageModelInput;
}

/** A configuration: of a table, of text, or of images. */
export type RunInput = TableRunInput | TextRunInput | ImageRunInput;
