/**
 * Byte-pair encoding: which pairs of tokens to merge, learned from the frequencies of words (Sennrich, Haddow and Birch
 * 2016, "Neural Machine Translation of Rare Words with Subword Units", algorithm 1; on bytes: Radford et al. 2019,
 * section 2.2).
 */

/** Two tokens that are merged into one, by their ids: 0 to 255 are bytes, 256 + i is what merge i makes. */
export type Merge = readonly [left: number, right: number];

export interface BpeOptions {
  /** Merges to learn; fewer when no pair occurs twice any more. */
  readonly numMerges: number;
  /** Called now and then with the number of merges so far. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** Above every id, so that a pair of ids fits exactly into one number. */
const PAIR_BASE = 2 ** 24;
const NUM_BYTES = 256;
/** Longer words, such as runs of symbols or packed data, cost much and teach nothing. */
const LONGEST_WORD = 256;
/** A pair that occurs once is not worth a merge. */
const LEAST_COUNT = 2;
const PROGRESS_EVERY = 64;

/**
 * Learn merges from words and their counts. Each merge joins the pair of adjacent tokens that occurs most often, among
 * equals the one of the smallest ids: the same words, in any order, give the same merges.
 */
export function trainBpe(words: ReadonlyMap<string, number>, { numMerges, onProgress }: BpeOptions): Merge[] {
  const { tokens, starts, lengths, counts } = tokensOf(words);
  const pairs = new PairCounts();
  for (let word = 0; word < counts.length; word++) pairs.addWord(tokens, starts, lengths, counts, word);
  pairs.queueAll();
  const merges: Merge[] = [];
  while (merges.length < numMerges) {
    const pair = pairs.takeMostFrequent();
    if (pair === null) break;
    const made = NUM_BYTES + merges.length;
    const [left, right] = [Math.floor(pair / PAIR_BASE), pair % PAIR_BASE];
    merges.push([left, right]);
    for (const word of pairs.takeWords(pair)) {
      const start = starts[word] as number;
      const length = lengths[word] as number;
      if (!hasPair(tokens, start, length, left, right)) continue;
      const times = counts[word] as number;
      pairs.changeCounts(tokens, start, length, -times);
      lengths[word] = join(tokens, start, length, left, right, made);
      pairs.changeCounts(tokens, start, lengths[word] as number, times);
      pairs.noteWord(tokens, start, lengths[word] as number, word, made);
    }
    pairs.queueChanged();
    if (merges.length % PROGRESS_EVERY === 0) onProgress?.(merges.length);
  }
  return merges;
}

/** The bytes of every word, one after the other. */
function tokensOf(words: ReadonlyMap<string, number>) {
  const encoder = new TextEncoder();
  // Sorted, so that the result does not depend on the order of the words.
  const kept = [...words.keys()].sort().map((word) => ({ bytes: encoder.encode(word), count: words.get(word) ?? 0 }));
  const short = kept.filter(({ bytes }) => bytes.length > 1 && bytes.length <= LONGEST_WORD);
  const starts = new Int32Array(short.length);
  const lengths = new Int32Array(short.length);
  const tokens = new Int32Array(short.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const [word, { bytes }] of short.entries()) {
    starts[word] = at;
    lengths[word] = bytes.length;
    tokens.set(bytes, at);
    at += bytes.length;
  }
  return { tokens, starts, lengths, counts: Float64Array.from(short, ({ count }) => count) };
}

function hasPair(tokens: Int32Array, start: number, length: number, left: number, right: number): boolean {
  for (let i = start; i < start + length - 1; i++) if (tokens[i] === left && tokens[i + 1] === right) return true;
  return false;
}

/** Replace a pair in a word, from left to right; gives the new length. */
function join(tokens: Int32Array, start: number, length: number, left: number, right: number, made: number): number {
  let to = start;
  for (let from = start; from < start + length; ) {
    const isPair = tokens[from] === left && from + 1 < start + length && tokens[from + 1] === right;
    tokens[to++] = isPair ? made : (tokens[from] as number);
    from += isPair ? 2 : 1;
  }
  return to - start;
}

/** The count of each pair, the words that have it, and the most frequent pair. */
class PairCounts {
  readonly #counts = new Map<number, number>();
  readonly #words = new Map<number, number[]>();
  /** Pairs to queue again, because their counts grew. */
  readonly #changed = new Set<number>();
  readonly #queue = new PairQueue();

