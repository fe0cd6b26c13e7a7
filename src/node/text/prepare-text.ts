/** Prepares text as a cache of tokens: it is tokenised once, everything after reads the cache. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { numSlots } from "../../data/shard.js";
import { type SplitOf, splitByRank } from "../../data/text/split-ranks.js";
import { type TextSize, type TextSpec, type TextSplit, type TextSplitName, textSplits } from "../../data/text/text.js";
import { ConfigError, DataError } from "../../errors.js";
import { counted, bytes as inBytes } from "../../report/format.js";
import { cachedFolder } from "../files/temporary-folder.js";
import { assertUnchanged, identifyFiles, type SourceFile } from "../sources/source-files.js";
import { documents, findTexts, LONGEST_PART } from "./documents.js";
import { type Findings, findingsOf } from "./findings.js";
import { lostText } from "./lost-text.js";
import { type SplitWriter, splitWriter } from "./split-writer.js";
import { type CachedText, openText, type TextFile, textFormatVersion } from "./text-cache.js";
import { byteTokenizer, openTokenizer, type Tokenizer } from "./tokenizer.js";

export interface PrepareTextOptions {
  /** The folder of caches, with one folder for each digest; made when it does not exist. */
  readonly cacheFolder: string;
  /** Called at the start of each stage, and while text is read, with a few words for the user. */
  readonly onProgress?: ((stage: string) => void) | undefined;
  /** Stops the work, which then rejects with the signal's reason and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined;
}

export interface PreparedText extends CachedText {
  /** The cache folder, for `openText`. */
  readonly folder: string;
  /** Whether the cache existed already. */
  readonly cached: boolean;
}

/**
 * The tokenizer that a spec names. Throws what {@link openTokenizer} throws, and ConfigError when the tokens are bytes
 * and an end of text is named.
 */
export function tokenizerOf({
  tokenizer,
  endOfText,
}: {
  readonly tokenizer: string;
  readonly endOfText?: string | null | undefined;
}): Tokenizer {
  if (tokenizer !== "bytes") return openTokenizer(tokenizer, { endOfText });
  if (endOfText === undefined) return byteTokenizer();
  throw new ConfigError("text: data.endOfText is a token of a tokenizer.json, and bytes end by 256. Leave it out.");
}

/**
 * Tokenise the documents unless the cache has them already, then open it; tokens stay in their files. The cache is
 * found by the content of the files and of the tokenizer.
 *
 * Throws DataError when documents cannot be read or a split has none, and ConfigError for invalid shares.
 */
export async function prepareText(spec: TextSpec, options: PrepareTextOptions): Promise<PreparedText> {
  const { cacheFolder, onProgress = () => {}, signal } = options;
  checkShares(spec);
  const tokenizer = tokenizerOf(spec);
  onProgress("identifying the text");
  const sources = await sourcesOf(spec, options);
  const digest = digestOf(spec, tokenizer, sources);
  const make = async (fresh: string) => {
    await writeText(fresh, spec, tokenizer, sources, digest, options);
    await assertUnchanged(sources.flatMap(({ files }) => files));
  };
  const open = (path: string) => openText(path, { memoryBytes: 0 });
  const { opened, ...where } = await cachedFolder(cacheFolder, digest, { signal, onProgress }, make, open);
  return { ...opened, ...where };
}

/** The files of one source, and the split of its documents; null for documents that are split by shares. */
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
  const { field = "text", encoding = "utf-8", longest = LONGEST_PART, dropRepeated = true, splitBy = "hash" } = spec;
  const shares = [spec.validation, spec.test].map((split) => (typeof split === "number" ? split : null));
  const content = sources.map(({ split, files }) => [split, files.map(({ sha256 }) => sha256)]);
  const what: unknown[] = [
    textFormatVersion,
    tokenizer.digest,
    tokenizer.endOfText,
    field,
    encoding,
    longest,
    dropRepeated,
    shares,
    content,
  ];
  if (splitBy !== "hash") what.push(splitBy);
  if (spec.separator !== undefined) what.push(["separator", spec.separator]);
  return createHash("sha256").update(JSON.stringify(what)).digest("hex");
}

