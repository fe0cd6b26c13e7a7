/** Infers a run from text: its size, the tokens, the network, the expected time, and the configuration. */
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { extname, resolve } from "node:path";
import { corpusOf } from "../../data/text/corpus.js";
import { DataError } from "../../errors.js";
import {
  chooseTextPlan,
  type InferredText,
  LEAST_TEXT,
  type TextPlan,
  type TextTeaching,
  textConfigurationOf,
  textConfigurationText,
  textWithinBudget,
} from "../../infer/text-plan.js";
import { initWeights } from "../../nn/model.js";
import { counted, bytes as inBytes } from "../../report/format.js";
import { resolveConfig } from "../../run/config.js";
import type { TextTeacherInput } from "../../run/input/run.js";
import { configOfKind } from "../../run/kinds/kinds.js";
import { textBatch, textNetwork } from "../../run/text-network.js";
import { textRunSpec } from "../../run/text-spec.js";
import { rootKey, uniform } from "../../runtime/random.js";
import { secondsOfStep } from "../ort/step-seconds.js";
import { relativeTo, runName, writeBeside } from "../runs/write-config.js";
import { type DocumentsOptions, documents, findTexts } from "./documents.js";
import { trainTokenizer } from "./train-tokenizer.js";

/** Text described for training. */
export interface TextDescription {
  readonly files: number;
  readonly documents: number;
  /** Bytes of the text in UTF-8. */
  readonly bytes: number;
  /** The beginning of the text. */
  readonly beginning: string;
  readonly plan: TextPlan;
  /** The expected seconds of training on this machine. */
  readonly seconds: number;
}

/** Characters of the beginning that are shown. */
const BEGINNING = 200;

/**
 * Read the text once, and choose network and training for it and this machine; a few steps are measured to estimate the
 * duration.
 *
 * Throws what {@link documents} throws, and {@link DataError} for too little text to learn from.
 */
export async function describeText(
  source: readonly string[],
  { teaching, ...options }: DocumentsOptions & { readonly teaching?: TextTeaching | undefined },
  cores = availableParallelism(),
): Promise<TextDescription> {
  const { onProgress = () => {} } = options;
  onProgress("reading the text");
  const { files, bytes: fileBytes } = await findTexts(source, options);
  let [numDocuments, bytes, beginning, told] = [0, 0, "", performance.now()];
  for await (const { text, isLast, bytesRead } of documents(files, options)) {
    numDocuments += Number(isLast);
    bytes += Buffer.byteLength(text);
    if (beginning === "") beginning = text.slice(0, BEGINNING);
    if (performance.now() - told < 1000) continue;
    told = performance.now();
    onProgress(`reading: ${inBytes(bytesRead || bytes)} of ${inBytes(fileBytes)}`);
  }
  if (bytes < LEAST_TEXT) {
    throw new DataError(
      `text: a language model is learned from ${inBytes(LEAST_TEXT)} of text at least, and ${counted(files.length, "file has", "files have")} ${inBytes(bytes)}. Give more text${files.length > 0 ? ", and check --field" : ""}.`,
    );
  }
  const plan = chooseTextPlan({ documents: numDocuments, bytes, cores, teaching });
  onProgress("measuring a few steps");
  const size = plan.tokenizerSize ?? 257;
  const perStep = await stepSeconds(plan, size, Math.max(1, Math.floor(cores / plan.numGroups)), teaching);
  const numValidationTokens = (0.02 * bytes) / (plan.tokenizerSize === null ? 1 : 3);
  return {
    files: files.length,
    documents: numDocuments,
    bytes,
    beginning,
    ...textWithinBudget(plan, perStep, numValidationTokens),
  };
}

/**
 * Write the configuration of described text, and learn and write its tokenizer beside it where the plan has one;
 * returns the configuration's path.
 */
