/** Batches of text without end: the label of every token is the next token. */
import { ConfigError, DataError } from "../../errors.js";
import { int32, type NamedArrays } from "../../runtime/array.js";
import { fold, type Key, permutation } from "../../runtime/random.js";
import { idsName, labelsName } from "../batch.js";
import { type Cursor, type Part, type ReadyStream, rangeOf } from "../stream.js";
import { type Corpus, type Joined, joined } from "./corpus.js";

export interface TextStreamOptions {
  readonly corpus: Corpus;
  /** The documents to read: one group's shard. */
  readonly documents: Uint32Array;
  /** Texts in a batch, of all pieces and parts together. */
  readonly batchSize: number;
  /** Equal pieces in which a batch is given, one after the other; 1 by default. */
  readonly pieces?: number | undefined;
  /** Tokens of each text in one batch. */
  readonly sequenceLength: number;
  /** The worker whose texts of each piece are given: worker k of n has the k-th of n equal parts. All by default. */
  readonly part?: Part | undefined;
  /** The seed of the order of documents; every epoch has its own child key. */
  readonly key: Key;
  /** Where to go on; its position counts batches of the epoch. The start of epoch 0 by default. */
  readonly cursor?: Cursor | undefined;
}

/** An epoch's text, and the places in it at which the texts of a batch begin. */
interface Epoch {
  readonly text: Joined;
  readonly placesOf: (batch: number) => Float64Array;
}

/**
 * For models that carry a state: `ids` [sequenceLength, batch] and `labels` [sequenceLength x batch]. The documents of
 * an epoch, in a seeded order, are one text that is cut into as many lanes as a batch has texts. Each lane continues
 * where it was in the batch before: truncated back-propagation through time (Williams and Peng 1990). Where an epoch
 * begins, all lanes jump, as they do between documents. The rest at the end of each lane, fewer than `sequenceLength`
 * tokens, is other text in every epoch.
 *
 * Throws {@link DataError} when there is too little text for one batch, and {@link ConfigError} for sizes that are not
 * positive whole numbers, or parts that are not equal.
 */
export function laneStream(options: TextStreamOptions): ReadyStream {
  const { batchSize, sequenceLength } = options;
  const laneLength = (length: number) => Math.floor(length / batchSize);
  return stream(options, {
    least: batchSize * (sequenceLength + 1),
    numBatches: (length) => Math.floor((laneLength(length) - 1) / sequenceLength),
    placesOf: (length) => (batch) =>
      Float64Array.from({ length: batchSize }, (_, lane) => lane * laneLength(length) + batch * sequenceLength),
    arrange: (ids, labels) => ({
      [idsName]: int32(ids, [sequenceLength, ids.length / sequenceLength]),
      [labelsName]: int32(labels),
    }),
    indexOf: (lane, time, numTexts) => time * numTexts + lane,
  });
}

/**
 * For models without a state: `ids` [batch, sequenceLength] and `labels` [batch x sequenceLength]. The same text is cut
 * into sequences of `sequenceLength` tokens, in which documents follow one another; the sequences come in a seeded
 * order of their own.
 *
 * Throws what {@link laneStream} throws.
 */
export function sequenceStream(options: TextStreamOptions): ReadyStream {
  const { batchSize, sequenceLength, key } = options;
  const numSequences = (length: number) => Math.floor((length - 1) / sequenceLength);
  return stream(options, {
    least: batchSize * sequenceLength + 1,
    numBatches: (length) => Math.floor(numSequences(length) / batchSize),
    placesOf: (length, epoch) => {
      const order = permutation(fold(fold(key, "sequences"), epoch), numSequences(length));
      return (batch) =>
        Float64Array.from({ length: batchSize }, (_, i) => (order[batch * batchSize + i] as number) * sequenceLength);
    },
    arrange: (ids, labels) => ({
      [idsName]: int32(ids, [ids.length / sequenceLength, sequenceLength]),
      [labelsName]: int32(labels),
    }),
    indexOf: (row, time) => row * sequenceLength + time,
  });
}

