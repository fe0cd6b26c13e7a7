/** Teachers of a run on text that do not change: their networks over the student's batches. */
import type { Model } from "../nn/model.js";
import { readingLanes, readingSequences } from "../nn/relaid.js";
import type { FixedTeachers } from "../train/learner.js";
import type { TextRunConfig } from "./kinds/text.js";
import { DEFAULT_TEACHER_WEIGHT } from "./teacher-schema.js";
import { textBatch, textNetwork } from "./text-network.js";

type Teacher = NonNullable<TextRunConfig["teachers"]>[number];

/** A teacher as a run keeps it: weights in a file of this content, and their network. */
export type NotedTeacher = Extract<Teacher, { readonly weights: string }>;

/** The teachers of a configuration that was loaded from a file, by which each became weights and their network. */
export function notedTeachers({ teachers = [] }: Pick<TextRunConfig, "teachers">): readonly NotedTeacher[] {
  return teachers.map((one) => {
    if ("weights" in one) return one;
    throw new Error("internal: a teacher was not noted");
  });
}

/**
 * The network of a teacher, for the batches of the student's run. A transformer reads an LSTM's texts as sequences of their own, and an
 * LSTM a transformer's sequences as texts of their own: these come from anywhere in the text, so that no state goes on from one batch to
 * the next.
 */
export function teacherNetwork(config: TextRunConfig, network: TextRunConfig["model"], vocabulary: number): Model {
  const { model } = textNetwork({ ...config, model: network }, vocabulary);
  if (network.kind === config.model.kind) return model;
  const { batchSize, sequenceLength } = textBatch(config);
  return (network.kind === "lstm" ? readingSequences : readingLanes)(model, batchSize, sequenceLength);
}

/** What a run's teachers are to its learner; undefined without any. */
export function fixedTeachersOf(config: TextRunConfig, vocabulary: number): FixedTeachers | undefined {
  if (!config.teachers) return undefined;
  return {
    weight: config.teacherWeight ?? DEFAULT_TEACHER_WEIGHT,
    precision: config.teacherPrecision,
    networks: notedTeachers(config).map(({ network, weight }) => ({
      model: teacherNetwork(config, network, vocabulary),
      share: weight,
    })),
  };
}