export async function writeTextRun(
  { plan }: TextDescription,
  source: readonly string[],
  options: DocumentsOptions & { readonly write?: string | undefined; readonly teaching?: TextTeaching | undefined },
): Promise<string> {
  const { write = "codistill.config.ts", field, encoding, separator, teaching } = options;
  const learn = async (size: number | null) =>
    size === null ? "bytes" : await learnedTokenizer(source, size, write, options);
  const tokenizer = teaching?.tokenizer ?? (await learn(plan.tokenizerSize));
  const inferred: InferredText = {
    name: runName(source, "", "text"),
    source,
    tokenizer,
    field,
    encoding,
    separator,
    plan,
  };
  return writeBeside(
    (folder) =>
      textConfigurationText({
        ...inferred,
        source: source.map((one) => relativeTo(folder, one)),
        tokenizer: tokenizer === "bytes" ? tokenizer : relativeTo(folder, resolve(tokenizer)),
        ...(teaching && { teaching: { ...teaching, teachers: teaching.teachers.map((one) => located(one, folder)) } }),
      }),
    [source, field, encoding, separator, ...(teaching ? [teaching.teachers, teaching.teacherWeight ?? null] : [])],
    write,
  );
}

/**
 * Learn a tokenizer beside the configuration. One that is there is left alone, and a number is added to the name, unless
 * it is the same.
 */
async function learnedTokenizer(
  source: readonly string[],
  size: number,
  beside: string,
  options: DocumentsOptions,
): Promise<string> {
  const stem = beside.slice(0, beside.length - extname(beside).length).replace(/\.config$/, "");
  const nameOf = (number: number) => `${stem}.tokenizer${number === 1 ? "" : `-${number}`}.json`;
  let number = 1;
  while (existsSync(nameOf(number))) number++;
  const { out } = await trainTokenizer(source, { ...options, size, out: nameOf(number) });
  const learned = readFileSync(out);
  for (let before = 1; before < number; before++) {
    const other = nameOf(before);
    if (statSync(other).size !== learned.length || !readFileSync(other).equals(learned)) continue;
    rmSync(out);
    return other;
  }
  return out;
}

/** A teacher whose path begins at the folder of the configuration. */
function located(teacher: TextTeacherInput, folder: string): TextTeacherInput {
  if ("run" in teacher) return { ...teacher, run: relativeTo(folder, teacher.run) };
  return "model" in teacher ? { ...teacher, model: relativeTo(folder, teacher.model) } : teacher;
}

/** The seconds of a step on random tokens, by random weights of the student and its teachers. */
async function stepSeconds(
  plan: TextPlan,
  vocabulary: number,
  threads: number,
  { networks = [] }: Partial<TextTeaching> = {},
): Promise<number> {
  const input = {
    ...textConfigurationOf({ name: "measured", source: ["text"], tokenizer: "bytes", plan }),
    ...(networks.length > 0 && {
      teachers: networks.map((network) => ({ weights: "measured", sha256: "", network })),
    }),
  };
  const config = configOfKind(resolveConfig(input), "text", "measuring steps");
  const tokenCounts = new Float64Array(vocabulary).fill(1);
  const { learner } = textRunSpec(config, { digest: "", tokenizer: { digest: "", size: vocabulary }, tokenCounts });
  const { batchSize, sequenceLength } = textBatch(config);
  const numTokens = 2 * batchSize * (sequenceLength + 1);
  const tokens = Uint32Array.from(uniform(rootKey(1), numTokens), (u) => Math.floor(vocabulary * u));
  const corpus = corpusOf(Float64Array.of(0, numTokens), tokens);
  const stream = textNetwork(config, vocabulary).stream({
    corpus,
    documents: Uint32Array.of(0),
    batchSize,
    sequenceLength,
    key: rootKey(1),
  });
  const fixedWeights = learner.fixedTeachers?.networks?.map(({ model }, i) => initWeights(model, rootKey(i)));
  return secondsOfStep(learner, [stream.next()], config.seed, threads, fixedWeights);
}