function checkShares(spec: TextSpec): void {
  const [first, second] = sharesOf(spec);
  if (first >= 0 && second >= 0 && first + second < 1) return;
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
  options: PrepareTextOptions,
): Promise<void> {
  const { dropRepeated = true } = spec;
  const splitOf = await splitter(spec, sources, options);
  const lostOf = (split: TextSplitName) => lostText(tokenizer, split);
  const writers = new Map<TextSplitName, SplitWriter>();
  for (const split of textSplits) writers.set(split, await splitWriter(folder, split, tokenizer.size));
  const findings = findingsOf();
  const lost = { train: lostOf("train"), validation: lostOf("validation"), test: lostOf("test") };
  try {
    for await (const { given, piece, hash, index, place, isLast } of hashed(
      spec,
      sources,
      "tokenising",
      options,
      findings.seeEmpty,
    )) {
      const split = given ?? splitOf(placeOf(spec, hash, index));
      if (findings.see(split, hash, piece, place) && dropRepeated) continue;
      const slot = hash.readUInt16BE(14) % numSlots;
      const end = isLast ? tokenizer.endOfText : null;
      const ids = tokenizer.encode(piece);
      lost[split].see(piece, ids);
      await writers.get(split)?.add(ids, end, Buffer.byteLength(piece), slot);
    }
  } finally {
    for (const writer of writers.values()) await writer.close();
  }
  const sizeOf = (split: TextSplitName) => {
    const size = writers.get(split)?.size() ?? { documents: 0, tokens: 0, bytes: 0 };
    checkSize(split, size, dropRepeated, findings);
    lost[split].check();
    return { ...size, ...(!lost[split].isGivenBack() && { isLossy: true }) };
  };
  const file: TextFile = {
    format: textFormatVersion,
    digest,
    tokenizer: { digest: tokenizer.digest, size: tokenizer.size, endOfText: tokenizer.endOfText },
    sizes: { train: sizeOf("train"), validation: sizeOf("validation"), test: sizeOf("test") },
    repeated: dropRepeated ? findings.inTraining("validation") + findings.inTraining("test") : 0,
    notes: [...tokenizer.notes, ...textSplits.flatMap((split) => lost[split].notes()), ...findings.notes(dropRepeated)],
    files: sources.flatMap(({ files }) => files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }))),
  };
  await writeFile(join(folder, "text.json"), `${JSON.stringify(file)}\n`, { flush: true });
}

/** A document, or a piece of a long one. */
interface Piece {
  readonly given: Source["split"];
  readonly piece: string;
  readonly hash: Buffer;
  /** The number of pieces before it. */
  readonly index: number;
  readonly place: string;
  /** Whether its document ends with it. */
  readonly isLast: boolean;
}

async function* hashed(
  { field, encoding, separator, longest = LONGEST_PART }: TextSpec,
  sources: readonly Source[],
  doing: string,
  { cacheFolder, onProgress = () => {}, signal }: PrepareTextOptions,
  onEmpty: (place: string) => void = () => {},
): AsyncGenerator<Piece, void, void> {
  const total = sources.flatMap(({ files }) => files).reduce((sum, { bytes }) => sum + bytes, 0);
  let [before, told, index] = [0, performance.now(), 0];
  for (const { split: given, files } of sources) {
    const paths = files.map(({ path }) => path);
    for await (const { text, isLast, place, bytesRead } of documents(paths, {
      cacheFolder,
      field,
      encoding,
      separator,
      signal,
      onEmpty,
    })) {
      for (const piece of pieces(text, longest)) {
        const hash = createHash("sha256").update(piece.text).digest();
        yield { given, piece: piece.text, hash, index: index++, place, isLast: isLast && piece.isLast };
      }
      if (performance.now() - told < 1000) continue;
      told = performance.now();
      onProgress(`${doing}: ${inBytes(before + bytesRead)} of ${inBytes(total)}`);
    }
    before += files.reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

/**
 * The number by which a document is ranked: a part of its hash that its slot does not use, or its position from the end
 * of all text.
 */
function placeOf({ splitBy = "hash" }: TextSpec, hash: Buffer, index: number): number {
  return splitBy === "position" ? -index : hash.readUIntBE(0, 6);
}

/** The rule that splits documents. For shares, all documents are read once beforehand, to rank them. */
async function splitter(spec: TextSpec, sources: readonly Source[], options: PrepareTextOptions): Promise<SplitOf> {
  const [validation, test] = sharesOf(spec);
  if (validation === 0 && test === 0) return () => "train";
  const places: number[] = [];
  const shared = sources.filter(({ split }) => split === null);
  for await (const { hash, index } of hashed(spec, shared, "dealing documents to splits", options))
    places.push(placeOf(spec, hash, index));
  return splitByRank(Float64Array.from(places), { validation, test });
}

/** The shares of all documents for validation and for test. */
function sharesOf({ validation, test }: TextSpec): readonly [number, number] {
  const shareOf = (split: TextSplit) => (typeof split === "number" ? split : 0);
  return [shareOf(validation), shareOf(test)];
}

function checkSize(split: TextSplitName, { documents, tokens }: TextSize, dropRepeated: boolean, findings: Findings) {
  const inTraining = split === "train" || !dropRepeated ? 0 : findings.inTraining(split);
  const cure =
    split === "train"
      ? "Check the source."
      : `Raise the share of ${split}, give it a source of its own, or cut documents by a lower data.longest.`;
  if (documents === 0) {
    throw new DataError(
      split !== "train" && inTraining > 0
        ? `text: every split needs a document, and ${split} has none: ${counted(inTraining, "document of it is", "documents of it are")} in training too, and left out, as data.dropRepeated says (${findings.examples(split)}). Give it other documents, or take them out of data.source.`
        : `text: every split needs a document, and ${split} has none. ${cure}`,
    );
  }
  if (split === "train" || tokens >= 2) return;
  throw new DataError(
    `text: a token is predicted from those before it, so every split needs 2, and ${split} has ${tokens}. ${cure}`,
  );
}

/** Cut a text into pieces of at most `longest` characters, at the ends of lines where there are any. */
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
