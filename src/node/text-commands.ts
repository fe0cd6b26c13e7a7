/** The commands that begin with text. */
import type { Command } from "commander";
import { bytes, count, duration } from "../report/format.js";
import { wholeNumber } from "./flags.js";
import type { TableCommandOptions } from "./table-commands.js";

interface TokenizerFlags {
  readonly data: readonly string[];
  readonly size: number;
  readonly field?: string;
  readonly out: string;
  readonly json?: boolean;
}

/** Describe the command that learns a tokenizer. */
export function withTokenizerFlags(command: Command): Command {
  return command
    .description("learn a byte-level BPE tokenizer from text, as the tokenizer.json that Hugging Face's libraries read")
    .requiredOption("--data <paths...>", "files or globs: plain text, JSON lines, Parquet, CSV; .gz")
    .option("--size <units>", "256 bytes, what is made of them, and the end of a text", wholeNumber, 8192)
    .option("--field <column>", "the column with the text, of files that have columns", "text")
    .option("--out <file>", "where it is written", "tokenizer.json")
    .option("--json", "the result as JSON")
    .addHelpText(
      "after",
      '\nExamples:\n  codistill tokenizer --data "books/*.txt" --size 4096\n  codistill tokenizer --data "pages/*.parquet" --field body --size 24000 --out pages.json',
    );
}

/** Learn and write it, and say what came of it. */
export async function tokenizerCommand(
  { data, json, ...flags }: TokenizerFlags,
  { say, ...options }: TableCommandOptions,
): Promise<void> {
  // Only here: every command loads this file.
  const { trainTokenizer } = await import("./text/train-tokenizer.js");
  const onProgress = (stage: string) => process.stderr.write(`${stage}\n`);
  const trained = await trainTokenizer(data, { ...flags, ...options, onProgress });
  if (json) return say(JSON.stringify(trained, null, 2));
  const { out, size, numDocuments, textBytes, digest, seconds } = trained;
  say(
    [
      `${out}: ${count(size)} units from ${count(numDocuments)} documents, ${bytes(textBytes)}, in ${duration(seconds)}`,
      ...(size < flags.size ? [`fewer than ${count(flags.size)}, as no pair of units comes twice any more`] : []),
      `SHA-256 ${digest}`,
    ].join("\n"),
  );
}
