/** Language models over a whole text: the loss of each, of their ensemble, and how far they are apart. */
import { labelsName } from "../data/batch.js";
import type { Corpus } from "../data/text/corpus.js";
import { NO_LABEL, type TextLayout, wholeText } from "../data/text/whole.js";
import type { Engine } from "../engine/engine.js";
import type { Graph } from "../graph/graph.js";
import {
  abs,
  add,
  argMax,
  div,
  equal,
  exp,
  input,
  logSoftmaxAt,
  mul,
  neg,
  reduceSum,
  sub,
  where,
} from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { safeLog } from "../nn/losses.js";
import { carry, inputTensors, type Model, stateTensors, weightTensors } from "../nn/model.js";
import { filled, type NamedArrays } from "../runtime/array.js";
import { mapValues, named, withPrefix } from "../runtime/named.js";
import { meanOverChunks } from "./chunked-loss.js";
import type { WeightPrefixes } from "./graphs.js";
import type { FixedNetwork } from "./learner.js";

/** The score of a model's predictions of every token. */
export interface TextScore {
  /** Mean of -log p of the next token, in nats. */
  readonly loss: number;
  /** Share of tokens that the model took for the most probable. */
  readonly accuracy: number;
}

export interface TextScores {
  readonly models: readonly TextScore[];
  /** The score of the mean of their probabilities; null for one model. */
  readonly ensemble: TextScore | null;
  /**
   * Half the sum over the vocabulary of the absolute difference between two models' probabilities, averaged over places
   * and pairs of models; null for one.
   */
  readonly disagreement: number | null;
  /**
   * Share of places at which two models differ in the most probable token, averaged over pairs of models; null for one.
   */
  readonly churn: number | null;
  /** Share of places at which two models both take the next token for the most probable, averaged likewise; null for one. */
  readonly bothRight: number | null;
  /** The mean of teachers that do not change; null without any. */
  readonly teachers: TaughtScore | null;
}

/** The score of the mean prediction of teachers, and what a model that they taught has of it. */
export interface TaughtScore {
  readonly score: TextScore;
  /** The score of the mean of model and teachers, each one half. */
  readonly together: TextScore;
  /** As `disagreement` and `churn`, between the model and the teachers' mean. */
  readonly distance: number;
  readonly churn: number;
}

/** Teachers whose mean is scored beside models: their networks, the prefixes of their weights and their shares of the mean. */
export interface ScoredTeachers {
  readonly networks: readonly (FixedNetwork & { readonly prefixes: WeightPrefixes })[];
  /** Which of the models is compared with them. */
  readonly against: number;
}

/**
 * Scores the weights that an engine keeps under the prefixes it was compiled with. Rejects with the reason of the
 * signal that cancels it.
 */
export type ScoreText = (corpus: Corpus, signal?: AbortSignal) => Promise<TextScores>;

/** The size of a batch, as the model has it. */
export interface TextBatch {
  readonly batchSize: number;
  readonly sequenceLength: number;
  /** How texts lie in a batch: lanes that go on from batch to batch, or sequences. */
  readonly layout: TextLayout;
}

/**
 * Compile the scoring of models side by side. Each has a state of its own that goes on from batch to batch, as in
 * training; a model without a state sees only the tokens before a token in its sequence.
 *
 * No tensor of size places x vocabulary leaves the engine.
 */
export async function textScorer(
  engine: Engine,
  model: Model,
  models: readonly WeightPrefixes[],
  { batchSize, sequenceLength, layout }: TextBatch,
  teachers?: ScoredTeachers,
): Promise<ScoreText> {
  const readers = [
    ...models.map((prefixes) => ({ model, prefixes })),
    ...(teachers?.networks ?? []).map(({ model: own, prefixes }) => ({ model: own, prefixes })),
  ];
  const program = await engine.compile(scoreGraph(model, readers, models.length, teachers));
  return async (corpus, signal) => {
    for (const [i, { model: own }] of readers.entries()) {
      const fresh = mapValues(own.state ?? {}, ({ shape, fill }) => filled(shape, fill));
      await engine.write(withPrefix(stateOf(i), fresh), { memory: "given" });
    }
    const sums: Record<string, number> = {};
    let count = 0;
    for (const batch of wholeText[layout](corpus, batchSize, sequenceLength)) {
      const outputs = await program.run(batch, { signal });
      for (const [name, { data }] of Object.entries(outputs)) sums[name] = (sums[name] ?? 0) + Number(data[0]);
      count += numLabels(batch);
    }
    const mean = (name: string) => (sums[name] ?? Number.NaN) / count;
    const score = (who: string | number) => ({ loss: mean(`${who}.loss`), accuracy: mean(`${who}.hits`) });
    const isSeveral = models.length > 1;
    return {
      models: models.map((_, i) => score(i)),
      ensemble: isSeveral ? score(ENSEMBLE) : null,
      disagreement: isSeveral ? mean(DISAGREEMENT) : null,
      churn: isSeveral ? mean(CHURN) : null,
      bothRight: isSeveral ? mean(BOTH_RIGHT) : null,
      teachers: teachers
        ? {
            score: score(TEACHERS),
            together: score(WITH_TEACHERS),
            distance: mean(`${TEACHERS}.${DISAGREEMENT}`),
            churn: mean(`${TEACHERS}.${CHURN}`),
          }
        : null,
    };
  };
}

function numLabels(batch: NamedArrays): number {
  return (named(batch, labelsName).data as Int32Array).reduce((sum, label) => sum + (label === NO_LABEL ? 0 : 1), 0);
}

const stateOf = (index: number) => `scored.${index}`;
const ENSEMBLE = "ensemble";
const DISAGREEMENT = "disagreement";
const CHURN = "churn";
const BOTH_RIGHT = "bothRight";
const TEACHERS = "teachers";
const WITH_TEACHERS = "withTeachers";

