/**
 * Yardsticks for a model of a table: a model that has learned something is better than one constant answer for every
 * row, and better than the best single feature, predicted by a histogram over its values.
 */

import { featureName, labelsName, weightsName } from "../data/batch.js";
import type { Column, Rows } from "../data/records.js";
import { lastAtMost } from "../data/search.js";
import type { Preprocessing } from "../data/table.js";
import type { RunResult, Yardstick } from "../log/events.js";
import type { Predictions } from "../train/evaluate.js";
import { LEAST_PROB } from "../train/metrics.js";
import type { Task } from "../train/task.js";
import { chanceOf, gainOver, isBeyond } from "./gains.js";
import { asTestMetrics, breath } from "./score.js";
import { remarksOnTable, rivalRemarks, teacherRemarks } from "./table-remarks.js";
import { classWeightsOf } from "./task.js";
import type { TaskConfig } from "./task-schema.js";

export interface YardstickTable {
  readonly preprocessing: Preprocessing;
  readonly train: Rows;
  readonly validation: Rows;
  readonly test: Rows;
}

/**
 * The most rows of the training and validation splits that are read, spread over each split, and the most words of
 * these rows.
 */
const MOST_ROWS = 200_000;
const MOST_WORDS = 8_000_000;
/** Rows of the test split that are read at once. */
const CHUNK_ROWS = 8192;
/** Bins of a numeric feature, and the fewest training rows of a bin. */
const NUMBER_PARTS = 64;
const ROWS_PER_PART = 20;
/** The most answers of one feature; where there would be more, the rarest names share one. */
const MOST_ANSWERS = 1 << 20;
/** The most features that are compared with the best one: those that come next. */
const MOST_RIVALS = 20;
/** Each part also counts this many rows with the mean label of all rows, so that no answer is certain. */
const PRIOR_ROWS = 2;

/**
 * Scores on the test split of two predictions: the mean of all training labels, and the mean of the training labels of
 * rows with about the same value of one feature, the one with the least loss on the validation split. There is no such
 * feature where the gain over the constant, row by row, is within {@link chanceOf} all features; and features that are
 * no worse than the best one within chance are its rivals. For classes the mean is their shares (weighted as the loss is), for numbers it is taken in the scale in which they are learned. Rows count
 * by their weights, where they have some.
 */
export async function tableYardsticks(
  table: YardstickTable,
  task: Task,
  config: TaskConfig,
  signal?: AbortSignal,
): Promise<Yardstick[]> {
  const { preprocessing } = table;
  const labels = labelsOf(preprocessing, task, config);
  const [seen, tried] = [sampleOf(table.train), sampleOf(table.validation)];
  const constant = answersBy(onePart, seen, labels);
  const most = Math.max(2, Math.floor(MOST_ANSWERS / labels.width));
  const features: (() => Parts)[] = [
    ...Object.entries(preprocessing.vocabularies).map(
      ([name, { length }]) =>
        () =>
          namesOf(name, Math.min(most, length + 1)),
    ),
    ...Object.keys(preprocessing.numeric).map((name) => () => rangesOf(name, seen)),
  ];
  const weights = weightsOf(tried, labels);
  const ofConstant = lossesBy(constant, tried, labels);
  const answersOf = (partsOf: () => Parts) => answersBy(partsOf(), seen, labels, constant.values);
  let found: { readonly partsOf: () => Parts; readonly gain: number }[] = [];
  for (const partsOf of features) {
    const { value: gain } = gainOver(ofConstant, lossesBy(answersOf(partsOf), tried, labels), weights);
    if (gain > 0) found.push({ partsOf, gain });
    await breath(signal);
  }
  found = found.sort((a, b) => b.gain - a.gain).slice(0, 1 + MOST_RIVALS);
  const [first, ...next] = found.map(({ partsOf }) => answersOf(partsOf));
  const scored = (answers: Answers, rivals: readonly string[] = []) => ({
    name: nameOf(answers.parts, task),
    ...(rivals.length > 0 && { rivals }),
    ...asTestMetrics(task.measure(predictionsBy(answers, table.test, labels))),
  });
  if (first === undefined) return [scored(constant)];
  const losses = lossesBy(first, tried, labels);
  if (!isBeyond(gainOver(ofConstant, losses, weights), chanceOf(features.length))) return [scored(constant)];
  const rivals = next.filter(
    (other) => !isBeyond(gainOver(lossesBy(other, tried, labels), losses, weights), chanceOf(next.length)),
  );
  return [
    scored(constant),
    scored(
      first,
      rivals.flatMap(({ parts: { feature } }) => feature ?? []),
    ),
  ];
}

