/** Which token of a tokenizer ends a text. */
import { ConfigError } from "../../errors.js";
import { nearest } from "../../nearest.js";
import type { TokenizerJson } from "./tokenizer-file.js";

/** Names of tokens that end a text, and after them of those that end a turn or a part; the first that a tokenizer has is taken. */
const ENDS = [
  "<|endoftext|>",
  "<|end_of_text|>",
  "</s>",
  "<eos>",
  "<|eos|>",
  "[EOS]",
  "<EOS>",
  "<\uFF5Cend\u2581of\u2581sentence\uFF5C>",
  "<end_of_text>",
  "<|eot_id|>",
  "<|eot|>",
  "<|im_end|>",
  "<|end|>",
  "<end_of_turn>",
  "[SEP]",
];

/** Ids of the added tokens that may end a text, the likeliest first. */
export function endCandidates({ added_tokens: added }: Pick<TokenizerJson, "added_tokens">): readonly number[] {
  return ENDS.flatMap((name) => added.filter(({ content }) => content === name).map(({ id }) => id));
}

/**
 * The id of the end-of-text token; null for none. Throws {@link ConfigError} when `wanted` is not a token of the
 * tokenizer.
 */
export function endOfText(
  file: Pick<TokenizerJson, "added_tokens">,
  names: ReadonlyMap<number, string>,
  wanted: string | number | null | undefined,
  path: string,
): number | null {
  if (wanted === undefined) return endCandidates(file)[0] ?? null;
  if (wanted === null) return null;
  const added = file.added_tokens.find(({ content }) => content === wanted)?.id;
  const found = typeof wanted === "number" ? wanted : (added ?? [...names].find(([, name]) => name === wanted)?.[0]);
  if (found !== undefined && names.has(found)) return found;
  const special = file.added_tokens.map(({ content }) => content);
  const near = typeof wanted === "string" ? nearest(wanted, special) : undefined;
  throw new ConfigError(
    `tokenizer: data.endOfText is a token of ${path}, and it has no ${wanted}. ${near === undefined ? `Its special ones are ${special.slice(0, 12).join(" ") || "none"}.` : `Did you mean ${near}?`}`,
  );
}
