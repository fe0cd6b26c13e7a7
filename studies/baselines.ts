/** What texts cost without a network: n-grams of the training text, and file compressors. */
import { spawnSync } from "node:child_process";
import { brotliCompressSync, gzipSync, constants as zlib } from "node:zlib";
import { Ngram } from "../src/data/text/ngram.js";
import { ConfigError } from "../src/errors.js";
import { loadConfig } from "../src/node/runs/load-config.js";
import { documents, findTexts } from "../src/node/text/documents.js";
import { configOfKind } from "../src/run/kinds/kinds.js";

const ORDER = 6;

export interface Baselines {
  readonly trainBytes: number;
  readonly testBytes: number;
  readonly testDocuments: number;
  /** Each with its bits per byte of the test text. */
  readonly baselines: readonly { readonly name: string; readonly bitsPerByte: number }[];
}

/** The baselines of a configuration of text whose test has a source of its own. Throws {@link ConfigError} for any other. */
export async function textBaselines(path: string): Promise<Baselines> {
  const { source, test, field, encoding } = configOfKind(await loadConfig(path), "text", "this command", path).data;
  if (typeof test === "number")
    throw new ConfigError(`data.test of ${path} is a share; baselines take files of its own`);
  const reading = { field, encoding };
  const training = await textsOf(source, reading);
  const tested = await textsOf(test.source, reading);
  const whole = Buffer.concat(tested);

  const ngram = new Ngram(ORDER, lengthOf(training));
  for (const document of training) ngram.add(document);
  const bits = new Float64Array(ORDER + 1);
  for (const document of tested) ngram.addBits(document, bits);
  const ngrams = Array.from(bits.slice(2), (all, k) => ({
    name: `n-gram, ${k + 2} bytes before`,
    bitsPerByte: all / whole.length,
  }));
  const compressed = [...compressors(whole)].map(([name, size]) => ({ name, bitsPerByte: (8 * size) / whole.length }));
  return {
    trainBytes: lengthOf(training),
    testBytes: whole.length,
    testDocuments: tested.length,
    baselines: [...ngrams, ...compressed],
  };
}

async function textsOf(
  source: string | readonly string[],
  reading: { readonly field: string | undefined; readonly encoding: string | undefined },
): Promise<Buffer[]> {
  const options = { cacheFolder: ".codistill/cache", ...reading };
  const { files } = await findTexts(source, options);
  const found: Buffer[] = [];
  let parts = "";
  for await (const { text, isLast } of documents(files, options)) {
    parts += text;
    if (!isLast) continue;
    found.push(Buffer.from(parts));
    parts = "";
  }
  return found;
}

/** The test text, compressed alone, without anything from the training text. */
function* compressors(whole: Buffer): Generator<[string, number]> {
  yield ["gzip -9", gzipSync(whole, { level: 9 }).length];
  const params = {
    [zlib.BROTLI_PARAM_QUALITY]: 11,
    [zlib.BROTLI_PARAM_LGWIN]: 24,
    [zlib.BROTLI_PARAM_SIZE_HINT]: whole.length,
  };
  yield ["brotli -q 11 -w 24", brotliCompressSync(whole, { params }).length];
  const xz = spawnSync("xz", ["-6", "--stdout"], { input: whole, maxBuffer: 2 * whole.length + 1000 });
  if (xz.status === 0) yield ["xz -6", xz.stdout.length];
}

function lengthOf(texts: readonly Buffer[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}
