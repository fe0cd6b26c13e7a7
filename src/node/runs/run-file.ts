/** The JSON files of a run folder: plain records, with the version of their format beside their own names. */
import { existsSync } from "node:fs";
import type { z } from "zod";
import { problemsOf } from "../../checkpoint/fields.js";
import { checkVersion, decodeJson, encodeJson } from "../../checkpoint/json.js";
import { CheckpointError } from "../../errors.js";
import { readWithin } from "../files/read-bounded.js";

/** The version of every JSON file and of the logs in a run folder. */
export const RUN_FOLDER_VERSION = 2;

/** Encode a record as the bytes of a file. */
export function encodeRunFile(value: object): Uint8Array {
  return encodeJson({ version: RUN_FOLDER_VERSION, ...value }, 2);
}

/**
 * The record in a file, without its version and not checked further; undefined when there is no file, or it is not a
 * record. Throws {@link CheckpointError} when it is of another version, and what {@link readWithin} throws.
 */
export function readRunFile(path: string): Readonly<Record<string, unknown>> | undefined {
  const value = existsSync(path) ? withoutVersion(path, decodeJson(readWithin(path))) : undefined;
  return isRecord(value) ? value : undefined;
}

/**
 * The record in a file, checked by a schema.
 *
 * Throws {@link CheckpointError} when the file is missing, damaged or of another version, and what {@link readWithin}
 * throws.
 */
export function checkedRunFile<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> {
  const record = readRunFile(path);
  const parsed = schema.safeParse(record);
  if (parsed.success) return parsed.data;
  const why = record === undefined ? "it must hold a record of JSON" : problemsOf(parsed.error);
  throw new CheckpointError(`${path} is damaged: ${why}. Put it back as it was.`);
}

/** A value as it was before {@link encodeRunFile}. Throws {@link CheckpointError} when it is of another version. */
export function withoutVersion(path: string, value: unknown): unknown {
  if (!isRecord(value)) return value;
  const { version, ...own } = value;
  checkVersion(path, version, RUN_FOLDER_VERSION);
  return own;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
