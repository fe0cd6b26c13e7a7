/** One pass over a whole text, for evaluation. */
import { int32, type NamedArrays } from "../../runtime/array.js";
import { idsName, labelsName } from "../batch.js";
import { type Corpus, type Joined, joined } from "./corpus.js";

/** The label of a place where nothing is predicted, after the end of the text. */
export const NO_LABEL = -1;

/** How many tokens of a corpus are predicted: all but the first. */
export function numPredicted({ starts }: Corpus): number {
  return Math.max(0, (starts.at(-1) ?? 0) - 1);
}

/** How a text is laid out in batches. */
export type TextLayout = "lanes" | "sequences";

type Pass = (corpus: Corpus, batchSize: number, sequenceLength: number) => Generator<NamedArrays, void, void>;

/**
 * All documents, in order, as one text, of which each token but the first is the label of exactly one place; places
 * that are left over have the label {@link NO_LABEL}. Lanes, as of `laneStream`, continue from batch to batch; a lane
 * has no context from before its beginning. Sequences, as of `sequenceStream`, follow one another in the text; a
 * sequence has no context from before its beginning.
 */
export const wholeText: { readonly [L in TextLayout]: Pass } = {
  *lanes(corpus, batchSize, sequenceLength) {
    const text = whole(corpus);
    const laneLength = Math.ceil(numPredicted(corpus) / batchSize);
    for (let at = 0; at < laneLength; at += sequenceLength) {
      const { ids, labels } = batchOf(text, batchSize, sequenceLength, {
        startOf: (lane) => lane * laneLength + at,
        countOf: () => Math.min(sequenceLength, laneLength - at),
        indexOf: (lane, time) => time * batchSize + lane,
      });
      yield { [idsName]: int32(ids, [sequenceLength, batchSize]), [labelsName]: int32(labels) };
    }
  },
  *sequences(corpus, batchSize, sequenceLength) {
    const text = whole(corpus);
    for (let at = 0; at < numPredicted(corpus); at += batchSize * sequenceLength) {
      const { ids, labels } = batchOf(text, batchSize, sequenceLength, {
        startOf: (row) => at + row * sequenceLength,
        countOf: () => sequenceLength,
        indexOf: (row, time) => row * sequenceLength + time,
      });
      yield { [idsName]: int32(ids, [batchSize, sequenceLength]), [labelsName]: int32(labels) };
    }
  },
};

/** Where the texts of a batch begin, how long they may be, and where their tokens go. */
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

function batchOf(text: Joined, batchSize: number, sequenceLength: number, { startOf, countOf, indexOf }: Places) {
  const tokens = new Int32Array(sequenceLength + 1);
  const ids = new Int32Array(sequenceLength * batchSize);
  const labels = new Int32Array(sequenceLength * batchSize).fill(NO_LABEL);
  for (let i = 0; i < batchSize; i++) {
    const count = Math.min(countOf(i), text.length - 1 - startOf(i));
    if (count <= 0) continue;
    text.read(startOf(i), count + 1, tokens, 0);
    for (let time = 0; time < count; time++) {
      ids[indexOf(i, time)] = tokens[time] as number;
      labels[indexOf(i, time)] = tokens[time + 1] as number;
    }
  }
  return { ids, labels };
}
