/** The text of tokens as they come, at a cost that does not grow with how many there were. */
import type { Tokenizer } from "./tokenizer.js";

export interface DecodeStream {
  /** The text that is certain with one token more. */
  push(token: number): string;
  /** What is left, however it ends. */
  end(): string;
}

/** Tokens after which text that may still change is taken for what it is: bytes that never become a character. */
const LONGEST_WAIT = 256;
/** A character has 4 bytes at most, and a token at least one. */
const WIDEST = 4;
/** Tokens before, in whose presence a tokenizer decodes the next ones; some treat the first of a text in their own way. */
const CONTEXT = 4;

/**
 * Decode what follows tokens that were read `before`. A token is decoded beside the few before it, and what they are is taken off;
 * a character whose bytes are not all there yet waits for them. All parts together are the text of all tokens at once.
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
