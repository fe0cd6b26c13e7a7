/**
 * The parts of a `tokenizer.json` as @huggingface/tokenizers computes them as Hugging Face's tokenizers (in Rust) do. Where that
 * library takes a shortcut, the part is said by others that come to the same; where nothing does, it is refused.
 */

/** A normalizer, a pre-tokenizer or a decoder, by its type. */
export interface Part {
  readonly type: string;
  readonly [option: string]: unknown;
}

/** Where GPT-2 parts text into words. */
const WORDS = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const PUNCTUATION = "\\p{P}\\u0021-\\u002F\\u003A-\\u0040\\u005B-\\u0060\\u007B-\\u007E";
/** What Rust takes for signs of a word. */
const LETTERS = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
/** Chinese characters beyond the first 65,536, which the library takes for two signs each. */
const FAR_CHINESE = "[\\u{20000}-\\u{2A6DF}\\u{2A700}-\\u{2B81F}\\u{2B920}-\\u{2CEAF}\\u{2F800}-\\u{2FA1F}]";

const sequence = (key: string, parts: readonly Part[]): Part =>
  parts.length === 1 ? (parts[0] as Part) : { type: "Sequence", [key]: parts };
const partsIn = (part: Part, key: string) => (part[key] ?? []) as readonly Part[];

/** Every normalizer of a part, in their order. `$` has a meaning where the library puts one text for another. */
export function normalizers(part: Part): readonly Part[] {
  const replace = (pattern: object, content: string): Part => ({ type: "Replace", pattern, content });
  // Not as JavaScript does, which writes a sigma at the end of a word in its own way.
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

/** A normalizer; null where there is none. */
export function normalizerOf(parts: readonly Part[]): Part | null {
  return parts.length === 0 ? null : sequence("normalizers", parts);
}

/** Throws what is not computed, in words. */
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

/** What matches is kept, and nothing else. */
function matches(regex: string): Part {
  return { type: "Split", pattern: { Regex: regex }, behavior: "Removed", invert: true };
}

/** The library knows what is removed and what stands alone; the rest is said by what stands alone. */
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

/** A decoder of the same text. */
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
