/** Measures what a tokenizer loses of texts: unknown tokens, and text that decoding does not restore. */
import { DataError } from "../../errors.js";
import { percent, shortened } from "../../report/format.js";
import type { Tokenizer } from "./tokenizer.js";

export interface LostText {
  /** Note a text and its tokens. */
  see(text: string, ids: ArrayLike<number>): void;
  /** Whether at most a thousandth of the texts is lost, so that bits per byte describe them. */
  isGivenBack(): boolean;
  /**
   * Throws {@link DataError} when so many tokens are unknown that a model would mostly learn to predict the unknown
   * token.
   */
  check(): void;
  notes(): string[];
}

/** The share of unknown tokens, and of a sample's bytes that decoding does not restore, that is negligible. */
const NEGLIGIBLE = 0.001;
const MOST_UNKNOWN = 0.2;
/** This many texts are all decoded; of later texts, ever fewer. */
const FIRST_TEXTS = 64;
const PASSAGE = 2000;
const MOST_PASSAGES = 8;

/** Start measuring; `of` names the texts, for example "validation". */
export function lostText(tokenizer: Tokenizer, of: string): LostText {
  const { unknown } = tokenizer;
  let [numTokens, numUnknown, numTexts, sampled, lost] = [0, 0, 0, 0, 0];
  let example: readonly [string, string] | null = null;

  const read = (passage: string, ids: ArrayLike<number>) => {
    const back = tokenizer.decode(Array.from(ids));
    const [size, missing, pair] = notGivenBack(passage, back);
    sampled += size;
    lost += missing;
    example ??= pair;
  };
  const unknownShare = () => (numTokens === 0 ? 0 : numUnknown / numTokens);
  const lostShare = () => (sampled === 0 ? 0 : lost / sampled);
  const isGivenBack = () => unknownShare() <= NEGLIGIBLE && lostShare() <= NEGLIGIBLE;

  return {
    see(text, ids) {
      numTokens += ids.length;
      if (unknown !== null) for (let i = 0; i < ids.length; i++) numUnknown += Number(ids[i] === unknown);
      // As many of texts 65 to 128 as of texts 129 to 256, and so on: every text, then every 2nd, every 4th ...
      const every = 2 ** Math.floor(Math.log2(numTexts / FIRST_TEXTS));
      if (numTexts++ >= FIRST_TEXTS && (numTexts - 1) % every !== 0) return;
      if (text.length <= 2 * PASSAGE) return read(text, ids);
      for (const passage of passagesOf(text)) read(passage, tokenizer.encode(passage));
    },
    isGivenBack,
    check() {
      if (unknownShare() <= MOST_UNKNOWN) return;
      throw new DataError(
        `text: at most ${percent(MOST_UNKNOWN)} of the tokens of a text may be unknown to its tokenizer, and of ${of} ${percent(unknownShare())} are. A model would learn to say just that, and bits per byte would be of nothing. Learn a tokenizer from this text (codistill tokenizer --data ...), or leave data.tokenizer out, for bytes.`,
      );
    },
    notes() {
      const figures = isGivenBack()
        ? "bits per byte leave that out of account"
        : "figures are of another text, without bits per byte";
      const [before, after] = (example ?? ["", ""]).map((text) => JSON.stringify(shortened(text, 40)));
      return [
        ...(numUnknown > 0
          ? [`${share(unknownShare())} of the tokens of ${of} stand for what the tokenizer does not know: ${figures}`]
          : []),
        ...(lost > 0
          ? [
              `the tokenizer does not give back ${share(lostShare())} of ${of}, by a sample (${before} becomes ${after}): ${figures}`,
            ]
          : []),
      ];
    },
  };
}

function share(value: number): string {
  return value < 0.0005 ? "less than 0.1 %" : percent(value);
}

/** Passages of a long text, spread evenly over it. */
function* passagesOf(text: string): Generator<string, void, void> {
  for (let i = 0; i < MOST_PASSAGES; i++) {
    let from = Math.floor(((text.length - PASSAGE) * i) / (MOST_PASSAGES - 1));
    let to = from + PASSAGE;
    // A pair of surrogates is one character.
    if (/[\uDC00-\uDFFF]/.test(text[from] ?? "")) from++;
    if (/[\uDC00-\uDFFF]/.test(text[to] ?? "")) to--;
    yield text.slice(from, to);
  }
}

/**
 * The bytes of a text, the bytes of its words and spaces that the decoded text lacks, and the first difference. A space
 * at the beginning does not count, since some tokenizers add or remove one there.
 */
function notGivenBack(text: string, back: string): readonly [number, number, readonly [string, string] | null] {
  const size = Buffer.byteLength(text);
  if (back === text || back === ` ${text}` || ` ${back}` === text) return [size, 0, null];
  const parts = (of: string) => of.match(/\s|\S+/gu) ?? [];
  const left = new Map<string, number>();
  const found = parts(back);
  for (const part of found) left.set(part, (left.get(part) ?? 0) + 1);
  let lost = 0;
  let first: readonly [string, string] | null = null;
  for (const [i, part] of parts(text).entries()) {
    const count = left.get(part) ?? 0;
    if (count > 0) left.set(part, count - 1);
    else {
      lost += Buffer.byteLength(part);
      first ??= [part, found[i] ?? ""];
    }
  }
  // A decoded text with all words in another order, or with further words, is not the same text either.
  return lost > 0
    ? [size, lost, first]
    : [size, Math.max(1, Buffer.byteLength(back) - size), [shortened(text, 20), shortened(back, 20)]];
}
