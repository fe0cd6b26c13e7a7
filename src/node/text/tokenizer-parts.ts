/**
 * Converts the parts of a `tokenizer.json` so that @huggingface/tokenizers computes the same as Hugging Face's
 * tokenizers in Rust. Where the library computes a part differently, the part is replaced by others with the right
 * result; where there are none, it is refused.
 */

/** A normalizer, a pre-tokenizer or a decoder, by its type. */
export interface Part {
  readonly type: string;
  readonly [option: string]: unknown;
}

/** The words into which GPT-2 splits text. */
const WORDS = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const PUNCTUATION = "\\p{P}\\u0021-\\u002F\\u003A-\\u0040\\u005B-\\u0060\\u007B-\\u007E";
/** The characters of words in Rust's regular expressions. */
const LETTERS = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
/** Chinese characters beyond the first 65,536 code points, each of which the library takes for two characters. */
const FAR_CHINESE = "[\\u{20000}-\\u{2A6DF}\\u{2A700}-\\u{2B81F}\\u{2B920}-\\u{2CEAF}\\u{2F800}-\\u{2FA1F}]";

const sequence = (key: string, parts: readonly Part[]): Part =>
  parts.length === 1 ? (parts[0] as Part) : { type: "Sequence", [key]: parts };
const partsIn = (part: Part, key: string) => (part[key] ?? []) as readonly Part[];

/** All normalizers of a part, in order. In the library's replacements, `$` is a special character. */
export function normalizers(part: Part): readonly Part[] {
  const replace = (pattern: object, content: string): Part => ({ type: "Replace", pattern, content });
  // Replaced first, since JavaScript lowers a sigma at the end of a word to another letter.
  const sigma = replace({ String: "Σ" }, "σ");
  switch (part.type) {
    case "Sequence":
      return partsIn(part, "normalizers").flatMap(normalizers);
    case "Lowercase":
      return [sigma, part];
    case "BertNormalizer":
      return [
        ...(part.lowercase === false ? [] : [sigma]),
        ...(part.handle_chinese_chars === false ? [] : [replace({ Regex: FAR_CHINESE }, " $& ")]),
        part,
      ];
    case "Replace":
      return [{ ...part, content: String(part.content ?? "").replaceAll("$", "$$$$") }];
    case "Strip":
      return [
        ...(part.strip_left === false ? [] : [replace({ Regex: "\\A\\s+" }, "")]),
        ...(part.strip_right === false ? [] : [replace({ Regex: "\\s+\\z" }, "")]),
      ];
    default:
      return [part];
  }
}

/** One normalizer of several; null when there are none. */
export function normalizerOf(parts: readonly Part[]): Part | null {
  return parts.length === 0 ? null : sequence("normalizers", parts);
}

/** Convert a pre-tokenizer. Throws an error in words for one that is not implemented. */
export function preTokenizerOf(part: Part): Part {
  return sequence("pretokenizers", preTokenizers(part));
}

function preTokenizers(part: Part): readonly Part[] {
  switch (part.type) {
    case "Sequence":
      return partsIn(part, "pretokenizers").flatMap(preTokenizers);
    case "ByteLevel":
      if (part.use_regex === false || part.add_prefix_space !== false) return [part];
      return [split(WORDS, "Isolated"), { ...part, use_regex: false }];
    case "Whitespace":
      return [matches(`[${LETTERS}]+|[^${LETTERS}\\s]+`)];
    case "WhitespaceSplit":
      return [matches("\\S+")];
    case "BertPreTokenizer":
      return [matches(`[^\\s${PUNCTUATION}]+|[${PUNCTUATION}]`)];
    case "Punctuation":
      return [split(`[${PUNCTUATION}]`, part.behavior ?? "Isolated")];
    case "Digits":
      return [split("\\p{N}", part.individual_digits === true ? "Isolated" : "Contiguous")];
    case "CharDelimiterSplit":
      return [split(escaped(String(part.delimiter)), "Removed")];
    case "Split": {
      const { pattern, behavior, invert } = part as { pattern?: { Regex?: string; String?: string } } & Part;
      const regex = pattern?.Regex ?? escaped(String(pattern?.String));
      if (invert !== true) return [split(regex, behavior)];
      if (behavior === "Removed") return [matches(regex)];
      if (behavior === "Isolated") return [split(regex, behavior)];
      throw new Error(`an inverted Split that is ${behavior} is not known here`);
    }
    case "Metaspace":
      if (part.split === false) return [part];
      return [part, split(escaped(String(part.replacement ?? "▁")), "MergedWithNext")];
    default:
      return [part];
  }
}

/** A Split that keeps the matches alone. */
function matches(regex: string): Part {
  return { type: "Split", pattern: { Regex: regex }, behavior: "Removed", invert: true };
}

/**
 * A Split of any behaviour. The library knows "Removed" and "Isolated"; the others are written as isolated matches of
 * another pattern.
 */
function split(regex: string, behavior: unknown): Part {
  const other = `(?:(?!${regex})[\\s\\S])`;
  const isolated = (pattern: string): Part => ({
    type: "Split",
    pattern: { Regex: pattern },
    behavior: "Isolated",
    invert: false,
  });
  switch (behavior) {
    case "Isolated":
      return isolated(regex);
    case "Removed":
      return { ...isolated(regex), behavior };
    case "MergedWithPrevious":
      return isolated(`${other}*(?:${regex})|${other}+`);
    case "MergedWithNext":
      return isolated(`(?:${regex})${other}*|${other}+`);
    case "Contiguous":
      return isolated(`(?:${regex})+|${other}+`);
    default:
      throw new Error(`a Split that is ${behavior} is not known here`);
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** Convert a decoder to one that gives the same text. */
export function decoderOf(part: Part): Part {
  if (part.type === "Sequence")
    return sequence(
      "decoders",
      partsIn(part, "decoders").map((one) => decoderOf(one)),
    );
  const isUntouched = part.prepend_scheme === "never" || (!part.prepend_scheme && part.add_prefix_space === false);
  if (part.type !== "Metaspace" || !isUntouched) return part;
  return { type: "Replace", pattern: { String: part.replacement ?? "▁" }, content: " " };
}

/** The space that GPT-2's pre-tokenizer puts before a text that has none, as a normalizer. */
export const FIRST_SPACE: Part = { type: "Replace", pattern: { Regex: "\\A[^ ]" }, content: " $&" };
