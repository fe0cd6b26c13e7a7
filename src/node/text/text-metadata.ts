/** What the metadata of an exported language model say of its tokens and its network. */
import { type TextRunConfig, TOKENIZER_FILE } from "../../run/kinds/text.js";
import { networkText } from "../../run/text-network.js";
import type { Tokenizer } from "./tokenizer.js";

/** Entries for the metadata of a model of this configuration. */
export function textMetadata(
  { data, model }: Pick<TextRunConfig, "data" | "model">,
  { size, endOfText, digest }: Pick<Tokenizer, "size" | "endOfText" | "digest">,
): Readonly<Record<string, string>> {
  const isOfBytes = data.tokenizer === "bytes";
  return {
    task: "language",
    vocabularySize: String(size),
    ...(endOfText !== null && { endOfText: String(endOfText) }),
    tokenizer: isOfBytes ? "bytes" : TOKENIZER_FILE,
    ...(!isOfBytes && { tokenizerSha256: digest }),
    network: networkText(model),
  };
}
