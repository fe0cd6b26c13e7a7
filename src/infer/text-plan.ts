/**
 * The language model and its training for a text and a machine: rules of thumb in one place, each with its reason in
 * words.
 */
import { count, counted, bytes as inBytes, percent, times } from "../report/format.js";
import type { TextModelInput } from "../run/input/model.js";
import type { TextRunInput, TextTeacherInput } from "../run/input/run.js";
import { DEFAULT_TEACHER_WEIGHT } from "../run/teacher-schema.js";
import { configurationFile } from "./configuration.js";
import { roundedSteps } from "./plan.js";

/** What a plan depends on. */
export interface TextFacts {
  readonly documents: number;
  /** Of text in UTF-8. */
  readonly bytes: number;
  readonly cores: number;
  /** What teachers that do not change ask of the plan. */
  readonly teaching?: TextTeaching | undefined;
}

/** Teachers of a plan, and what they ask of it. */
export interface TextTeaching {
  /** As a configuration has them. */
  readonly teachers: readonly TextTeacherInput[];
  readonly teacherWeight?: number;
  /** "bytes", or the path of a tokenizer.json; and how many tokens it has. */
  readonly tokenizer: string;
  readonly tokenizerSize: number;
  readonly endOfText?: string | null;
  /** The most tokens of a sequence that they can teach; null where any number will do. */
  readonly longest: number | null;
  /** The network that the student must have; null where the plan's own will do. */
  readonly network: TextModelInput | null;
  /** Of each that predicts in a step. */
  readonly networks: readonly TextModelInput[];
}

/** A training, ready to be written into a configuration. */
export interface TextPlan {
  /** Tokens to learn, or of the teachers' tokenizer; null where bytes are the tokens. */
  readonly tokenizerSize: number | null;
  /** Characters of a piece, where documents are too few to be dealt out whole; else null. */
  readonly longest: number | null;
  /** Whether validation and test are taken from the end of the text, and not documents at random. */
  readonly isByPosition: boolean;
  readonly model: TextRunInput["model"];
  readonly sequenceLength: number;
  readonly globalBatchSize: number;
  readonly numGroups: number;
  readonly numSteps: number;
  readonly validationInterval: number;
  readonly patience: number;
  /** The reason for each choice. */
  readonly reasons: Readonly<Record<"tokens" | "split" | "model" | "groups" | "batch" | "steps" | "rate", string>> & {
    readonly taught?: string;
  };
}

const MB = 1e6;
/** Tokenizers to learn, by the least bytes of text: their sizes, and about how many bytes their tokens have. */
const TOKENIZERS = [
  { from: 100 * MB, size: 8192, bytesPerToken: 4 },
  { from: 20 * MB, size: 4096, bytesPerToken: 3.5 },
  { from: 2 * MB, size: 2048, bytesPerToken: 3 },
];
/** How often the text is read, by the bytes below which that holds. */
const PASSES = [
  { below: 0.2 * MB, passes: 20 },
  { below: 2 * MB, passes: 10 },
  { below: 20 * MB, passes: 4 },
  { below: 200 * MB, passes: 2 },
  { below: Number.POSITIVE_INFINITY, passes: 1 },
];
const SPLIT = 0.02;
/** The fewest documents of which 2 % are at least one; fewer documents are cut into about {@link PIECES} pieces. */
const ENOUGH_DOCUMENTS = 50;
const PIECES = 200;
const [SHORTEST_PIECE, LONGEST_PIECE] = [200, 20_000];
const [LEAST_STEPS, MOST_STEPS] = [200, 20_000];
const BUDGET_SECONDS = 900;
/** The fewest steps, whatever the budget. */
const LEAST_BUDGET_STEPS = 200;
const START_SECONDS = 4;
const VALIDATIONS = 20;
/** The share that a teacher adds to a step (docs/text.md), as a mean over all steps, half of which have teachers. */
const TEACHER = 0.37 / 2;
/** The fewest bytes that anything is learned from: with fewer a split may be empty. */
export const LEAST_TEXT = 2000;

