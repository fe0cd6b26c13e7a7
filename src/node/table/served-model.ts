/** Opens an exported model of a table, which ONNX Runtime alone computes, as in any other program. */
import { z } from "zod";
import { problemsOf } from "../../checkpoint/fields.js";
import { binaryClasses } from "../../data/table.js";
import { CheckpointError, ConfigError } from "../../errors.js";
import { encodeModel, type ModelProto } from "../../graph/onnx-proto.js";
import type { TaskKind } from "../../log/events.js";
import { type Reading, readingSchema } from "../../reading/reading.js";
import { type Closable, closable } from "../../runtime/closable.js";
import { type ServedInput, servedInputSchema } from "../../serving/expression.js";
import { type FeatureValues, type SeenFeature, seenFeatureSchema } from "../../serving/seen.js";
import type { Errors } from "../../train/intervals.js";
import type { Floats } from "../../train/metrics.js";
import { binaryTask, multiclassTask, outputNames, regressionTask, type Task } from "../../train/task.js";
import { Tensor } from "../ort/library.js";
import {
  checkModelFile,
  checkNames,
  jsonText,
  MODEL_FORMAT,
  type ModelFile,
  openSession,
  readModelFile,
} from "../ort/model-file.js";
import type { ValueColumns } from "../sources/duckdb.js";
import { featureValues, withFeatures } from "./served-features.js";

/** The outputs of a model for rows. */
export interface Served {
  /** Its predictions: [rows], or [rows, classes]. */
  readonly predicted: Floats;
  /** The values of a feature, which the network read. */
  readonly valuesOf: (feature: string) => FeatureValues | undefined;
}

export interface ServedModel extends Closable {
  readonly name: string;
  /** The label as SQL over a row of the training data. */
  readonly label: string;
  /** The weight of a row as SQL over a row of the training data; null where rows counted alike. */
  readonly weight: string | null;
  readonly task: Task;
  /** Names of the classes, for a binary task the negative and then the positive one; null for a regression model. */
  readonly classes: readonly string[] | null;
  /**
   * Whether the labels are yes and no in any form that DuckDB reads as booleans, and not two values with names of their
   * own.
   */
  readonly isPlainBinary: boolean;
  readonly inputs: readonly ServedInput[];
  /** The names of the columns of files without a header, as training read them; null where they had one. */
  readonly columns: readonly string[] | null;
  /** Whether its predictions are float64, for numbers that float32 cannot tell apart. */
  readonly isDouble: boolean;
  /** How training read the text of its files. */
  readonly reading: Reading;
  /** What training saw of its features. */
  readonly seen: readonly SeenFeature[];
  /** Of a model of numbers, its errors on validation rows; null of others, and of models that do not say them. */
  readonly errors: Errors | null;
  /** Predict rows, given as a column for each input, with numbers and times as numbers. */
  predict(columns: ValueColumns): Promise<Served>;
}

const texts = jsonText.pipe(z.array(z.string()));

const errorsSchema = z
  .object({
    count: z.number().int().nonnegative(),
    ranks: z.array(z.number().int().positive()).max(10_000),
    values: z.array(z.number()).max(10_000),
  })
  .refine(
    ({ count, ranks, values }) =>
      ranks.length === values.length &&
      ranks.every((rank, i) => rank <= count && rank > (ranks[i - 1] ?? 0)) &&
      values.every((value, i) => i === 0 || value >= (values[i - 1] as number)),
    "must be ranks up to the count and values, as many of both, in ascending order",
  );

const metadataSchema = z.object({
  format: z.literal(MODEL_FORMAT),
  version: z.string(),
  name: z.string(),
  label: z.string(),
  weight: z.string().optional(),
  inputs: jsonText.pipe(z.array(servedInputSchema)),
  task: z.enum(["binary", "multiclass", "regression"] as const satisfies TaskKind[]).default("binary"),
  classes: texts.optional(),
  negative: z.string().optional(),
  positive: z.string().optional(),
  columns: texts.optional(),
  reading: jsonText.pipe(readingSchema),
  seen: jsonText.pipe(z.array(seenFeatureSchema)).optional(),
  validationErrors: jsonText.pipe(errorsSchema).optional(),
  labelMean: z.coerce.number().optional(),
  labelStd: z.coerce.number().optional(),
  labelCenter: z.string().optional(),
  labelLogUnit: z.coerce.number().positive().optional(),
});

/** What a model's file says of the model. */
export interface DescribedModel extends Omit<ServedModel, "predict" | keyof Closable> {
  /** The name of its output. */
  readonly output: string;
}

/**
 * Describe a model by its file. Throws {@link ConfigError} for a model of text or images, and {@link CheckpointError} when it is
 * damaged, or not a model of codistill.
 */
