/** Teachers of text as flags give them, and what they ask of the student's plan. */
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { ConfigError } from "../../errors.js";
import type { TextTeaching } from "../../infer/text-plan.js";
import type { TextTeacherInput } from "../../run/input/run.js";
import { loadConfig } from "../runs/load-config.js";
import { runFolder } from "../runs/run-folder.js";
import { openTeacher } from "../runs/text-teachers.js";
import { tokenizerOf } from "./prepare-text.js";

/** The flags that name teachers. */
export interface TeacherFlags {
  readonly teacher?: readonly string[];
  readonly anchor?: string;
  readonly teacherWeight?: number;
}

/**
 * What the teachers that flags name ask of a student: their tokenizer, and sequences and a network that they can teach; undefined
 * where none is named. A student with an anchor has the anchor's network, as it takes its place.
 *
 * Throws {@link ConfigError} for a weight without teachers, for a teacher that is no run on text, and what a teacher's files break.
 */
export async function teachingOf(flags: TeacherFlags): Promise<TextTeaching | undefined> {
  const { teacher = [], anchor, teacherWeight } = flags;
  const words = [
    ...teacher.map((word) => ["--teacher", word] as const),
    ...(anchor === undefined ? [] : [["--anchor", anchor] as const]),
  ];
  if (words.length === 0) {
    if (teacherWeight === undefined) return undefined;
    throw new ConfigError(
      `--teacher-weight is of --teacher or --anchor, and neither is given, got ${teacherWeight}: name a teacher, or leave it out`,
    );
  }
  const opened = [];
  for (const [flag, word] of words) {
    const given = teacherNamed(flag, word);
    const { config, files } = await openTeacher(given, `${flag} ${word}`, loadConfig);
    opened.push({ given, config, files, isAnchor: flag === "--anchor" });
  }
  const [first] = opened as [(typeof opened)[number]];
  const { tokenizer, endOfText } = first.config.data;
  const lengths = opened.flatMap(({ config: { model, data } }) => (model.kind === "lstm" ? [] : [data.sequenceLength]));
  const own = opened.find(({ isAnchor }) => isAnchor) ?? opened.find(({ config }) => config.model.kind === "lstm");
  return {
    teachers: opened.map(({ given }) => given),
    ...(teacherWeight !== undefined && { teacherWeight }),
    tokenizer: tokenizer === "bytes" ? tokenizer : relative("", tokenizer),
    tokenizerSize: tokenizerOf(first.config.data).size,
    ...(endOfText !== undefined && { endOfText }),
    longest: lengths.length === 0 ? null : Math.min(...lengths),
    network: own?.config.model ?? null,
    networks: opened.flatMap(({ config, files }) => files.map(() => config.model)),
  };
}

/** A run folder, or weights beside the configuration of their run: the model.onnx of a run stands for the weights beside it. */
function teacherNamed(flag: string, word: string): TextTeacherInput {
  if (/\.safetensors$/i.test(word)) return { model: word };
  if (!/\.onnx$/i.test(word)) return { run: word };
  const { config, model } = runFolder(dirname(word));
  if (word === model.onnx && existsSync(config) && existsSync(model.safetensors)) return { model: model.safetensors };
  throw new ConfigError(
    `${flag} ${word}: a teacher of text is the folder of a run, or its model.safetensors with its config.json beside it, which say its network and its weights; of a copy of the ONNX file alone neither is known. Name the folder, as in ${flag} ${join("runs", "books-2026-01-31T12-00-00")}.`,
  );
}
