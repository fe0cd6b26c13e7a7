/** From data and a label to a run: the description, the plan, and the configuration that says both. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { basename, dirname, extname, isAbsolute, relative, resolve } from "node:path";
import { ConfigError, messageOf } from "../../../errors.js";
import { configurationOf, configurationText, featuresOf, type Inferred } from "../../../run/infer/configuration.js";
import { choosePlan, withinBudget } from "../../../run/infer/plan.js";
import type { Preset } from "../../../run/infer/presets.js";
import type { TableDescription } from "./describe.js";

/** A run that can be written down, and how long its training is expected to take. */
export interface InferredRun extends Inferred {
  readonly seconds: number;
}

/** Choose network and training for a described table and this machine; a few steps are measured for the duration. */
export async function inferRun(
  description: TableDescription,
  data: readonly string[],
  preset?: Preset,
  cores = availableParallelism(),
): Promise<InferredRun> {
  const { source, label, columns, pairs, split, rows } = description;
  const features = featuresOf(description);
  const plan = choosePlan({
    task: label.task,
    numClasses: label.classes.length,
    numTrain: rows.train,
    numValidation: rows.validation,
    features,
    cores,
    memoryBytes: totalmem(),
  });
  const inferred: Inferred = {
    name: nameOf(data, label.given),
    source: data,
    label,
    columns,
    pairs,
    split,
    rows,
    plan,
    ...(source.maxBadRows > 0 && { maxBadRows: source.maxBadRows }),
    ...(source.given && { sourceColumns: source.given }),
    ...(preset && { training: preset.training }),
  };
  const threads = Math.max(1, Math.floor(cores / plan.numGroups));
  // Only here, because graphs, layers and the engine take time to load, and every command loads this file.
  const { stepSeconds } = await import("./calibrate.js");
  const perStep = await stepSeconds(configurationOf(inferred), features, threads);
  const planned = withinBudget(plan, perStep, rows.validation);
  return { ...inferred, ...planned };
}

/**
 * Write the configuration beside the user's other files. A file that is there and says something else is left alone, and a
 * number is added to the name. Returns the path.
 *
 * Throws {@link ConfigError} when nothing can be written there.
 */
export function writeConfiguration(inferred: Inferred, wanted = "codistill.config.ts"): string {
  const extension = extname(wanted);
  for (let number = 1; ; number++) {
    const path = number === 1 ? wanted : `${wanted.slice(0, -extension.length)}-${number}${extension}`;
    const source = inferred.source.map((one) => relativeTo(dirname(resolve(path)), one));
    const text = configurationText({ ...inferred, source });
    if (existsSync(path)) {
      if (readFileSync(path, "utf8") === text) return path;
      continue;
    }
    try {
      writeFileSync(path, text, { flag: "wx" });
    } catch (error) {
      throw new ConfigError(`${path} cannot be written: ${messageOf(error)}`, { cause: error });
    }
    return path;
  }
}

/** A path from the folder of the configuration; what is absolute or a URL stays so. */
function relativeTo(folder: string, path: string): string {
  if (isAbsolute(path) || /^[a-z0-9]+:\/\//i.test(path)) return path;
  return relative(folder, resolve(path)).replaceAll("\\", "/");
}

/** A short name: the file or its folder, and the label, in lower-case letters, digits and dashes. */
function nameOf(data: readonly string[], label: string): string {
  const [first = ""] = data;
  const file = basename(first).replace(/\..*$/, "");
  const base = /[*?[]/.test(file) || file === "" ? basename(dirname(resolve(first))) : file;
  const name = `${base}-${label}`
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, 40)
    .replace(/-+$/, "");
  return name === "" ? "table" : name;
}
