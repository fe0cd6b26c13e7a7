/** Decodes tokens one by one, at a cost that does not grow with the number of tokens before. */
import type { Tokenizer } from "./tokenizer.js";

export interface DecodeStream {
  /** Add a token; returns the text that is certain now. */
  push(token: number): string;
  /** The rest of the text, even if it ends in an incomplete character. */
  end(): string;
}

/**
 * The number of tokens after which text that could still change is taken as final: its bytes never become a character.
 */
const LONGEST_WAIT = 256;
/** The most tokens of a character: it has at most 4 bytes, and a token at least one. */
const WIDEST = 4;
/**
 * The number of earlier tokens that are decoded together with the next ones; some tokenizers treat the first token of a
 * text differently.
 */
const CONTEXT = 4;

/**
 * Decode tokens that follow the tokens `before`. A token is decoded together with a few before it, and their text is
 * removed; an incomplete character waits for its other bytes. All parts together are the text of all tokens decoded at
 * once.
 */
export function decodeStream(tokenizer: Pick<Tokenizer, "decode">, before: readonly number[] = []): DecodeStream {
  let tokens = before.slice(-CONTEXT);
  let given = tokenizer.decode(tokens).length;
  let sinceWhole = 0;
  const next = (certain: (text: string) => number) => {
    const text = tokenizer.decode(tokens);
    const upTo = Math.max(given, certain(text));
    const part = text.slice(given, upTo);
    given = upTo;
    return { part, isWhole: upTo === text.length };
  };
  const keep = (numTokens: number, numOpen: number) => {
    tokens = tokens.slice(-numTokens);
    given = Math.max(0, tokenizer.decode(tokens).length - numOpen);
    sinceWhole = 0;
  };
  return {
    push(token) {
      tokens.push(token);
      sinceWhole++;
      const waits = sinceWhole >= LONGEST_WAIT;
      const { part, isWhole } = next((text) =>
        waits ? text.length - (WIDEST - 1) : text.replace(/\uFFFD+$/, "").length,
      );
      if (isWhole) keep(Math.max(CONTEXT, sinceWhole), 0);
      else if (waits) keep(WIDEST + CONTEXT, WIDEST - 1);
      return part;
    },
    end: () => next((text) => text.length).part,
  };
}
