/**
 * Initial weights of a run: any safetensors file with the model's params, whose content must not change after the run
 * began.
 */
import { resolve } from "node:path";
import { digestChange, sha256 } from "../../checkpoint/digest.js";
import { openSafetensors } from "../../checkpoint/seal.js";
import { ConfigError, messageOf } from "../../errors.js";
import type { RunConfig } from "../../run/schema.js";
import type { NamedArrays } from "../../runtime/array.js";
import { readRegular } from "../files/plain-files.js";

type Init = NonNullable<RunConfig["init"]>;

/**
 * An `init` with the digest of its content, which a run keeps; its path starts at `folder` and is absolute then.
 *
 * Throws {@link ConfigError} when the file cannot be read.
 */
export async function noteInit(init: Init, folder: string): Promise<Init> {
  if (typeof init !== "string") return { ...init, path: resolve(folder, init.path) };
  const path = resolve(folder, init);
  return { path, sha256: await sha256(read(path)) };
}

/**
 * Read the params of a noted `init`, whose path starts at `folder`. They are not yet checked against the model.
 *
 * Throws {@link ConfigError} when the file cannot be read or has changed, {@link CheckpointError} when it is not a
 * safetensors file.
 */
export async function readInit(init: Init, folder: string): Promise<NamedArrays> {
  if (typeof init === "string") throw new Error("internal: init was not noted");
  const bytes = read(resolve(folder, init.path));
  const now = await sha256(bytes);
  if (now !== init.sha256) {
    throw new ConfigError(
      `init: a run begins from the weights it was given, and ${init.path} has changed (${digestChange(init.sha256, now)})`,
    );
  }
  return (await openSafetensors(init.path, bytes)).tensors;
}

function read(path: string): Uint8Array {
  try {
    return readRegular(path);
  } catch (error) {
    throw new ConfigError(`init: must be a safetensors file that can be read: ${messageOf(error)}`, { cause: error });
  }
}