/** How a text becomes batches. */
interface Cut {
  /** Tokens that a batch needs. */
  readonly least: number;
  readonly numBatches: (length: number) => number;
  readonly placesOf: (length: number, epoch: number) => Epoch["placesOf"];
  readonly arrange: (ids: Int32Array, labels: Int32Array) => NamedArrays;
  /** The index of a text's token at a time, in a part of `numTexts` texts. */
  readonly indexOf: (text: number, time: number, numTexts: number) => number;
}

function stream(options: TextStreamOptions, cut: Cut): ReadyStream {
  const { corpus, documents, batchSize, pieces = 1, sequenceLength, key, cursor = { epoch: 0, position: 0 } } = options;
  for (const [name, size] of Object.entries({ batchSize, pieces, sequenceLength })) {
    if (!Number.isInteger(size) || size < 1)
      throw new ConfigError(`text: ${name} is a positive whole number, got ${size}`);
  }
  const { end: pieceSize } = rangeOf(batchSize, { index: 0, count: pieces });
  const { start, end } = rangeOf(pieceSize, options.part);
  const numTexts = end - start;
  const { length } = joined(corpus, documents);
  const numBatches = cut.numBatches(length);
  if (numBatches < 1) {
    throw new DataError(
      `text: a batch of ${batchSize} texts of ${sequenceLength} tokens needs ${cut.least}, and this shard has ${length}. Lower the batch size or the length, use fewer groups, or add text.`,
    );
  }
  checkCursor(cursor, numBatches, pieces);
  let { epoch, position, piece = 0 } = cursor;
  // Made again from the key on resume, and not before it is needed.
  let current: Epoch | null = null;

  function epochNow(): Epoch {
    const order = permutation(fold(key, epoch), documents.length);
    const text = joined(
      corpus,
      order.map((i) => documents[i] as number),
    );
    return { text, placesOf: cut.placesOf(length, epoch) };
  }

  function skip(): void {
    piece = (piece + 1) % pieces;
    if (piece === 0) position += 1;
    if (position < numBatches) return;
    epoch += 1;
    position = 0;
    current = null;
  }

  return {
    next() {
      current ??= epochNow();
      const { text, placesOf } = current;
      const [ids, labels] = [new Int32Array(numTexts * sequenceLength), new Int32Array(numTexts * sequenceLength)];
      const tokens = new Int32Array(sequenceLength + 1);
      const first = piece * pieceSize;
      for (const [i, place] of placesOf(position)
        .subarray(first + start, first + end)
        .entries()) {
        text.read(place, sequenceLength + 1, tokens, 0);
        for (let time = 0; time < sequenceLength; time++) {
          const at = cut.indexOf(i, time, numTexts);
          ids[at] = tokens[time] as number;
          labels[at] = tokens[time + 1] as number;
        }
      }
      skip();
      return cut.arrange(ids, labels);
    },
    skip,
    goTo(to) {
      checkCursor(to, numBatches, pieces);
      if (to.epoch !== epoch) current = null;
      ({ epoch, position, piece = 0 } = to);
    },
    get cursor() {
      return { epoch, position, ...(piece > 0 && { piece }) };
    },
    numRows: numBatches * batchSize,
  };
}

function checkCursor({ epoch, position, piece = 0 }: Cursor, numBatches: number, pieces: number): void {
  const isCount = (value: number) => Number.isInteger(value) && value >= 0;
  if (isCount(epoch) && isCount(position) && position < numBatches && isCount(piece) && piece < pieces) return;
  throw new DataError(
    `text: a cursor lies inside its epoch of ${numBatches} batches, got epoch ${epoch}, position ${position}. It belongs to other text or to another number of groups; resume with the same ones.`,
  );
}