function nameOf({ feature }: Parts, { kind }: Task): string {
  if (feature !== null) return `${feature} alone`;
  return kind === "regression" ? "mean of the labels" : "shares of the classes";
}

/** A result with the yardsticks, and the remarks that follow for its shipped model. */
export async function besideYardsticks(
  result: RunResult,
  ...beside: Parameters<typeof tableYardsticks>
): Promise<RunResult> {
  const yardsticks = await tableYardsticks(...beside);
  const shipped = result.groups.find(({ group }) => group === result.shippedGroup);
  const [{ validation }] = beside;
  const remarks = shipped
    ? [
        ...remarksOnTable(shipped, result.lossName ?? "loss", yardsticks),
        ...teacherRemarks(result, yardsticks),
        ...rivalRemarks(yardsticks, validation.numRows),
      ]
    : [];
  return { ...result, yardsticks, ...(remarks.length > 0 && { remarks }) };
}

/**
 * How labels are added up: a class adds 1 at its own place, a number adds itself in the scale in which it is learned.
 */
interface Labels {
  /**
   * Numbers of an answer: the share of each class, or a single number. Of two classes a model predicts the second
   * alone.
   */
  readonly width: number;
  readonly numOutputs: number;
  readonly isNumber: boolean;
  readonly weightOf: (label: number) => number;
  /** From a label of the table to the scale in which it is learned, and back. */
  readonly learned: (label: number) => number;
  readonly unlearned: (value: number) => number;
}

function labelsOf({ labels }: Preprocessing, { kind, numOutputs }: Task, config: TaskConfig): Labels {
  const isNumber = kind === "regression";
  const unit = labels?.kind === "numbers" ? labels.logUnit : undefined;
  const weights = classWeightsOf(config, labels);
  return {
    width: isNumber ? 1 : Math.max(2, numOutputs),
    numOutputs,
    isNumber,
    weightOf: (label) => weights?.[label] ?? 1,
    learned: (label) => (unit === undefined ? label : Math.log1p(label / unit)),
    unlearned: (value) => (unit === undefined ? value : unit * Math.expm1(value)),
  };
}

/** Some rows of a split, with access to their columns. */
interface Records {
  readonly numRows: number;
  readonly column: (name: string) => (row: number) => number;
  /** The weight of a row; 1 where rows have none. */
  readonly weight: (row: number) => number;
}

function recordsOf({ layout: { columns }, read }: Rows, indices: Uint32Array): Records {
  const words = read(indices);
  const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
  const column = (name: string) => {
    const at = columns.findIndex((column) => column.name === name);
    const values = columns[at]?.dtype === "int32" ? words : floats;
    return (row: number) => values[row * columns.length + at] as number;
  };
  return { numRows: indices.length, column, weight: hasWeights(columns) ? column(weightsName) : () => 1 };
}

function hasWeights(columns: readonly Column[]): boolean {
  return columns.some(({ name }) => name === weightsName);
}

/** Records of rows from all over a split. */
function sampleOf(rows: Rows): Records {
  const most = Math.min(rows.numRows, MOST_ROWS, Math.ceil(MOST_WORDS / rows.layout.columns.length));
  return recordsOf(
    rows,
    Uint32Array.from({ length: most }, (_, i) => Math.floor((i * rows.numRows) / most)),
  );
}

/** Rows divided by the value of a feature; without a feature all rows are one part. */
interface Parts {
  readonly feature: string | null;
  readonly count: number;
  readonly of: (records: Records) => (row: number) => number;
}

const onePart: Parts = { feature: null, count: 1, of: () => () => 0 };

/** A categorical feature divided by the ids of its names; part 0 holds missing, unseen and the rarest names. */
function namesOf(feature: string, count: number): Parts {
  return {
    feature,
    count,
    of(records) {
      const id = records.column(featureName(feature));
      return (row) => (id(row) < count ? id(row) : 0);
    },
  };
}