  addWord(tokens: Int32Array, starts: Int32Array, lengths: Int32Array, counts: Float64Array, word: number): void {
    const [start, length] = [starts[word] as number, lengths[word] as number];
    this.changeCounts(tokens, start, length, counts[word] as number);
    for (let i = start; i < start + length - 1; i++) this.#note(pairAt(tokens, i), word);
  }

  changeCounts(tokens: Int32Array, start: number, length: number, by: number): void {
    for (let i = start; i < start + length - 1; i++) {
      const pair = pairAt(tokens, i);
      this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + by);
    }
  }

  /** Note the pairs of a word that contain the new token `made`; its other pairs are noted already. */
  noteWord(tokens: Int32Array, start: number, length: number, word: number, made: number): void {
    for (let i = start; i < start + length - 1; i++) {
      if (tokens[i] !== made && tokens[i + 1] !== made) continue;
      const pair = pairAt(tokens, i);
      this.#note(pair, word);
      this.#changed.add(pair);
    }
  }

  #note(pair: number, word: number): void {
    const words = this.#words.get(pair);
    if (!words) this.#words.set(pair, [word]);
    else if (words.at(-1) !== word) words.push(word);
  }

  /** The words that have a pair, or had it once; they are then forgotten. */
  takeWords(pair: number): readonly number[] {
    const words = this.#words.get(pair) ?? [];
    this.#words.delete(pair);
    return words;
  }

  queueAll(): void {
    for (const [pair, count] of this.#counts) if (count >= LEAST_COUNT) this.#queue.push(pair, count);
  }

  queueChanged(): void {
    for (const pair of this.#changed) {
      const count = this.#counts.get(pair) ?? 0;
      if (count >= LEAST_COUNT) this.#queue.push(pair, count);
    }
    this.#changed.clear();
  }

  /** Take out the most frequent pair; null when none is frequent enough. */
  takeMostFrequent(): number | null {
    for (;;) {
      const top = this.#queue.pop();
      if (top === null) return null;
      const count = this.#counts.get(top.pair) ?? 0;
      // The queue is not told when a count falls.
      if (count !== top.count) {
        if (count >= LEAST_COUNT) this.#queue.push(top.pair, count);
        continue;
      }
      this.#counts.delete(top.pair);
      return top.pair;
    }
  }
}

function pairAt(tokens: Int32Array, i: number): number {
  return (tokens[i] as number) * PAIR_BASE + (tokens[i + 1] as number);
}

/** A binary heap: the highest count first, of equal ones the smallest pair. */
class PairQueue {
  readonly #pairs: number[] = [];
  readonly #counts: number[] = [];

  #isBefore(a: number, b: number): boolean {
    const [countA, countB] = [this.#counts[a] as number, this.#counts[b] as number];
    return countA > countB || (countA === countB && (this.#pairs[a] as number) < (this.#pairs[b] as number));
  }

  #swap(a: number, b: number): void {
    for (const list of [this.#pairs, this.#counts]) [list[a], list[b]] = [list[b] as number, list[a] as number];
  }

  push(pair: number, count: number): void {
    let at = this.#pairs.push(pair) - 1;
    this.#counts.push(count);
    for (let parent = (at - 1) >> 1; at > 0 && this.#isBefore(at, parent); parent = (at - 1) >> 1) {
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): { readonly pair: number; readonly count: number } | null {
    const [pair, count] = [this.#pairs[0], this.#counts[0]];
    if (pair === undefined || count === undefined) return null;
    this.#swap(0, this.#pairs.length - 1);
    this.#pairs.pop();
    this.#counts.pop();
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < this.#pairs.length && this.#isBefore(child, least)) least = child;
      if (least === at) return { pair, count };
      this.#swap(at, least);
      at = least;
    }
  }
}
