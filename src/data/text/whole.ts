/** One pass over a whole text, for evaluation. */
import { int32, type NamedArrays } from "../../runtime/array.js";
import { idsName, labelsName } from "../batch.js";
import { type Corpus, type Joined, joined } from "./corpus.js";

/** The label of a place where nothing is predicted, after the end of the text. */
export const NO_LABEL = -1;

/** How many units of a corpus are predicted: all but the first. */
export function numPredicted({ starts }: Corpus): number {
  return Math.max(0, (starts.at(-1) ?? 0) - 1);
}

/** How a text lies in batches. */
export type TextLayout = "lanes" | "sequences";

type Pass = (corpus: Corpus, batchSize: number, times: number) => Generator<NamedArrays, void, void>;

/**
 * All documents, in their order, as one text, of which each unit but the first is the label of exactly one place; places that are
 * left over have the label {@link NO_LABEL}. In lanes, as `laneStream` gives them, each goes on from batch to batch, and knows
 * nothing of what is before its beginning. In sequences, as `sequenceStream` gives them, side by side in the text, each of
 * them knows nothing of what is before it.
 */
export const wholeText: { readonly [L in TextLayout]: Pass } = {
  *lanes(corpus, batchSize, times) {
    const text = whole(corpus);
    const laneLength = Math.ceil(numPredicted(corpus) / batchSize);
    for (let at = 0; at < laneLength; at += times) {
      const { ids, labels } = batchOf(text, batchSize, times, {
        startOf: (lane) => lane * laneLength + at,
        countOf: () => Math.min(times, laneLength - at),
        indexOf: (lane, time) => time * batchSize + lane,
      });
      yield { [idsName]: int32(ids, [times, batchSize]), [labelsName]: int32(labels) };
    }
  },
  *sequences(corpus, batchSize, times) {
    const text = whole(corpus);
    for (let at = 0; at < numPredicted(corpus); at += batchSize * times) {
      const { ids, labels } = batchOf(text, batchSize, times, {
        startOf: (row) => at + row * times,
        countOf: () => times,
        indexOf: (row, time) => row * times + time,
      });
      yield { [idsName]: int32(ids, [batchSize, times]), [labelsName]: int32(labels) };
    }
  },
};

/** Where the texts of a batch begin, how long they may be, and where their units go. */
interface Places {
  readonly startOf: (text: number) => number;
  readonly countOf: (text: number) => number;
  readonly indexOf: (text: number, time: number) => number;
}

const whole = (corpus: Corpus) =>
  joined(
    corpus,
    Uint32Array.from({ length: corpus.numDocuments }, (_, d) => d),
  );

function batchOf(text: Joined, batchSize: number, times: number, { startOf, countOf, indexOf }: Places) {
  const units = new Int32Array(times + 1);
  const ids = new Int32Array(times * batchSize);
  const labels = new Int32Array(times * batchSize).fill(NO_LABEL);
  for (let i = 0; i < batchSize; i++) {
    const count = Math.min(countOf(i), text.length - 1 - startOf(i));
    if (count <= 0) continue;
    text.read(startOf(i), count + 1, units, 0);
    for (let time = 0; time < count; time++) {
      ids[indexOf(i, time)] = units[time] as number;
      labels[indexOf(i, time)] = units[time + 1] as number;
    }
  }
  return { ids, labels };
}
