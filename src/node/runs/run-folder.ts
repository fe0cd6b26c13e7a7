/** The layout of a run folder. */
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { ConfigError } from "../../errors.js";

export interface RunFolder {
  readonly path: string;
  /** The resolved configuration, plain JSON. */
  readonly config: string;
  /** Events of the run as a whole. */
  readonly log: string;
  /** Which groups of the run are trained here, and where their store is; see scope.ts. */
  readonly scope: string;
  /** The store of a run on one machine: the only thing that its groups share. */
  readonly store: string;
  /** The digest of the prepared data, and where its cache lies. */
  readonly data: string;
  /** Where the files came from that the run has copies of; see own-files.ts. */
  readonly ownFiles: string;
  readonly result: string;
  readonly model: { readonly onnx: string; readonly safetensors: string };
  /** A group's own folder, with its checkpoints, and its log. */
  group(index: number): { readonly path: string; readonly log: string; readonly errors: string };
}

/** The layout of a run folder. */
export function runFolder(path: string): RunFolder {
  return {
    path,
    config: join(path, "config.json"),
    log: join(path, "log.jsonl"),
    scope: join(path, "scope.json"),
    store: join(path, "store"),
    data: join(path, "data.json"),
    ownFiles: join(path, "own-files.json"),
    result: join(path, "result.json"),
    model: { onnx: join(path, "model.onnx"), safetensors: join(path, "model.safetensors") },
    group(index) {
      const group = join(path, `group-${index}`);
      return { path: group, log: join(group, "log.jsonl"), errors: join(group, "errors.txt") };
    },
  };
}

/** The folder of a run that has begun. Throws {@link ConfigError}, with the runs that are near, when there is none at a path. */
export function existingRun(path: string): RunFolder {
  const folder = runFolder(relative("", path) || ".");
  const missing = missingIn(folder);
  if (missing === undefined) return folder;
  const near = [dirname(folder.path), ...foldersIn(folder.path)].filter(isRun);
  const hint = near.length > 0 ? ` Did you mean ${near.slice(-3).join(" or ")}?` : "";
  throw new ConfigError(`${path} is not a run folder: it has no ${basename(missing)}.${hint}`);
}

/**
 * The model that a run on a table has shipped, where a path is the folder of one; else the path. `what` is who wants it.
 *
 * Throws {@link ConfigError} for a run that has not finished.
 */
export function shippedModel(path: string, what: string): string {
  const { config, model } = runFolder(path);
  if (!existsSync(config) || existsSync(model.onnx)) return existsSync(config) ? model.onnx : path;
  throw new ConfigError(
    `${what}: a teacher that does not change is a run that has finished, and ${path} has no ${basename(model.onnx)}. Finish it: codistill train --resume ${path}`,
  );
}

/** Whether a run has begun in a folder. */
export function isRun(path: string): boolean {
  return missingIn(runFolder(path)) === undefined;
}

/** The run of a folder, or the runs in it, by name. */
export function runsAt(path: string): string[] {
  return isRun(path) ? [path] : foldersIn(path).filter(isRun);
}

function missingIn({ config, log }: RunFolder): string | undefined {
  return [config, log].find((file) => !existsSync(file));
}

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path)
      .sort()
      .map((name) => join(path, name));
  } catch {
    return [];
  }
}
