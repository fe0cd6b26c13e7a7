/** An n-gram model of tokens with hashed counts: a baseline for language models. */

/** Slots of a table of counts. */
const MOST_SLOTS = 2 ** 25;

interface Level {
  /** Times that a context was followed by a token. */
  readonly counts: Uint32Array;
  /** Times that a context was followed by any token. */
  readonly totals: Uint32Array;
  /** How many different tokens followed a context. */
  readonly kinds: Uint32Array;
}

/** Tokens of a document, each from 0 up. */
export type Tokens = ArrayLike<number>;

/**
 * Probabilities of tokens given the `order` tokens before them, smoothed after Witten and Bell:
 * p_k(c | s) = (n(s c) + t(s) p_{k-1}(c | s')) / (n(s) + t(s)), with n the counts, t the number of different tokens
 * that followed s, s' the context without its oldest token, and p_{-1} = 1 / vocabulary. Counts lie in hash tables
 * without regard to collisions.
 */
export class Ngram {
  private readonly levels: readonly Level[];
  private readonly hashes: Uint32Array;

  private readonly order: number;
  private readonly vocabulary: number;

  constructor(order: number, numTrainingTokens: number, vocabulary = 256) {
    this.order = order;
    this.vocabulary = vocabulary;
    let slots = 1 << 16;
    while (slots < 4 * numTrainingTokens && slots < MOST_SLOTS) slots *= 2;
    this.levels = Array.from({ length: order + 1 }, () => ({
      counts: new Uint32Array(slots),
      totals: new Uint32Array(slots / 2),
      kinds: new Uint32Array(slots / 2),
    }));
    this.hashes = new Uint32Array(order + 1);
  }

  /** Count a document. */
  add(document: Tokens): void {
    for (let at = 0; at < document.length; at++) {
      const longest = this.hash(document, at);
      for (let k = 0; k <= longest; k++) {
        const { counts, totals, kinds } = this.levels[k] as Level;
        const context = this.hashes[k] as number;
        const pair = mix(context, document[at] as number) & (counts.length - 1);
        const slot = context & (totals.length - 1);
        if (counts[pair] === 0) kinds[slot] = (kinds[slot] as number) + 1;
        counts[pair] = (counts[pair] as number) + 1;
        totals[slot] = (totals[slot] as number) + 1;
      }
    }
  }

  /** Add the bits that encoding a document takes to `bits[k]`, with contexts of at most k tokens. */
  addBits(document: Tokens, bits: Float64Array): void {
    for (let at = 0; at < document.length; at++) {
      const longest = this.hash(document, at);
      let chance = 1 / this.vocabulary;
      for (let k = 0; k <= this.order; k++) {
        if (k <= longest) chance = this.chance(k, document[at] as number, chance);
        bits[k] = (bits[k] as number) - Math.log2(chance);
      }
    }
  }

  private chance(k: number, token: number, lower: number): number {
    const { counts, totals, kinds } = this.levels[k] as Level;
    const context = this.hashes[k] as number;
    const slot = context & (totals.length - 1);
    const total = totals[slot] as number;
    if (total === 0) return lower;
    // After a hash collision a context may have a count of 0 here.
    const kind = Math.max(kinds[slot] as number, 1);
    // Two pairs in one slot must not count more than their context.
    const count = Math.min(counts[mix(context, token) & (counts.length - 1)] as number, total);
    return (count + kind * lower) / (total + kind);
  }

  /** Hash the contexts of 0, 1, ... tokens before a place; returns the length of the longest one. */
  private hash(document: Tokens, at: number): number {
    const longest = Math.min(this.order, at);
    this.hashes[0] = 0x9e3779b9;
    for (let k = 1; k <= longest; k++) this.hashes[k] = mix(this.hashes[k - 1] as number, document[at - k] as number);
    return longest;
  }
}

function mix(hash: number, token: number): number {
  let mixed = Math.imul(hash ^ (token + 1), 0x85ebca6b);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