/** A numeric feature divided at quantiles of `seen`; part 0 holds missing values. */
function rangesOf(feature: string, seen: Records): Parts {
  const column = seen.column(featureName(feature));
  const values = Float64Array.from({ length: seen.numRows }, (_, row) => column(row)).filter((x) => !Number.isNaN(x));
  values.sort();
  const wanted = Math.min(NUMBER_PARTS, Math.floor(values.length / ROWS_PER_PART));
  const quantiles = Array.from(
    { length: wanted },
    (_, i) => values[Math.floor((i * values.length) / wanted)] as number,
  );
  const starts = quantiles.filter((start, i) => start !== quantiles[i - 1]);
  return {
    feature,
    count: Math.max(1, starts.length) + 1,
    of(records) {
      const value = records.column(featureName(feature));
      return (row) => (Number.isNaN(value(row)) ? 0 : 1 + lastAtMost(starts, starts.length, value(row)));
    },
  };
}

/** The prediction for every part: `width` numbers each. */
interface Answers {
  readonly parts: Parts;
  readonly values: Float64Array;
}

/** The mean label of each part, with {@link PRIOR_ROWS} rows of the `prior` added where it is given. */
function answersBy(parts: Parts, seen: Records, labels: Labels, prior?: Float64Array): Answers {
  const { width, isNumber, weightOf, learned } = labels;
  const [part, label] = [parts.of(seen), seen.column(labelsName)];
  const weights = new Float64Array(parts.count).fill(prior ? PRIOR_ROWS : 0);
  const values = new Float64Array(parts.count * width).map((_, i) => PRIOR_ROWS * (prior?.[i % width] ?? 0));
  for (let row = 0; row < seen.numRows; row++) {
    const [own, at] = [label(row), part(row)];
    const weight = seen.weight(row) * weightOf(own);
    weights[at]! += weight;
    values[at * width + (isNumber ? 0 : own)]! += weight * (isNumber ? learned(own) : 1);
  }
  return { parts, values: values.map((sum, i) => sum / (weights[Math.floor(i / width)] as number)) };
}

/** The loss of answers in each row: the negative log likelihood of classes, the squared error of numbers as they are learned. */
function lossesBy({ parts, values }: Answers, rows: Records, { width, isNumber, learned }: Labels): Float64Array {
  const [part, label] = [parts.of(rows), rows.column(labelsName)];
  return Float64Array.from({ length: rows.numRows }, (_, row) => {
    const own = label(row);
    const value = values[part(row) * width + (isNumber ? 0 : own)] as number;
    return isNumber ? (learned(own) - value) ** 2 : -Math.log(Math.max(LEAST_PROB, value));
  });
}

/** The weight of each row in a mean of losses. */
function weightsOf(rows: Records, { weightOf }: Labels): Float64Array {
  const label = rows.column(labelsName);
  return Float64Array.from({ length: rows.numRows }, (_, row) => rows.weight(row) * weightOf(label(row)));
}

/** Answers as the predictions of a model: of two classes the probability of the second, of numbers in their own unit. */
function predictionsBy({ parts, values }: Answers, test: Rows, { width, numOutputs, ...of }: Labels): Predictions {
  const probs = new Float64Array(test.numRows * numOutputs);
  const labels = new Float64Array(test.numRows);
  const weights = hasWeights(test.layout.columns) ? new Float64Array(test.numRows) : undefined;
  for (let from = 0; from < test.numRows; from += CHUNK_ROWS) {
    const indices = Uint32Array.from({ length: Math.min(CHUNK_ROWS, test.numRows - from) }, (_, i) => from + i);
    const rows = recordsOf(test, indices);
    const [part, label] = [parts.of(rows), rows.column(labelsName)];
    for (const row of indices.keys()) {
      labels[from + row] = label(row);
      if (weights) weights[from + row] = rows.weight(row);
      const first = (part(row) + 1) * width - numOutputs;
      for (let i = 0; i < numOutputs; i++) {
        const value = values[first + i] as number;
        probs[(from + row) * numOutputs + i] = of.isNumber ? of.unlearned(value) : value;
      }
    }
  }
  return { probs, labels, weights };
}
