/** Documents as tokens, one after the other. */
import { DataError } from "../../errors.js";
import { lastAtMost } from "../search.js";

/** Documents, in memory or in a file. */
export interface Corpus {
  readonly numDocuments: number;
  /** Document d has the tokens from `starts[d]` up to, not including, `starts[d + 1]`: one entry more than documents. */
  readonly starts: Float64Array;
  /** Copy `count` tokens from the place `from` on into an array, from `at` on. */
  read(from: number, count: number, into: Int32Array, at: number): void;
}

/** Documents that are in memory. Throws {@link DataError} when they do not end where their tokens do. */
export function corpusOf(starts: Float64Array, tokens: Uint16Array | Uint32Array): Corpus {
  const ends = starts.at(-1);
  if (ends !== tokens.length || starts.some((start, d) => start > (starts[d + 1] ?? start))) {
    throw new DataError(`text: documents must end with their ${tokens.length} tokens, and end at ${ends}`);
  }
  return {
    numDocuments: starts.length - 1,
    starts,
    read(from, count, into, at) {
      into.set(tokens.subarray(from, from + count), at);
    },
  };
}

/** Some documents of a corpus in an order, as one text. */
export interface Joined {
  readonly length: number;
  /** Copy `count` tokens from the place `from` on into an array, from `at` on. */
  read(from: number, count: number, into: Int32Array, at: number): void;
}

/** Join documents, in the order given. */
export function joined({ starts, read }: Corpus, documents: Uint32Array): Joined {
  // Where each begins in the joined text, and where the last ends.
  const places = new Float64Array(documents.length + 1);
  for (const [i, d] of documents.entries())
    places[i + 1] = (places[i] as number) + (starts[d + 1] as number) - (starts[d] as number);

  return {
    length: places.at(-1) as number,
    read(from, count, into, at) {
      let left = count;
      let place = from;
      // Of several documents that begin at this place, only the last is not empty.
      for (let i = lastAtMost(places, documents.length, from); left > 0; i++) {
        const end = places[i + 1] as number;
        const taken = Math.min(left, end - place);
        read(
          (starts[documents[i] as number] as number) + place - (places[i] as number),
          taken,
          into,
          at + count - left,
        );
        left -= taken;
        place += taken;
      }
    },
  };
}