/** Tokens, model, batch, steps and groups for a text and a machine. */
export function chooseTextPlan({ documents, bytes, cores, teaching }: TextFacts): TextPlan {
  const tokenizer = teaching ? tokensLike(teaching) : TOKENIZERS.find(({ from }) => bytes >= from);
  const tokens = bytes / (tokenizer?.bytesPerToken ?? 1);
  const numGroups = cores >= 4 && tokens >= MB ? 2 : 1;
  const model = teaching?.network ?? modelFor(bytes, tokens, cores);
  const { sequenceLength, globalBatchSize } = batchFor(model, tokens / numGroups, teaching?.longest);
  const passes = PASSES.find(({ below }) => bytes < below)?.passes ?? 1;
  const wanted = (passes * tokens) / numGroups / (sequenceLength * globalBatchSize);
  const numSteps = roundedSteps(Math.min(MOST_STEPS, Math.max(LEAST_STEPS, wanted)));
  const isFew = documents < ENOUGH_DOCUMENTS;
  const longest = isFew ? Math.round(Math.min(LONGEST_PIECE, Math.max(SHORTEST_PIECE, bytes / PIECES))) : null;
  const isByPosition = documents === 1;
  return withIntervals({
    tokenizerSize: tokenizer?.size ?? null,
    longest,
    isByPosition,
    model,
    sequenceLength,
    globalBatchSize,
    numGroups,
    numSteps,
    reasons: {
      tokens: teaching
        ? `${count(teaching.tokenizerSize)}, those of ${teaching.teachers.length === 1 ? "the teacher" : "the teachers"}`
        : tokenizer
          ? `${count(tokenizer.size)}, learned from the text, as it has ${inBytes(bytes)}`
          : `bytes: ${inBytes(bytes)} of text are too little to learn larger tokens from`,
      split: splitReason(documents, longest),
      model: teaching?.network
        ? `${nameOf(model)}, as that of the teacher`
        : `${nameOf(model)}: for ${inBytes(bytes)} of text and ${counted(cores, "core")}`,
      groups:
        numGroups === 1
          ? "1: two groups pay from 4 cores and a million tokens on (docs/studies.md); numGroups says otherwise"
          : "2, which learn from one another's predictions, each on its half of the text",
      batch: `${count(globalBatchSize)} texts of ${count(sequenceLength)} tokens`,
      steps: `${count(numSteps)}: the text is read ${times((numSteps * sequenceLength * globalBatchSize * numGroups) / tokens)} times; stopped before when validation no longer improves`,
      ...(teaching && {
        taught: `${percent(teaching.teacherWeight ?? DEFAULT_TEACHER_WEIGHT)} of the label loss is against ${counted(teaching.teachers.length, "fixed teacher")}`,
      }),
      rate: "0.003 with adam, up from 0 in the first 5 % of the steps and down to 0 by a cosine; gradients are clipped at norm 1",
    },
  });
}

/**
 * Cut a plan so that it is expected to stay within a quarter of an hour, and estimate its seconds, from the measured
 * seconds of a step.
 */
export function textWithinBudget(
  plan: TextPlan,
  stepSeconds: number,
  numValidationTokens: number,
): { readonly plan: TextPlan; readonly seconds: number } {
  const perStep = stepSeconds * (1 + TEACHER * (plan.numGroups - 1));
  const validation = ((numValidationTokens / (plan.globalBatchSize * plan.sequenceLength)) * stepSeconds) / 3;
  const secondsOf = (numSteps: number) => START_SECONDS + numSteps * perStep + VALIDATIONS * validation;
  const seconds = secondsOf(plan.numSteps);
  if (seconds <= BUDGET_SECONDS) return { plan, seconds };
  const room = (BUDGET_SECONDS - START_SECONDS - VALIDATIONS * validation) / perStep;
  const numSteps = Math.min(plan.numSteps, Math.max(LEAST_BUDGET_STEPS, roundedSteps(room)));
  const steps = `${count(numSteps)} instead of ${count(plan.numSteps)}, to stay within ${Math.round(BUDGET_SECONDS / 60)} minutes; raise numSteps for a better model`;
  return {
    plan: withIntervals({ ...plan, numSteps, reasons: { ...plan.reasons, steps } }),
    seconds: secondsOf(numSteps),
  };
}

function withIntervals(plan: Omit<TextPlan, "validationInterval" | "patience">): TextPlan {
  return { ...plan, validationInterval: Math.max(1, Math.round(plan.numSteps / VALIDATIONS)), patience: 5 };
}

function modelFor(bytes: number, tokens: number, cores: number): TextRunInput["model"] {
  if (bytes < 0.1 * MB) return { kind: "lstm", width: 32, hidden: 128, layers: 1 };
  if (bytes < 2 * MB) return { kind: "lstm", width: 64, hidden: 256 };
  return { kind: "transformer", size: tokens > 30 * MB && cores >= 8 ? "3M" : "1M" };
}