export async function describedModel(file: ModelFile): Promise<DescribedModel> {
  const metadata = await readMetadata(file);
  const { name, label, inputs, seen = [], ...rest } = metadata;
  const classes = classesOf(metadata);
  const task = taskOf({ ...rest, classes });
  const output = outputNames[task.kind];
  checkNames(file, { inputs: inputs.map((one) => one.name), outputs: [output] });
  return {
    name,
    label,
    weight: rest.weight ?? null,
    task,
    classes,
    isPlainBinary: rest.task === "binary" && rest.positive === undefined,
    inputs,
    columns: rest.columns ?? null,
    isDouble: rest.labelCenter !== undefined,
    reading: rest.reading,
    seen,
    errors: (task.errorScale && rest.validationErrors) ?? null,
    output,
  };
}

/**
 * Open a model that a run exported. Throws {@link ConfigError} when there is no such file, or its model is of text or images, and
 * {@link CheckpointError} when it is not an ONNX model, or not a model of codistill.
 */
export async function openModel(path: string, threads: number): Promise<ServedModel> {
  const file = readModelFile(path);
  const { output, ...described } = await describedModel(file);
  const { task, classes, inputs, seen, isDouble } = described;
  const session = await openSession(file, { intraOpNumThreads: threads }, withOwn(seen));
  const width = task.kind === "multiclass" ? (classes?.length ?? 0) : 1;
  const model: Omit<ServedModel, keyof Closable> = {
    ...described,
    async predict(columns) {
      const numRows = columns[0]?.length ?? 0;
      const feeds = Object.fromEntries(
        inputs.map((input, i) => {
          const column = columns[i] ?? [];
          const type = Array.isArray(column) ? "string" : "float64";
          return [input.name, new Tensor(type, column as string[], [numRows])];
        }),
      );
      const outputs = await session.run(feeds);
      const predicted = outputs[output];
      const values = predicted?.data;
      const isOfType = isDouble ? values instanceof Float64Array : values instanceof Float32Array;
      if (values && isOfType && values.length === numRows * width)
        return { predicted: values as Floats, valuesOf: featureValues(outputs, seen) };
      throw new CheckpointError(
        `${path} must give ${width} ${isDouble ? "float64" : "float32"} for each row as ${output}, and gave ${predicted?.type}[${predicted?.dims}] for ${numRows}. Give the model.onnx of a run as it was written.`,
      );
    },
  };
  return closable(model, () => session.release());
}

/**
 * Check that a file says of itself that it is a model that a run on a table exported; no digest is checked, and nothing runs. Throws
 * what {@link openModel} throws.
 */
export function checkServedModel(path: string): void {
  parsedMetadata(readModelFile(path));
}

/** What a session runs in place of a model's file, so that it gives its features too; undefined where it has none. */
export function withOwn(seen: readonly SeenFeature[]): ((model: ModelProto) => Uint8Array) | undefined {
  return seen.length > 0 ? (model) => encodeModel(withFeatures(model, seen)) : undefined;
}

async function readMetadata(file: ModelFile): Promise<Metadata> {
  await checkModelFile(file);
  return parsedMetadata(file);
}

function parsedMetadata({ path, metadata }: ModelFile): Metadata {
  const parsed = metadataSchema.safeParse(metadata);
  if (parsed.success) return parsed.data;
  if (metadata.task === "language") {
    throw new ConfigError(
      `${path} is a language model, which reads no table. Continue a text by codistill sample ${path}, or score it on text by codistill evaluate`,
    );
  }
  if (metadata.data === "images") {
    throw new ConfigError(
      `${path} is a model of images, which reads no table. List what it predicts by codistill predict ${path} <images or folders>, or score it by codistill evaluate; churn, ensembles and the teachers of tables are for models of tables.`,
    );
  }
  const isOurs = metadata.format === MODEL_FORMAT;
  throw new CheckpointError(
    isOurs
      ? `the metadata of ${path} do not say what this codistill needs; a model of another version, or changed since: ${problemsOf(parsed.error)}. Train, or finish its run, again.`
      : `${path} is not a model of codistill: it has no metadata of ours. Give the model.onnx of a run; as a teacher in a configuration, a model of another program needs inputs that say what it reads.`,
  );
}

type Metadata = z.output<typeof metadataSchema>;

function classesOf({
  task,
  classes = [],
  negative = binaryClasses[0],
  positive = binaryClasses[1],
}: Metadata): readonly string[] | null {
  if (task === "regression") return null;
  return task === "multiclass" ? classes : [negative ?? "", positive ?? ""];
}

function taskOf({
  task,
  classes,
  labelMean = 0,
  labelStd = 1,
  labelLogUnit: logUnit,
}: Pick<Metadata, "task" | "labelMean" | "labelStd" | "labelLogUnit"> & {
  readonly classes: readonly string[] | null;
}): Task {
  if (task === "binary") return binaryTask();
  if (task === "multiclass") return multiclassTask({ classes: classes ?? [] });
  return regressionTask({
    mean: labelMean,
    std: labelStd,
    ...(logUnit !== undefined && { logUnit }),
  });
}
