/** What a language model has to be better than: `npm run baselines -- recipes/gutenberg.config.ts`. */
import { spawnSync } from "node:child_process";
import { brotliCompressSync, gzipSync, constants as zlib } from "node:zlib";
import { Command } from "commander";
import { Ngram } from "../src/data/text/ngram.js";
import { ConfigError, messageOf } from "../src/errors.js";
import { loadConfig } from "../src/node/load-config.js";
import { documents, findTexts } from "../src/node/text/documents.js";
import { bytes } from "../src/report/format.js";
import { isOfText } from "../src/run/schema.js";
import { mdTable } from "./report.js";
import { say } from "./runner.js";

const ORDER = 6;

new Command("npm run baselines --")
  .description("Bits per byte of a configuration's test text by n-grams of its training text, and by packers of files.")
  .argument("<config>", "a configuration of text whose test has a source of its own")
  .showHelpAfterError("(npm run baselines -- --help tells more)")
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

async function main(path: string): Promise<void> {
  const config = await loadConfig(path);
  if (!isOfText(config)) throw new ConfigError(`${path} is not a configuration of text`);
  const { source, test, field } = config.data;
  if (typeof test === "number")
    throw new ConfigError(`data.test of ${path} is a share; baselines take files of its own`);
  const training = await textsOf(source, field);
  const tested = await textsOf(test.source, field);
  const whole = Buffer.concat(tested);

  const ngram = new Ngram(ORDER, lengthOf(training));
  for (const document of training) ngram.add(document);
  const bits = new Float64Array(ORDER + 1);
  for (const document of tested) ngram.addBits(document, bits);
  const rows = Array.from(bits.slice(2), (all, k) => [
    `n-gram, ${k + 2} bytes before`,
    (all / whole.length).toFixed(3),
  ]);
  for (const [packer, packed] of packers(whole)) rows.push([packer, ((8 * packed) / whole.length).toFixed(3)]);
  say(`training ${bytes(lengthOf(training))}, test ${bytes(whole.length)} in ${tested.length} documents\n`);
  say(mdTable(["baseline", "bits per byte of the test"], rows).join("\n"));
}

async function textsOf(source: string | readonly string[], field: string | undefined): Promise<Buffer[]> {
  const options = { cacheFolder: ".codistill/cache", field };
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

/** Packed alone, without anything from the training text. */
function* packers(whole: Buffer): Generator<[string, number]> {
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