/** What a token of another tokenizer is taken to have, by its size. */
function tokensLike({ tokenizer, tokenizerSize }: TextTeaching) {
  if (tokenizer === "bytes") return undefined;
  const { bytesPerToken } = TOKENIZERS.find(({ size }) => tokenizerSize >= size) ?? { bytesPerToken: 2.5 };
  return { size: tokenizerSize, bytesPerToken };
}

function nameOf(model: TextRunInput["model"]): string {
  if (model.kind === "transformer" && model.size === undefined) return `a transformer of width ${model.width}`;
  if (model.kind === "transformer") return `a transformer of size ${model.size}`;
  return `${counted(model.layers ?? 2, "LSTM")} of ${model.hidden} hidden units`;
}

/** The batch size and sequence length, smaller where a group would have too little text for eight batches. */
function batchFor(model: TextRunInput["model"], tokensOfGroup: number, longest: number | null = null) {
  const wanted = model.kind === "lstm" ? 64 : 128;
  let [globalBatchSize, sequenceLength] = [16, Math.min(wanted, longest ?? wanted)];
  const isTooMuch = () => 8 * globalBatchSize * (sequenceLength + 1) > tokensOfGroup;
  while (isTooMuch() && globalBatchSize > 1) globalBatchSize /= 2;
  while (isTooMuch() && sequenceLength > 8) sequenceLength /= 2;
  return { globalBatchSize, sequenceLength };
}

function splitReason(documents: number, longest: number | null): string {
  const shares = `${100 * SPLIT} % for validation and ${100 * SPLIT} % for test`;
  if (longest === null) return `${shares}, whole documents by the rank of their hash`;
  const pieces = `pieces of up to ${count(longest)} characters`;
  if (documents === 1) return `${shares}: the end of the one document, in ${pieces}, with validation last`;
  return `${shares}, ${pieces} by the rank of their hash, as ${counted(documents, "document")} are too few; give data.validation and data.test sources of their own to test on whole ones`;
}

/** An inferred run on text. */
export interface InferredText {
  readonly name: string;
  readonly source: readonly string[];
  /** "bytes", or the path of the tokenizer that was learned. */
  readonly tokenizer: string;
  readonly field?: string | undefined;
  readonly encoding?: string | undefined;
  readonly separator?: string | undefined;
  /** The teachers' paths as the configuration should name them. */
  readonly teaching?: TextTeaching | undefined;
  readonly plan: TextPlan;
}

/** The configuration as a value. */
export function textConfigurationOf({
  name,
  source,
  tokenizer,
  field,
  encoding,
  separator,
  teaching,
  plan,
}: InferredText): TextRunInput {
  const [only = ""] = source;
  return {
    name,
    data: {
      kind: "text",
      source: source.length === 1 ? only : [...source],
      ...(field !== undefined && { field }),
      ...(separator !== undefined && { separator }),
      ...(encoding !== undefined && { encoding }),
      tokenizer,
      ...(teaching?.endOfText !== undefined && { endOfText: teaching.endOfText }),
      validation: SPLIT,
      test: SPLIT,
      ...(plan.longest !== null && { longest: plan.longest }),
      ...(plan.isByPosition && { splitBy: "position" as const }),
      sequenceLength: plan.sequenceLength,
    },
    model: plan.model,
    ...(teaching && { teachers: teaching.teachers }),
    ...(teaching?.teacherWeight !== undefined && { teacherWeight: teaching.teacherWeight }),
    optimizer: {
      kind: "adam",
      learningRate: 3e-3,
      schedule: "cosine",
      warmUp: "5%",
      clip: { norm: 1 },
    },
    numGroups: plan.numGroups,
    numSteps: plan.numSteps,
    globalBatchSize: plan.globalBatchSize,
    earlyStopping: { patience: plan.patience },
    validationInterval: plan.validationInterval,
    checkpointInterval: plan.validationInterval,
  };
}

/** The same as the text of `codistill.config.ts`, with the reasons as comments. */
export function textConfigurationText(inferred: InferredText): string {
  const { reasons } = inferred.plan;
  const comments = new Map([
    ["data.tokenizer", reasons.tokens],
    ["data.validation", reasons.split],
    ["model", reasons.model],
    ["teachers", "do not change; their mean prediction makes teacherWeight of the label loss, 0.5 by default"],
    ["optimizer", reasons.rate],
    ["numGroups", reasons.groups],
    ["numSteps", reasons.steps],
    ["globalBatchSize", reasons.batch],
  ]);
  return configurationFile("the text", textConfigurationOf(inferred), comments);
}
