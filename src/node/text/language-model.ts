/** An exported language model, opened as anybody would: ONNX Runtime alone computes it. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { CheckpointError, ConfigError } from "../../errors.js";
import { exportText, textNames } from "../../run/export-text.js";
import { isOfText } from "../../run/schema.js";
import { readBest } from "../../run/score.js";
import { textNetwork } from "../../run/text-work.js";
import { sizeOf } from "../../runtime/array.js";
import { mapValues } from "../../runtime/named.js";
import { directoryStore } from "../directory-store.js";
import { loadConfig } from "../load-config.js";
import { metadataOf, openSession } from "../model-file.js";
import { Tensor } from "../ort/library.js";
import { runFolder } from "../run-folder.js";
import { tokenizerOf } from "./prepare-text.js";
import { byteTokenizer, openTokenizer, type Tokenizer } from "./tokenizer.js";

/** The state of texts that are read side by side, by its names. */
export type TextState = Readonly<Record<string, Float32Array>>;

export interface LanguageModel {
  readonly tokenizer: Tokenizer;
  /** The state where texts begin, one by default. */
  begin(numTexts?: number): TextState;
  /** Read a unit of each text: the log probabilities of their next ones [texts, units], and the state after them. */
  read(units: Int32Array, state: TextState): Promise<{ readonly logProbs: Float32Array; readonly state: TextState }>;
  close(): Promise<void>;
}

const metadataSchema = z.object({
  format: z.literal("codistill.model"),
  task: z.literal("language"),
  tokenizer: z.string(),
  state: z
    .string()
    .transform((text) => JSON.parse(text) as unknown)
    .pipe(z.record(z.string(), z.array(z.int().positive()).min(1))),
});

/**
 * Open the language model of a `model.onnx`, of a run folder, or of a group of one, by the best it has so far.
 *
 * Throws {@link ConfigError} when there is none, and {@link CheckpointError} when it is no language model of ours.
 */
export async function openLanguageModel(path: string, group?: number): Promise<LanguageModel> {
  if (!existsSync(path))
    throw new ConfigError(`language model: there is no ${path}. Give the model.onnx of a run, or its folder.`);
  const isRun = statSync(path).isDirectory();
  if (group !== undefined && !isRun)
    throw new ConfigError(`language model: --group is of a run folder, and ${path} is a file`);
  if (!isRun) return opened(path, readFileSync(path), (name) => tokenizerFrom(name, dirname(path)));
  const { model } = runFolder(path);
  if (group === undefined && existsSync(model.onnx)) {
    return opened(model.onnx, readFileSync(model.onnx), (name) => tokenizerFrom(name, path));
  }
  return ofGroup(path, group ?? 0);
}

/** The best that a group has, exported here and now. */
async function ofGroup(path: string, group: number): Promise<LanguageModel> {
  const folder = runFolder(path);
  if (!existsSync(folder.config))
    throw new ConfigError(`language model: ${path} is no run folder; it has no ${basename(folder.config)}`);
  const config = await loadConfig(folder.config);
  if (!isOfText(config)) throw new ConfigError(`language model: a language model is needed, and ${path} is of a table`);
  const best = await readBest(directoryStore(folder.group(group).path));
  if (!best)
    throw new ConfigError(
      `language model: group ${group} of ${path} has nothing yet; its first validation comes first`,
    );
  const tokenizer = tokenizerOf(config.data);
  const metadata = { format: "codistill.model", task: "language", tokenizer: config.data.tokenizer };
  const bytes = exportText(textNetwork(config, tokenizer.size).reader, best.params, metadata);
  return opened(path, bytes, () => tokenizer);
}

function tokenizerFrom(name: string, folder: string): Tokenizer {
  return name === "bytes" ? byteTokenizer() : openTokenizer(join(folder, name));
}

async function opened(
  path: string,
  bytes: Uint8Array,
  tokenizerOf: (name: string) => Tokenizer,
): Promise<LanguageModel> {
  const { state: shapes, tokenizer: name } = readMetadata(path, bytes);
  const tokenizer = tokenizerOf(name);
  const session = await openSession(path, bytes);
  const { before, after, ids, logProbs } = textNames;
  return {
    tokenizer,
    begin: (numTexts = 1) => mapValues(shapes, (shape) => new Float32Array(numTexts * sizeOf(shape))),
    async read(units, state) {
      const parts = Object.entries(state).map(([part, values]) => [
        `${before}.${part}`,
        new Tensor(values, [units.length, ...(shapes[part] ?? [])]),
      ]);
      const outputs = await session.run({ [ids]: new Tensor(units, [units.length]), ...Object.fromEntries(parts) });
      const valuesOf = (output: string) => outputs[output]?.data as Float32Array;
      return {
        logProbs: valuesOf(logProbs),
        state: Object.fromEntries(Object.keys(shapes).map((part) => [part, valuesOf(`${after}.${part}`)])),
      };
    },
    close: () => session.release(),
  };
}

/** Whether a file or a folder is of a language model; what is neither is none. */
export function isLanguageModel(path: string): boolean {
  if (!existsSync(path)) return false;
  if (statSync(path).isDirectory()) return existsSync(runFolder(path).config);
  try {
    return metadataOf(path, readFileSync(path)).task === "language";
  } catch {
    return false;
  }
}

function readMetadata(path: string, bytes: Uint8Array): z.output<typeof metadataSchema> {
  const parsed = metadataSchema.safeParse(metadataOf(path, bytes));
  if (parsed.success) return parsed.data;
  throw new CheckpointError(`${path} is not a language model of codistill. Give the model.onnx of a run on text.`);
}
