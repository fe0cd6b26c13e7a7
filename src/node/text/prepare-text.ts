/** Text into a cache of units: tokenised once, everything after reads the cache. */
import { createHash } from "node:crypto";
import { type FileHandle, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { numSlots } from "../../data/shard.js";
import { type TextSpec, type TextSplit, type TextSplitName, textSplits } from "../../data/text/text.js";
import { ConfigError, DataError } from "../../errors.js";
import { bytes as inBytes } from "../../report/format.js";
import { assertUnchanged, identifyFiles, type SourceFile } from "../source-files.js";
import { cachedFolder } from "../temporary-folder.js";
import { documents, findTexts, LONGEST_PART } from "./documents.js";
import { bytesOfUnit, type CachedText, openText, type TextFile, textFormatVersion } from "./text-cache.js";
import { byteTokenizer, openTokenizer, type Tokenizer } from "./tokenizer.js";

export interface PrepareTextOptions {
  /** Holds one folder for each digest; made when it is not there. */
  readonly cacheFolder: string;
  /** Called at the start of each stage, and while text is read, with a few words for the user. */
  readonly onProgress?: (stage: string) => void;
  /** Stops the work, which then rejects with the signal's reason and leaves nothing behind. */
  readonly signal?: AbortSignal;
}

export interface PreparedText extends CachedText {
  /** The cache folder, for `openText`. */
  readonly folder: string;
  /** Whether the cache was there already. */
  readonly cached: boolean;
}

/** The tokenizer that a spec names. Throws what {@link openTokenizer} throws. */
export function tokenizerOf({ tokenizer }: Pick<TextSpec, "tokenizer">): Tokenizer {
  return tokenizer === "bytes" ? byteTokenizer() : openTokenizer(tokenizer);
}

/**
 * Tokenise the documents unless the cache has them already, then open it; units stay in their files. The cache is found by
 * the content of the files and of the tokenizer.
 *
 * Throws DataError when documents cannot be read or a split has none, and ConfigError for shares that are none.
 */
export async function prepareText(spec: TextSpec, options: PrepareTextOptions): Promise<PreparedText> {
  const { cacheFolder, onProgress = () => {}, signal } = options;
  checkShares(spec);
  const tokenizer = tokenizerOf(spec);
  onProgress("identifying the text");
  const sources = await sourcesOf(spec, options);
  const digest = digestOf(spec, tokenizer, sources);
  const { folder, cached } = await cachedFolder(cacheFolder, digest, signal, async (fresh) => {
    await writeText(fresh, spec, tokenizer, sources, digest, options);
    await assertUnchanged(sources.flatMap(({ files }) => files));
  });
  return { ...(await openText(folder, { memoryBytes: 0 })), folder, cached };
}

/** The files of one source, and which split its documents are of; null of those that shares are taken of. */
interface Source {
  readonly split: "validation" | "test" | null;
  readonly files: readonly SourceFile[];
}

async function sourcesOf(spec: TextSpec, options: PrepareTextOptions): Promise<Source[]> {
  const found = async (split: Source["split"], source: TextSpec["source"]) => {
    const { files } = await findTexts(source, { ...options, field: spec.field });
    return { split, files: await identifyFiles(files, options.signal) };
  };
  const own = (split: "validation" | "test", which: TextSplit) =>
    typeof which === "number" ? [] : [found(split, which.source)];
  return Promise.all([found(null, spec.source), ...own("validation", spec.validation), ...own("test", spec.test)]);
}

function digestOf(spec: TextSpec, tokenizer: Tokenizer, sources: readonly Source[]): string {
  const { field = "text", encoding = "utf-8", longest = LONGEST_PART, dropRepeated = true } = spec;
  const shares = [spec.validation, spec.test].map((split) => (typeof split === "number" ? split : null));
  const content = sources.map(({ split, files }) => [split, files.map(({ sha256 }) => sha256)]);
  const what = [textFormatVersion, tokenizer.digest, field, encoding, longest, dropRepeated, shares, content];
  return createHash("sha256").update(JSON.stringify(what)).digest("hex");
}

function checkShares({ validation, test }: TextSpec): void {
  const shares = [validation, test].map((split) => (typeof split === "number" ? split : 0));
  const [first = 0, second = 0] = shares;
  if (shares.every((share) => share >= 0) && first + second < 1) return;
  throw new ConfigError(
    `text: the shares of validation and test are from 0 up and below 1 together, got ${first} and ${second}`,
  );
}

async function writeText(
  folder: string,
  spec: TextSpec,
  tokenizer: Tokenizer,
  sources: readonly Source[],
  digest: string,
  { cacheFolder, onProgress = () => {}, signal }: PrepareTextOptions,
): Promise<void> {
  const { longest = LONGEST_PART, dropRepeated = true } = spec;
  const writers = new Map<TextSplitName, SplitWriter>();
  for (const split of textSplits) writers.set(split, await splitWriter(folder, split, tokenizer.size));
  const trained = new Set<string>();
  let repeated = 0;
  let told = performance.now();
  const total = sources.flatMap(({ files }) => files).reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  try {
    for (const { split: given, files } of sources) {
      const paths = files.map(({ path }) => path);
      for await (const { text, isLast, bytesRead } of documents(paths, {
        cacheFolder,
        field: spec.field,
        encoding: spec.encoding,
        signal,
      })) {
        for (const piece of pieces(text, longest)) {
          const hash = createHash("sha256").update(piece.text).digest();
          const split = given ?? splitOf(hash, spec);
          const key = hash.toString("base64", 0, 16);
          if (split === "train") trained.add(key);
          else if (given !== null && dropRepeated && trained.has(key)) {
            repeated++;
            continue;
          }
          const end = isLast && piece.isLast ? tokenizer.endOfText : null;
          const slot = hash.readUInt16BE(14) % numSlots;
          await writers.get(split)?.add(tokenizer.encode(piece.text), end, Buffer.byteLength(piece.text), slot);
        }
        if (performance.now() - told < 1000) continue;
        told = performance.now();
        onProgress(`tokenising: ${inBytes(before + bytesRead)} of ${inBytes(total)}`);
      }
      before += files.reduce((sum, { bytes }) => sum + bytes, 0);
    }
  } finally {
    for (const writer of writers.values()) await writer.close();
  }
  const sizeOf = (split: TextSplitName) => {
    const size = writers.get(split)?.size() ?? { documents: 0, units: 0, bytes: 0 };
    if (size.documents > 0) return size;
    throw new DataError(
      `text: every split needs a document, and ${split} has none. ${split === "train" ? "Check the source." : `Raise the share of ${split}, give it a source of its own, or cut documents by a lower data.longest.`}`,
    );
  };
  const file: TextFile = {
    format: textFormatVersion,
    digest,
    tokenizer: { digest: tokenizer.digest, size: tokenizer.size, endOfText: tokenizer.endOfText },
    sizes: { train: sizeOf("train"), validation: sizeOf("validation"), test: sizeOf("test") },
    repeated,
    files: sources.flatMap(({ files }) => files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }))),
  };
  await writeFile(join(folder, "text.json"), `${JSON.stringify(file)}\n`, { flush: true });
}

