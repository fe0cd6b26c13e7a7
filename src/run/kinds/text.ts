/** Runs on text: next-token prediction in documents. */
import { z } from "zod";
import { commonOptions, inFull, regimeSchema, runName, sourceSchema } from "../common-schema.js";
import type { TextRunInput } from "../input/run.js";
import { textModelSchema } from "../model-schema.js";
import { languageTaskSchema, smoothingInFull } from "../task-schema.js";
import type { DataKind } from "./kind.js";

const textSplit = z.union(
  [z.number().positive().lt(1), z.strictObject({ source: sourceSchema })],
  "must be a share of the documents, above 0 and below 1, or { source }",
);

const textDataSchema = z.strictObject({
  kind: z.literal("text"),
  source: sourceSchema,
  field: z.string().min(1).optional(),
  separator: z.string().min(1).optional(),
  encoding: z.string().min(1).optional(),
  tokenizer: z.string().min(1).default("bytes"),
  endOfText: z.string().min(1).nullable().optional(),
  validation: textSplit.default(0.05),
  test: textSplit.default(0.05),
  splitBy: z.enum(["hash", "position"]).optional(),
  longest: z.int().positive().optional(),
  dropRepeated: z.boolean().optional(),
  sequenceLength: z.int().positive().default(64),
  regime: regimeSchema,
});

const textRunSchema = z
  .strictObject({
    name: runName,
    data: textDataSchema,
    task: languageTaskSchema.optional(),
    model: textModelSchema,
    ...commonOptions,
  })
  .transform(({ task, ...run }) => {
    const smoothing = smoothingInFull(task?.labelSmoothing);
    const { distillLoss, confidencePenalty } = task ?? {};
    return {
      ...inFull(run),
      task: {
        kind: "language" as const,
        ...(smoothing && { labelSmoothing: smoothing }),
        ...(confidencePenalty !== undefined && { confidencePenalty }),
        ...(distillLoss && { distillLoss }),
      },
    };
  });

/** A configuration of a run on text. */
export type TextRunConfig = z.output<typeof textRunSchema>;

/** The file name of the tokenizer in a run folder, and beside a model. */
export const TOKENIZER_FILE = "tokenizer.json";

export const textKind: DataKind<typeof textRunSchema, TextRunInput> = {
  noun: "text",
  schema: textRunSchema,
  isDocumented: true,
  problems: ({ data, model }) => [...shareProblems(data), ...modelProblems(model)],
  located: (config, absolute) => ({ ...config, data: dataLocated(config.data, absolute) }),
  ownFiles: {
    tokenizer: {
      option: "data.tokenizer",
      copy: TOKENIZER_FILE,
      pathIn: ({ data }) => (data.tokenizer === "bytes" ? undefined : data.tokenizer),
      withPath: (config, tokenizer) => ({ ...config, data: { ...config.data, tokenizer } }),
    },
  },
  numPerStep: ({ globalBatchSize, data }) => globalBatchSize * data.sequenceLength,
  numToTrain: ({ tokens }) => tokens?.train ?? 0,
  isDealtByChance: () => true,
  usage: (_, model) => ({
    signature: "a token and the state in, log probabilities of the next token and the state out",
    command: `sample ${model}`,
    docs: "docs/text.md",
  }),
};

/** All paths of text made absolute. */
function dataLocated(data: TextRunConfig["data"], absolute: (path: string) => string): TextRunConfig["data"] {
  const all = (source: string | readonly string[]) => [source].flat().map(absolute);
  const split = (which: typeof data.validation) => (typeof which === "number" ? which : { source: all(which.source) });
  return {
    ...data,
    source: all(data.source),
    validation: split(data.validation),
    test: split(data.test),
    tokenizer: data.tokenizer === "bytes" ? data.tokenizer : absolute(data.tokenizer),
  };
}

function shareProblems({ validation, test }: TextRunConfig["data"]): string[] {
  const sum = [validation, test].reduce<number>((sum, split) => sum + (typeof split === "number" ? split : 0), 0);
  return sum >= 1 ? [`data: the shares of validation and test must be below 1 together, got ${sum}`] : [];
}

function modelProblems(model: TextRunConfig["model"]): string[] {
  if (model.kind === "lstm") {
    if (!model.tied || model.width === model.hidden) return [];
    return [`model.width: must be model.hidden (${model.hidden}) when model.tied is true, got ${model.width}`];
  }
  if (model.width % (2 * model.heads) === 0) return [];
  return [`model.heads: must divide model.width (${model.width}) into heads of an even depth, got ${model.heads}`];
}
