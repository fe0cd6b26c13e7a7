/**
 * The text cache: a folder named by its digest, whole or absent, with every document as tokens, read without a tokenizer.
 *
 * - `text.json`: format version, digest, tokenizer, sizes of the splits, source files
 * - `<split>.tokens.bin`: tokens of 2 bytes, or of 4 where there are more than 65,536, little-endian, document after document
 * - `<split>.starts.bin`: float64; document d has the tokens from entry d up to, not including, entry d + 1
 * - `train.slots.bin`: uint16; the hash slot of each document
 * - `train.counts.bin`: float64; how many of each token there are
 *
 * Beside them lie their digests (`checked-folder.ts`).
 */
import { z } from "zod";
import { problemsOf } from "../../checkpoint/fields.js";
import { decodeJson, versionMustBe } from "../../checkpoint/json.js";
import { type Corpus, corpusOf, joined } from "../../data/text/corpus.js";
import type { SlottedCorpus, TextSplitName } from "../../data/text/text.js";
import { type CheckedFolder, damaged, openCheckedFolder } from "../files/checked-folder.js";
import type { Reading } from "../files/read-file.js";

/** Raised whenever the files, or the way they are made, change. */
export const textFormatVersion = 5;

const count = z.int().nonnegative();
const sizeSchema = z.object({ documents: count, tokens: count, bytes: count, isLossy: z.boolean().optional() });
const textFile = z.object({
  format: z.literal(textFormatVersion, versionMustBe(textFormatVersion)),
  digest: z.string(),
  tokenizer: z.object({ digest: z.string(), size: count, endOfText: count.nullable() }),
  sizes: z.object({ train: sizeSchema, validation: sizeSchema, test: sizeSchema }),
  /** Documents of validation and test that were left out, as they are in training. */
  repeated: count,
  /** Notes on the documents for the user, in sentences. */
  notes: z.array(z.string()),
  files: z.array(z.object({ path: z.string(), bytes: count, sha256: z.string() })),
});

/** The content of `text.json`. */
export type TextFile = z.infer<typeof textFile>;

export interface CachedText extends Omit<TextFile, "format"> {
  readonly train: SlottedCorpus;
  /** How many of each token the training documents of all groups have. */
  readonly tokenCounts: Float64Array;
  readonly validation: Corpus | null;
  readonly test: Corpus | null;
}

export interface OpenTextOptions {
  /** Read only the training documents of these hash slots. */
  readonly slots?: readonly number[] | undefined;
  /** Splits that are not read, to save memory. */
  readonly leaveOut?: readonly ("validation" | "test")[] | undefined;
  /** Tokens of a split that take more bytes than this stay in their file, and are read from there when needed. */
  readonly memoryBytes?: number | undefined;
}

/** Read a cache folder. Throws {@link DataError} when the folder is absent or damaged. */
export async function openText(folder: string, options: OpenTextOptions = {}): Promise<CachedText> {
  const { slots, leaveOut = [], memoryBytes = Number.POSITIVE_INFINITY } = options;
  const files = await openCheckedFolder(folder);
  const { format: _, ...file } = await readTextFile(folder, files);
  const tokenBytes = bytesOfToken(file.tokenizer.size);
  const wanted = slots && new Set(slots);
  const read = async (split: TextSplitName) => {
    const { documents, tokens } = file.sizes[split];
    const starts = new Float64Array((await files.whole(`${split}.starts.bin`, 8 * (documents + 1))).buffer);
    if (starts[documents] !== tokens) throw damaged(folder, `${split}.starts.bin does not end at ${tokens} tokens`);
    return storedCorpus(files.file(`${split}.tokens.bin`, tokens * tokenBytes).reading, tokenBytes, starts);
  };
  const whole = async (split: "validation" | "test") => {
    if (leaveOut.includes(split)) return null;
    const corpus = await read(split);
    return inMemory(
      corpus,
      Uint32Array.from({ length: corpus.numDocuments }, (_, d) => d),
      tokenBytes,
      memoryBytes,
    );
  };
  const stored = await read("train");
  const slotOf = new Uint16Array((await files.whole("train.slots.bin", 2 * file.sizes.train.documents)).buffer);
  const chosen = Uint32Array.from(slotOf.keys()).filter((d) => !wanted || wanted.has(slotOf[d] as number));
  const train = inMemory(stored, chosen, tokenBytes, memoryBytes);
  const tokenCounts = new Float64Array((await files.whole("train.counts.bin", 8 * file.tokenizer.size)).buffer);
  return {
    ...file,
    tokenCounts,
    train: { ...train, slots: Uint16Array.from(chosen, (d) => slotOf[d] as number) },
    validation: await whole("validation"),
    test: await whole("test"),
  };
}

/** Bytes of a token in its file. */
export function bytesOfToken(size: number): 2 | 4 {
  return size <= 65_536 ? 2 : 4;
}

/** Documents of a file, read when they are asked for. */
function storedCorpus(reading: Reading, tokenBytes: 2 | 4, starts: Float64Array): Corpus {
  return {
    numDocuments: starts.length - 1,
    starts,
    read(from, count, into, at) {
      const { buffer } = reading((bytes) => bytes(from * tokenBytes, count * tokenBytes));
      into.set(tokenBytes === 2 ? new Uint16Array(buffer) : new Uint32Array(buffer), at);
    },
  };
}

/** Some documents of a corpus, in memory where they take at most `mostBytes`. */
function inMemory(corpus: Corpus, documents: Uint32Array, tokenBytes: 2 | 4, mostBytes: number): Corpus {
  const starts = new Float64Array(documents.length + 1);
  const startOf = (d: number) => corpus.starts[d] as number;
  for (const [i, d] of documents.entries()) starts[i + 1] = (starts[i] as number) + startOf(d + 1) - startOf(d);
  const numTokens = starts.at(-1) as number;
  if (numTokens * tokenBytes > mostBytes) {
    if (documents.length === corpus.numDocuments) return corpus;
    return { numDocuments: documents.length, starts, read: joined(corpus, documents).read };
  }
  const Kind = tokenBytes === 2 ? Uint16Array : Uint32Array;
  const tokens = new Kind(numTokens);
  const part = new Int32Array(READ_TOKENS);
  for (let first = 0; first < documents.length; ) {
    // Documents that lie side by side are read together.
    let next = first + 1;
    while (next < documents.length && documents[next] === (documents[next - 1] as number) + 1) next++;
    const [from, count] = [startOf(documents[first] as number), (starts[next] as number) - (starts[first] as number)];
    for (let done = 0; done < count; done += READ_TOKENS) {
      const size = Math.min(READ_TOKENS, count - done);
      corpus.read(from + done, size, part, 0);
      tokens.set(part.subarray(0, size), (starts[first] as number) + done);
    }
    first = next;
  }
  return corpusOf(starts, tokens);
}

const READ_TOKENS = 1 << 20;

async function readTextFile(folder: string, files: CheckedFolder): Promise<TextFile> {
  const parsed = textFile.safeParse(decodeJson(await files.whole("text.json")));
  if (parsed.success) return parsed.data;
  throw damaged(folder, `text.json cannot be read: ${problemsOf(parsed.error)}`, parsed.error);
}
