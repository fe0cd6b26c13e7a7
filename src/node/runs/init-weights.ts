/**
 * Initial weights of a run: any safetensors file with the model's params, whose content must not change after the run
 * began.
 */
import { resolve } from "node:path";
import { digestChange, sha256 } from "../../checkpoint/digest.js";
import { openSafetensors } from "../../checkpoint/seal.js";
import { ConfigError, messageOf } from "../../errors.js";
import { imageHead } from "../../nn/image-input.js";
import type { RunConfig } from "../../run/schema.js";
import { isSameNetwork } from "../../run/text-network.js";
import type { NamedArrays } from "../../runtime/array.js";
import { readRegular } from "../files/plain-files.js";

type Init = NonNullable<RunConfig["init"]>;

/**
 * An `init` with the digest of its content, which a run keeps; its path starts at `folder` and is absolute then.
 *
 * Throws {@link ConfigError} when the file cannot be read.
 */
export async function noteInit(init: Init, folder: string): Promise<Init> {
  const given = typeof init === "string" ? { path: init } : init;
  const path = resolve(folder, given.path);
  return { ...given, path, sha256: given.sha256 ?? (await sha256(read(path))) };
}

/**
 * Read the params of a noted `init`, whose path starts at `folder`. They are not yet checked against the model. `meaning` is what the
 * metadata of the file must say where they say something of it; of params to be transferred the head is left out where they do not.
 *
 * Throws {@link ConfigError} when the file cannot be read, has changed, or means something else, {@link CheckpointError} when it is not a
 * safetensors file.
 */
export async function readInit(
  init: Init,
  folder: string,
  meaning: Readonly<Record<string, string>> = {},
): Promise<NamedArrays> {
  if (typeof init === "string" || init.sha256 === undefined) throw new Error("internal: init was not noted");
  const bytes = read(resolve(folder, init.path));
  const now = await sha256(bytes);
  if (now !== init.sha256) {
    throw new ConfigError(
      `init: a run begins from the weights it was given, and ${init.path} has changed (${digestChange(init.sha256, now)})`,
    );
  }
  const { tensors, metadata } = await openSafetensors(init.path, bytes);
  if (init.fit === "transfer") {
    const isSame = Object.entries(meaning).every(([key, own]) => metadata[key] === own);
    return Object.fromEntries(Object.entries(tensors).filter(([name]) => isSame || !name.startsWith(`${imageHead}.`)));
  }
  for (const [key, own] of Object.entries(meaning)) {
    const theirs = metadata[key];
    if (theirs === undefined || theirs === own) continue;
    if (key === "network") {
      if (isSameNetwork(theirs, own)) continue;
      throw new ConfigError(
        `init: weights begin a run of the network that they are of, and ${init.path} says ${theirs}, model ${own}. Set model as the file says, or use other weights.`,
      );
    }
    if (key in otherPlaces) {
      throw new ConfigError(
        `init: weights begin a run with the same ${otherPlaces[key]}, and ${init.path} is of others (${key}: ${digestChange(theirs, own)}). Use weights of a run on the same features and label, or none.`,
      );
    }
    throw new ConfigError(
      `init: weights begin a run whose names or tokens have the ids that they had, and of ${init.path} they have others (${key}: ${digestChange(theirs, own)}). ` +
        "Names of a table have ids by how frequent they are in the training rows, so other rows move them: use weights of the same data, or none. To stay close to a model on new data, let it teach: --anchor model.onnx (docs/teachers.md).",
    );
  }
  return tensors;
}

/** What the params of a table are for, by its name in the metadata, beside names, whose ids rows decide. */
const otherPlaces: Readonly<Record<string, string>> = {
  numbers: "numeric features in the same order",
  labelClasses: "classes of the label in the same order, so the same positive one",
};

function read(path: string): Uint8Array {
  try {
    return readRegular(path);
  } catch (error) {
    throw new ConfigError(`init: must be a safetensors file that can be read: ${messageOf(error)}`, { cause: error });
  }
}
