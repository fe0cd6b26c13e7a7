/** Runs on text: documents as tokens, models that predict the next one. */
import { readFileSync } from "node:fs";
import { slotsUnder } from "../../data/shard.js";
import { documentsOf, type TextSpec } from "../../data/text/text.js";
import { percent } from "../../report/format.js";
import { textApart } from "../../run/apart.js";
import { exportText } from "../../run/export-text.js";
import { type TextRunConfig, TOKENIZER_FILE } from "../../run/kinds/text.js";
import { scoreTextRun } from "../../run/score-text.js";
import { DEFAULT_TEACHER_WEIGHT } from "../../run/teacher-schema.js";
import { networkText, streamSizes, textBatch, textNetwork } from "../../run/text-network.js";
import { textGroupSpec, textRunSpec } from "../../run/text-spec.js";
import { notedTeachers } from "../../run/text-teachers.js";
import { rootKey } from "../../runtime/random.js";
import type { DataReader } from "../runs/data-reader.js";
import { readTeachers } from "../runs/text-teachers.js";
import { memoryBudget } from "../sources/memory.js";
import { prepareText } from "./prepare-text.js";
import { openText } from "./text-cache.js";
import { textMetadata } from "./text-metadata.js";
import { describeTextShards, textShardLines } from "./text-shards.js";
import { openTokenizer } from "./tokenizer.js";

export const textReader: DataReader<TextRunConfig> = {
  async prepare(config, options) {
    const { data } = config;
    const text = await prepareText(textSpecOf(config), options);
    const tokenizerFile = data.tokenizer === "bytes" ? null : readFileSync(data.tokenizer);
    const { validation, test, sizes } = text;
    if (!validation || !test) throw new Error("internal: prepareText opens every split");
    const spec = textRunSpec(config, text);
    const network = textNetwork(config, text.tokenizer.size);
    const { train, tokenCounts } = text;
    const tested = { train, tokenCounts, vocabulary: text.tokenizer.size, test, size: sizes.test };
    const of = (what: "documents" | "tokens") => ({
      train: sizes.train[what],
      validation: sizes.validation[what],
      test: sizes.test[what],
    });
    return {
      spec,
      sizes: { rows: of("documents"), tokens: of("tokens") },
      notes: [...text.notes, ...teacherNotes(config)],
      cached: text.cached,
      folder: text.folder,
      checkShards() {
        for (let group = 0; group < config.numGroups; group++) {
          const documents = documentsOf(text.train, slotsUnder(data, group, config.numGroups));
          network.stream({
            corpus: text.train,
            documents,
            ...textBatch(config),
            ...streamSizes(config),
            key: rootKey(0),
          });
        }
      },
      apart: (engine, models, signal) => textApart(engine, config, spec, models, test, signal),
      validated: async () => ({}),
      async score(engine, groups, shippedGroup, signal) {
        const fixedWeights = await readTeachers(config, "");
        return scoreTextRun({ engine, config, spec, text: tested, shippedGroup, fixedWeights, signal }, groups);
      },
      metadata: textMetadata(config, text.tokenizer),
      exported: ({ params }, metadata) => ({
        "model.onnx": exportText(network.reader, params, metadata),
        // Where the run folder has its own copy, these are the same bytes.
        ...(tokenizerFile && { [TOKENIZER_FILE]: tokenizerFile }),
      }),
    };
  },
  async open(config, cacheFolder, groupIndex) {
    const slots = slotsUnder(config.data, groupIndex, config.numGroups);
    const memoryBytes = memoryBudget() / (config.numGroups * config.workers);
    const text = await openText(cacheFolder, { slots, leaveOut: ["test"], memoryBytes });
    const { train, validation, sizes } = text;
    if (!validation) throw new Error("internal: validation documents were left out");
    const spec = textGroupSpec(config, {
      ...text,
      validation,
      size: sizes.validation,
      shard: Uint32Array.from({ length: train.numDocuments }, (_, d) => d),
    });
    return { ...spec, meaning: { tokenizerSha256: text.tokenizer.digest, network: networkText(config.model) } };
  },
  async shards(config, slots, cacheFolder) {
    const text = await prepareText(textSpecOf(config), { cacheFolder });
    const report = describeTextShards(text, config.data.regime, slots);
    return { report, lines: () => textShardLines(report) };
  },
  // Teachers were checked when the configuration was loaded.
  checkOwnFile: (name, path) => void (name === "tokenizer" && openTokenizer(path)),
};

/** What the teachers of a run do, in words. */
function teacherNotes({ teachers, teacherWeight = DEFAULT_TEACHER_WEIGHT }: TextRunConfig): string[] {
  if (!teachers) return [];
  const unsaid = notedTeachers({ teachers }).flatMap(({ isNetworkSaid = true, network }, i) =>
    isNetworkSaid || network.kind !== "transformer"
      ? []
      : [
          `the weights of teachers.${i} do not say their network, and their shapes do not tell the number of heads: the ${network.heads} of the configuration are taken`,
        ],
  );
  const whose = teachers.length === 1 ? "its teacher predicts" : `the mean of ${teachers.length} teachers predicts`;
  return [
    `${percent(teacherWeight)} of the label loss is against what ${whose} of each batch, in the step (teachers, teacherWeight)`,
    ...unsaid,
  ];
}

/** The spec of a configuration's text. */
export function textSpecOf({ data }: TextRunConfig): TextSpec {
  const { kind: _kind, regime: _, sequenceLength: _length, source, tokenizer, validation, test, ...options } = data;
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { source, tokenizer, validation, test, ...Object.fromEntries(given) };
}