/** Which split a document is of, by a part of its hash that its slot does not read. */
function splitOf(hash: Buffer, { validation, test }: TextSpec): TextSplitName {
  const place = hash.readUInt32BE(0) / 2 ** 32;
  const [first, second] = [validation, test].map((split) => (typeof split === "number" ? split : 0)) as [
    number,
    number,
  ];
  if (place < first) return "validation";
  return place < first + second ? "test" : "train";
}

/** A text cut at the ends of lines, or where there are none, into pieces of at most so many characters. */
export function* pieces(text: string, longest: number): Generator<{ readonly text: string; readonly isLast: boolean }> {
  let from = 0;
  while (text.length - from > longest) {
    const line = text.lastIndexOf("\n", from + longest - 1) + 1;
    let to = line > from ? line : from + longest;
    // A pair of surrogates is one character.
    if (line <= from && /[\uD800-\uDBFF]/.test(text[to - 1] ?? "") && to - 1 > from) to--;
    yield { text: text.slice(from, to), isLast: false };
    from = to;
  }
  yield { text: text.slice(from), isLast: true };
}

interface SplitWriter {
  /** Add a document: its units, the one that ends it if any does, its bytes as text, and its slot. */
  add(ids: ArrayLike<number>, end: number | null, bytes: number, slot: number): Promise<void>;
  size(): { readonly documents: number; readonly units: number; readonly bytes: number };
  close(): Promise<void>;
}

const PENDING_UNITS = 1 << 18;

/** Units go to the file as they come; where documents begin is written at the end. */
async function splitWriter(folder: string, split: TextSplitName, numUnits: number): Promise<SplitWriter> {
  const unitBytes = bytesOfUnit(numUnits);
  const file: FileHandle = await open(join(folder, `${split}.units.bin`), "wx");
  const starts = [0];
  const slots: number[] = [];
  const counts = new Float64Array(numUnits);
  let bytes = 0;
  let isClosed = false;
  // Documents may be short, and a write for each would cost more than its units.
  const pending = new (unitBytes === 2 ? Uint16Array : Uint32Array)(PENDING_UNITS);
  let numPending = 0;
  const flush = async () => {
    await file.writeFile(new Uint8Array(pending.buffer, 0, numPending * unitBytes));
    numPending = 0;
  };
  return {
    async add(ids, end, textBytes, slot) {
      const length = ids.length + Number(end !== null);
      for (let i = 0; i < length; i++) {
        const unit = (i < ids.length ? ids[i] : end) as number;
        counts[unit]! += 1;
        pending[numPending++] = unit;
        if (numPending === PENDING_UNITS) await flush();
      }
      starts.push((starts.at(-1) as number) + length);
      slots.push(slot);
      bytes += textBytes;
    },
    size: () => ({ documents: slots.length, units: starts.at(-1) as number, bytes }),
    async close() {
      if (isClosed) return;
      isClosed = true;
      await flush();
      await file.sync();
      await file.close();
      const put = (what: string, { buffer }: { readonly buffer: ArrayBuffer }) =>
        writeFile(join(folder, `${split}.${what}.bin`), new Uint8Array(buffer), { flush: true });
      await put("starts", Float64Array.from(starts));
      if (split !== "train") return;
      await put("slots", Uint16Array.from(slots));
      await put("counts", counts);
    },
  };
}