/** A network, and where its weights are. */
interface Reader {
  readonly model: Model;
  readonly prefixes: WeightPrefixes;
}

/** Sums over the places of a batch that have a label, chunk by chunk where the model computes its logits so. */
function scoreGraph(model: Model, readers: readonly Reader[], numModels: number, teachers?: ScoredTeachers): Graph {
  const inputs = inputTensors(model);
  const numRows = Object.values(model.inputs)[0]?.shape.reduce<number>((size, axis) => size * Number(axis), 1) ?? 0;
  const labels = input(labelsName, [numRows], "int32");
  const said = readers.map(({ model: own, prefixes: { params, buffers } }, i) => {
    const weights = { ...weightTensors(own, params, buffers), ...stateTensors(own, stateOf(i)) };
    return { weights, head: own.head, ...carry(own, weights, inputs) };
  });
  const sumsOf = (logits: readonly Tensor[], given: Tensor): Tensors => ({
    ...modelSums(logits.slice(0, numModels), given),
    ...(teachers && taughtSums(logits[teachers.against] as Tensor, logits.slice(numModels), given, teachers)),
  });
  const { head } = model;
  const outputs =
    head && head.numChunks > 1
      ? mapValues(meanOverChunks(head, said, labels, sumsOf), (mean) => mul(mean, head.numChunks))
      : sumsOf(
          said.map(({ logits }) => logits),
          labels,
        );
  return { outputs, updates: Object.assign({}, ...said.map(({ state }, i) => withPrefix(stateOf(i), state))) };
}

/** The places that have a label: their labels, and sums over them. */
function rowsOf(given: Tensor): Rows {
  const isPast = equal(given, NO_LABEL);
  const sum = (rows: Tensor) => reduceSum(where(isPast, 0, rows));
  return { labels: where(isPast, 0, given), sum, count: (condition) => sum(where(condition, 1, 0)) };
}

function predicted(logits: Tensor, labels: Tensor): Predicted {
  const { at, all } = logSoftmaxAt(logits, labels);
  return { at, probs: exp(all), decided: argMax(logits, 1) };
}

/** A model against the mean of its teachers. */
function taughtSums(model: Tensor, teachers: readonly Tensor[], given: Tensor, { networks }: ScoredTeachers): Tensors {
  const rows = rowsOf(given);
  const own = predicted(model, rows.labels);
  const shares = networks.map(({ share }) => share);
  const total = shares.reduce((sum, share) => sum + share, 0);
  const of = teachers.map((logits) => predicted(logits, rows.labels));
  const meanOf = (values: readonly Tensor[]) =>
    values.map((value, i) => mul(value, (shares[i] as number) / total)).reduce(add);
  const [at, probs] = [meanOf(of.map((one) => exp(one.at))), meanOf(of.map((one) => one.probs))];
  const decided = argMax(probs, 1);
  const scored = (name: string, ofLabel: Tensor, best: Tensor) => ({
    [`${name}.loss`]: rows.sum(neg(safeLog(ofLabel))),
    [`${name}.hits`]: rows.count(equal(best, rows.labels)),
  });
  return {
    ...scored(TEACHERS, at, decided),
    ...scored(WITH_TEACHERS, mul(0.5, add(at, exp(own.at))), argMax(add(probs, own.probs), 1)),
    [`${TEACHERS}.${DISAGREEMENT}`]: mul(0.5, rows.sum(reduceSum(abs(sub(probs, own.probs)), [1]))),
    [`${TEACHERS}.${CHURN}`]: rows.sum(where(equal(decided, own.decided), 0, 1)),
  };
}

function modelSums(logits: readonly Tensor[], given: Tensor): Tensors {
  const { labels, sum, count } = rowsOf(given);
  const of = logits.map((own) => predicted(own, labels));
  const outputs: Record<string, Tensor> = {};
  for (const [i, { at, decided }] of of.entries()) {
    outputs[`${i}.loss`] = sum(neg(at));
    outputs[`${i}.hits`] = count(equal(decided, labels));
  }
  return of.length > 1 ? { ...outputs, ...together(of, { labels, sum, count }) } : outputs;
}

interface Predicted {
  readonly at: Tensor;
  readonly probs: Tensor;
  readonly decided: Tensor;
}

interface Rows {
  readonly labels: Tensor;
  readonly sum: (rows: Tensor) => Tensor;
  readonly count: (condition: Tensor) => Tensor;
}

function together(of: readonly Predicted[], { labels, sum, count }: Rows): Tensors {
  const pairs = of.flatMap((a, i) => of.slice(i + 1).map((b) => [a, b] as const));
  const meanOf = (values: readonly Tensor[]) => div(values.reduce(add), values.length);
  const differs = ([a, b]: (typeof pairs)[number]) =>
    sub(count(equal(labels, labels)), count(equal(a.decided, b.decided)));
  const bothRight = ([a, b]: (typeof pairs)[number]) =>
    sum(where(equal(a.decided, labels), where(equal(b.decided, labels), 1, 0), 0));
  return {
    [`${ENSEMBLE}.loss`]: sum(neg(safeLog(meanOf(of.map(({ at }) => exp(at)))))),
    [`${ENSEMBLE}.hits`]: count(equal(argMax(meanOf(of.map(({ probs }) => probs)), 1), labels)),
    [DISAGREEMENT]: meanOf(pairs.map(([a, b]) => mul(0.5, sum(reduceSum(abs(sub(a.probs, b.probs)), [1]))))),
    [CHURN]: meanOf(pairs.map(differs)),
    [BOTH_RIGHT]: meanOf(pairs.map(bothRight)),
  };
}
