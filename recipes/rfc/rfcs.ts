/** Informational RFCs for language models: prose by document, split by time, with a tokenizer learned from the training text. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { trainTokenizer } from "codistill/node";
import { rfcsIn } from "./package.js";
import { paragraphs } from "./prose.js";

/** The newest RFCs are the test, those just before them validation. */
const FIRST_TEST = 8882;
const FIRST_VALIDATION = 8865;
/** Tokens of the tokenizer. */
const SIZE = 4096;

/** The text of a configuration, whose files are made the first time. */
export async function rfcs(folder = resolve(".codistill", "rfc")) {
  const path = (name: string) => join(folder, name);
  const files = { train: path("train.jsonl"), validation: path("validation.jsonl"), test: path("test.jsonl") };
  const tokenizer = path(`bpe-${SIZE}.json`);
  // It is written last.
  if (!existsSync(tokenizer)) {
    mkdirSync(folder, { recursive: true });
    split(files, path("texts"));
    const onProgress = (stage: string) => process.stderr.write(`${stage}\n`);
    await trainTokenizer(files.train, { out: tokenizer, size: SIZE, cacheFolder: folder, onProgress });
  }
  return {
    kind: "text",
    source: files.train,
    validation: { source: files.validation },
    test: { source: files.test },
    tokenizer,
  } as const;
}

type Splits = Record<"train" | "validation" | "test", string>;

/** A line of JSON for each document. Of later documents only paragraphs that no training document has: they quote one another. */
function split(files: Splits, texts: string): void {
  const known = new Set<string>();
  const lines: Record<keyof Splits, string[]> = { train: [], validation: [], test: [] };
  for (const { number, text } of rfcsIn(texts)) {
    const which = number >= FIRST_TEST ? "test" : number >= FIRST_VALIDATION ? "validation" : "train";
    const all = paragraphs(text);
    const prose = which === "train" ? all : all.filter((paragraph) => !known.has(paragraph));
    if (which === "train") for (const paragraph of all) known.add(paragraph);
    if (prose.length > 0) lines[which].push(JSON.stringify({ number, text: `${prose.join("\n\n")}\n` }));
  }
  for (const which of ["train", "validation", "test"] as const)
    writeFileSync(files[which], `${lines[which].join("\n")}\n`);
}
