/** The commands that begin with text. */
import type { Command } from "commander";
import { bytes, count, duration } from "../../report/format.js";
import { printable } from "../../report/printable.js";
import { withoutSecrets } from "../../report/secrets.js";
import { someNumber, someText, wholeNumber } from "./flags.js";
import type { TableCommandOptions } from "./table-commands.js";

interface SampleFlags {
  readonly prompt: string;
  readonly length: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed: number;
  readonly group?: number;
  readonly json?: boolean;
}

interface TokenizerFlags {
  readonly data: readonly string[];
  readonly size: number;
  readonly field?: string;
  readonly encoding?: string;
  readonly separator?: string;
  readonly out: string;
  readonly json?: boolean;
}

/** Add the flags of `codistill tokenizer`. */
export function withTokenizerFlags(command: Command): Command {
  return command
    .description("learn a byte-level BPE tokenizer from text, as the tokenizer.json that Hugging Face's libraries read")
    .requiredOption("--data <paths...>", "files or globs: plain text, JSON lines, Parquet, CSV; .gz")
    .option("--size <tokens>", "256 bytes, what is made of them, and the end of a text", wholeNumber, 8192)
    .option("--field <column>", "the column with the text, of files that have columns", "text")
    .option(
      "--separator <text>",
      'what stands between the documents of a plain text file, as "<|endoftext|>" or "\\n\\n\\n"; each file is one without it',
      someText,
    )
    .option("--encoding <name>", 'of files without a byte order mark, as windows-1252; "utf-8" by default')
    .option("--out <file>", "where it is written", "tokenizer.json")
    .option("--json", "the result as JSON")
    .addHelpText(
      "after",
      '\nExamples:\n  codistill tokenizer --data "books/*.txt" --size 4096\n  codistill tokenizer --data "pages/*.parquet" --field body --size 24000 --out pages.json',
    );
}

/** Learn a tokenizer, write it, and report on it. */
export async function tokenizerCommand(
  { data, json, ...flags }: TokenizerFlags,
  { say, ...options }: TableCommandOptions,
): Promise<void> {
  // Imported here, as every command loads this file.
  const { trainTokenizer } = await import("../text/train-tokenizer.js");
  const onProgress = (stage: string) => process.stderr.write(`${printable(withoutSecrets(stage))}\n`);
  const trained = await trainTokenizer(data, { ...flags, ...options, onProgress });
  if (json) return say(JSON.stringify(trained, null, 2));
  const { out, size, numDocuments, textBytes, digest, seconds } = trained;
  say(
    [
      `${out}: ${count(size)} tokens from ${count(numDocuments)} documents, ${bytes(textBytes)}, in ${duration(seconds)}`,
      ...(size < flags.size ? [`fewer than ${count(flags.size)}, as no pair of tokens comes twice any more`] : []),
      `SHA-256 ${digest}`,
    ].join("\n"),
  );
}

/** Add the arguments and flags of `codistill sample`. */
export function withSampleFlags(command: Command): Command {
  return command
    .description("continue a text by a language model")
    .argument("<model>", "the model.onnx of a run on text, or the run folder, of a run that is not over too")
    .option("--prompt <text>", "what the text begins with", "")
    .option("--length <tokens>", "tokens to add at most", wholeNumber, 400)
    .option("--temperature <number>", "0 takes the most probable token, 1 each by its probability", someNumber, 1)
    .option("--top-k <tokens>", "choose among so many of the most probable", wholeNumber)
    .option("--top-p <share>", "choose among the fewest whose probabilities come to so much", someNumber)
    .option("--seed <number>", "the same seed gives the same text", wholeNumber, 1)
    .option("--group <number>", "the best that this group of the run folder has so far", wholeNumber)
    .option("--json", "the text as JSON")
    .addHelpText(
      "after",
      '\nExamples:\n  codistill sample runs/books/model.onnx --prompt "It was a dark"\n  codistill sample runs/books --group 1 --temperature 0.7 --top-p 0.9',
    );
}

/** Write the prompt, and each piece of its continuation as it comes. */
export async function sampleCommand(
  path: string,
  { json, group, ...flags }: SampleFlags,
  signal: AbortSignal,
): Promise<void> {
  const { openLanguageModel } = await import("../text/language-model.js");
  const { sample } = await import("../text/sample.js");
  const model = await openLanguageModel(path, group);
  // A file gets the text as the model wrote it; a terminal would obey control characters in it.
  const say = (text: string) => process.stdout.write(process.stdout.isTTY ? printable(text) : text);
  try {
    let text = "";
    if (!json) say(flags.prompt);
    for await (const more of sample(model, { ...flags, signal })) {
      text += more;
      if (!json) say(more);
    }
    say(json ? `${JSON.stringify({ prompt: flags.prompt, text, seed: flags.seed }, null, 2)}\n` : "\n");
  } finally {
    await model.close();
  }
}
