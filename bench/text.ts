/** How fast batches of text come from the cache, from memory and from its file: `npm run bench:text`, some seconds. */
import { laneStream, sequenceStream, type TextStreamOptions } from "../src/data/text/streams.js";
import { loadConfig } from "../src/node/runs/load-config.js";
import { prepareText } from "../src/node/text/prepare-text.js";
import { openText } from "../src/node/text/text-cache.js";
import { textSpecOf } from "../src/node/text/text-reader.js";
import { table } from "../src/report/format.js";
import { configOfKind } from "../src/run/kinds/kinds.js";
import { rootKey } from "../src/runtime/random.js";
import { writeFigures } from "./children.js";
import { thisMachine } from "./machine.js";
import { median } from "./statistics.js";

const streams = { lanes: laneStream, sequences: sequenceStream } as const;
/** Texts of a batch, and tokens of each. */
const SIZES = [
  [16, 64],
  [32, 128],
] as const;
const ROUNDS = 7;
const TOKENS_OF_A_ROUND = 2 ** 20;

/** Tokens per second, the median of rounds. */
function measure(stream: (options: TextStreamOptions) => { next(): unknown }, options: TextStreamOptions): number {
  const batches = stream(options);
  const numBatches = Math.ceil(TOKENS_OF_A_ROUND / (options.batchSize * options.sequenceLength));
  const rounds = Array.from({ length: ROUNDS }, () => {
    const started = performance.now();
    for (let i = 0; i < numBatches; i++) batches.next();
    return (1000 * numBatches * options.batchSize * options.sequenceLength) / (performance.now() - started);
  });
  return median(rounds);
}

const machine = thisMachine();
const config = configOfKind(await loadConfig("recipes/gutenberg.config.ts"), "text", "this benchmark", "the recipe");
const { folder } = await prepareText(textSpecOf(config), { cacheFolder: ".codistill/cache" });
const results = [];
for (const [from, memoryBytes] of Object.entries({ memory: Number.POSITIVE_INFINITY, file: 0 })) {
  const { train: corpus } = await openText(folder, { memoryBytes });
  const documents = Uint32Array.from({ length: corpus.numDocuments }, (_, d) => d);
  for (const [name, stream] of Object.entries(streams))
    for (const [batchSize, sequenceLength] of SIZES) {
      const tokensPerSecond = measure(stream, { corpus, documents, batchSize, sequenceLength, key: rootKey(1) });
      results.push({ from, stream: name, batchSize, sequenceLength, tokensPerSecond });
    }
}
const lines = results.map(({ from, stream, batchSize, sequenceLength, tokensPerSecond }) => [
  from,
  stream,
  `${batchSize} x ${sequenceLength}`,
  `${(tokensPerSecond / 1e6).toFixed(1)} M`,
]);
process.stdout.write(`${table([["from", "as", "batch", "tokens/s"], ...lines]).join("\n")}\n`);
await writeFigures("text", machine, results);
