/** Runs on text: next-token prediction in documents. */
import { z } from "zod";
import { commonOptions, inFull, regimeSchema, runName, sharesSchema, sourceSchema } from "../common-schema.js";
import type { TextRunInput } from "../input/run.js";
import { textModelSchema } from "../model-schema.js";
import { languageTaskSchema, smoothingInFull } from "../task-schema.js";
import { MAX_TEACHERS, teacherWeightProblems, textTeachers } from "../teacher-schema.js";
import type { DataKind, OwnFile } from "./kind.js";

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
  shares: sharesSchema,
});

const textRunSchema = z
  .strictObject({
    name: runName,
    data: textDataSchema,
    task: languageTaskSchema.optional(),
    model: textModelSchema,
    ...textTeachers,
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
  problems: (config) => [
    ...shareProblems(config.data),
    ...networkProblems("model", config.model),
    ...teacherProblems(config),
  ],
  located: (config, absolute) => {
    const { data, teachers } = config;
    const own = teachers?.map((one) => teacherLocated(one, absolute));
    return { ...config, data: dataLocated(data, absolute), ...(own && { teachers: own }) };
  },
  ownFiles: {
    tokenizer: {
      option: "data.tokenizer",
      copy: TOKENIZER_FILE,
      pathIn: ({ data }) => (data.tokenizer === "bytes" ? undefined : data.tokenizer),
      withPath: (config, tokenizer) => ({ ...config, data: { ...config.data, tokenizer } }),
    },
    ...Object.fromEntries(Array.from({ length: MAX_TEACHERS }, (_, i) => [`teacher ${i + 1}`, teacherFile(i)])),
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

function networkProblems(path: string, model: TextRunConfig["model"]): string[] {
  if (model.kind === "lstm") {
    if (!model.tied || model.width === model.hidden) return [];
    return [`${path}.width: must be ${path}.hidden (${model.hidden}) when ${path}.tied is true, got ${model.width}`];
  }
  if (model.width % (2 * model.heads) === 0) return [];
  return [`${path}.heads: must divide ${path}.width (${model.width}) into heads of an even depth, got ${model.heads}`];
}

type Teacher = NonNullable<TextRunConfig["teachers"]>[number];

function teacherProblems(config: TextRunConfig): string[] {
  const { teachers = [], algorithm } = config;
  const ofNetworks = teachers.flatMap((one, i) =>
    "network" in one ? networkProblems(`teachers.${i}.network`, one.network) : [],
  );
  if (teachers.length > 0 && algorithm.kind === "asyncSgd") {
    ofNetworks.push(
      'teachers: of text predict in the step, which workers of algorithm "asyncSgd" take apart from one another and without them; use algorithm "codistill" or "plain", or leave teachers out',
    );
  }
  return [...teacherWeightProblems(config), ...ofNetworks];
}

function teacherLocated(teacher: Teacher, absolute: (path: string) => string): Teacher {
  if ("run" in teacher) return { ...teacher, run: absolute(teacher.run) };
  if ("model" in teacher) return { ...teacher, model: absolute(teacher.model) };
  return { ...teacher, weights: absolute(teacher.weights) };
}

/** The weights of the teacher at a place in the list. */
function teacherFile(place: number): OwnFile<TextRunConfig> {
  const own = ({ teachers }: TextRunConfig) => {
    const teacher = teachers?.[place];
    return teacher && "weights" in teacher ? teacher : undefined;
  };
  return {
    option: `teachers.${place}`,
    copy: `teacher-${place + 1}.safetensors`,
    pathIn: (config) => own(config)?.weights,
    noted: (config) => own(config)?.sha256,
    withPath: (config, weights) => ({
      ...config,
      ...(config.teachers && {
        teachers: config.teachers.map((one, i) => (i === place && "weights" in one ? { ...one, weights } : one)),
      }),
    }),
  };
}
