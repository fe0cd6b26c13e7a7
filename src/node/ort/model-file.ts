/** Exported models as files: their metadata and checks, and their sessions in ONNX Runtime. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { checkVersion, decodeJson } from "../../checkpoint/json.js";
import { checkSeal, SEAL, type SealedKind } from "../../checkpoint/seal.js";
import { CheckpointError, ConfigError, DamagedError, messageOf } from "../../errors.js";
import { decodeModel, isWhollyKnown, type ModelProto } from "../../graph/onnx-proto.js";
import { shortened } from "../../report/format.js";
import { graphProblem } from "../../serving/model-graph.js";
import { readRegular } from "../files/plain-files.js";
import { InferenceSession } from "./library.js";

/** The `format` in the metadata of an exported model, and its version. */
export const MODEL_FORMAT = "codistill.model";
export const MODEL_VERSION = 2;

/** A model's file, decoded once for all that look at it. */
export interface ModelFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly model: ModelProto;
  /** Its metadata by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Read a model's file. Throws {@link ConfigError} when it cannot be read, and what {@link modelFile} throws. */
export function readModelFile(path: string): ModelFile {
  return modelFile(path, bytesAt(path));
}

/** Decode a model from the bytes of its file. Throws {@link CheckpointError} when they are not an ONNX model. */
export function modelFile(path: string, bytes: Uint8Array): ModelFile {
  const model = decoded(path, bytes);
  const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
  return { path, bytes, model, metadata };
}

function bytesAt(path: string): Uint8Array {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    const own = join(path, "model.onnx");
    const cure = existsSync(own) ? `Give its model, ${own}` : "Give the model.onnx of a run";
    throw new ConfigError(`model: ${path} is a folder, and a model is a file. ${cure}.`);
  }
  try {
    return readRegular(path);
  } catch (error) {
    throw new ConfigError(`model: ${path} cannot be read: ${messageOf(error)}. Give the model.onnx of a run.`, {
      cause: error,
    });
  }
}

function decoded(path: string, bytes: Uint8Array): ModelProto {
  const refuse = (why: string, cause?: unknown): never => {
    throw new CheckpointError(`${path} is not an ONNX model: ${why}. Give the model.onnx of a run.`, { cause });
  };
  let model: ModelProto;
  try {
    model = decodeModel(bytes);
  } catch (error) {
    return refuse(messageOf(error), error);
  }
  // Bytes that hold no message, such as none at all, decode to a model without a graph.
  return model.graph ? model : refuse(bytes.length === 0 ? "the file is empty" : "it has no graph");
}

/**
 * Check a model's file by its metadata: the version of the format, and the digest of the file. Models of other programs
 * pass.
 *
 * Throws {@link CheckpointError} when it is of another version or damaged.
 */
export async function checkModelFile(
  { path, bytes, metadata }: Pick<ModelFile, "path" | "bytes" | "metadata">,
  kind: SealedKind = "onnx",
): Promise<void> {
  if (metadata.format !== MODEL_FORMAT) return;
  await checkSeal(path, bytes, kind).catch((error: unknown) => {
    if (!(error instanceof DamagedError)) throw error;
    const cure = "Go on with its run (codistill train --resume), which writes it anew";
    const unless = `a program that changed it on purpose must leave ${SEAL} out of its metadata`;
    throw new DamagedError(`${error.message}. ${cure}; ${unless}.`, { cause: error });
  });
  checkVersion(path, Number(metadata.version ?? MODEL_VERSION), MODEL_VERSION);
}

/** A schema of JSON in metadata; text that is not JSON is an issue of the schema. */
export const jsonText = z.string().transform((text, context): unknown => {
  const value = decodeJson(text);
  if (value === undefined) context.addIssue({ code: "custom", message: "must be JSON" });
  return value;
});

/** Throws {@link CheckpointError} unless a model has these inputs and outputs, which its metadata promise. */
export function checkNames(
  { path, model: { graph } }: ModelFile,
  promised: { readonly inputs: readonly string[]; readonly outputs: readonly string[] },
): void {
  for (const [what, values, names] of [
    ["input", graph.input, promised.inputs],
    ["output", graph.output, promised.outputs],
  ] as const) {
    const has = values.map(({ name }) => name);
    const missing = names.filter((name) => !has.includes(name));
    if (missing.length === 0 && has.length === names.length) continue;
    throw new CheckpointError(
      `${path} must have the ${what}s that its metadata promise (${shown(names)}), and has ${shown(has)}. Give the model.onnx of a run as it was written.`,
    );
  }
}

const shown = (names: readonly string[]) => shortened(names.join(", ") || "none", 200);

/**
 * Throws {@link CheckpointError} when a model has parts that no exported model has: loops, functions, tensors in other
 * files.
 */
export function checkGraph({ path, bytes, model }: Pick<ModelFile, "path" | "bytes" | "model">): void {
  const problem =
    graphProblem(model) ??
    (isWhollyKnown(bytes) ? null : "functions, tensors in other files, or other parts that codistill does not write");
  if (problem === null) return;
  throw new CheckpointError(
    `${path} is no model that codistill exported: it has ${problem}. Give the model.onnx of a run; other models run in ONNX Runtime itself.`,
  );
}

/**
 * Open a session of a model that a run exported. Throws what {@link checkGraph} throws before ONNX Runtime sees the model,
 * and {@link CheckpointError} when ONNX Runtime cannot run it. The session runs the file's bytes, or the bytes that `made`
 * makes of the checked model.
 */
export async function openSession(
  file: ModelFile,
  options: InferenceSession.SessionOptions = {},
  made: (model: ModelProto) => Uint8Array = () => file.bytes,
): Promise<InferenceSession> {
  checkGraph(file);
  return InferenceSession.create(made(file.model), options).catch((error: unknown) => {
    throw new CheckpointError(`${file.path} does not run: ${messageOf(error)}`, { cause: error });
  });
}
