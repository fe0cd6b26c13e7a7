/** Configurations from files: typed TypeScript or JavaScript with a default export, or JSON. */
import { existsSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError, messageOf } from "../../errors.js";
import { applyOverrides, resolveConfig } from "../../run/config.js";
import { configOfKind, kindNameOf, kindOf } from "../../run/kinds/kinds.js";
import type { RunConfig } from "../../run/schema.js";
import { isAddress, isFileUrl, pathOfFileUrl } from "../files/addresses.js";
import { assertRegular } from "../files/plain-files.js";
import { readWithin } from "../files/read-bounded.js";
import { noteInit } from "./init-weights.js";
import { withoutVersion } from "./run-file.js";
import { shippedModel } from "./run-folder.js";
import { noteTeachers } from "./text-teachers.js";

/**
 * Imports of this package in a configuration resolve to the running package: with npx or a global installation, there
 * is none beside the file.
 */
const OWN_PACKAGE = {
  "codistill/node": fileURLToPath(new URL("../index.js", import.meta.url)),
  codistill: fileURLToPath(new URL("../../index.js", import.meta.url)),
};

/** A configuration as it was written, plain data without defaults, and the folder at which its paths begin. */
export interface GivenConfig {
  readonly config: unknown;
  readonly folder: string;
}

/**
 * Load, override and check a configuration. Its file is evaluated once, here; the result is plain data.
 *
 * Throws {@link ConfigError} when the file is missing, does not load, or breaks a rule.
 */
export async function loadConfig(path: string, overrides: readonly string[] = []): Promise<RunConfig> {
  return configFrom(await givenConfig(path), overrides);
}

/** The configuration of a file as it is written there, with overrides. Throws {@link ConfigError} when the file is missing or does not load. */
export async function givenConfig(path: string, overrides: readonly string[] = []): Promise<GivenConfig> {
  const file = resolve(path);
  if (!existsSync(file))
    throw new ConfigError(`no configuration at ${path}; give the path of a .ts, .js or .json file`);
  return { config: applyOverrides(await load(file, path), overrides), folder: dirname(file) };
}

/** Override and check a configuration as it was written. Throws {@link ConfigError} when it breaks a rule. */
export async function configFrom(given: GivenConfig, overrides: readonly string[] = []): Promise<RunConfig> {
  const { folder } = given;
  const config = resolveConfig(applyOverrides(given.config, overrides));
  const init = config.init && (await noteInit(config.init, folder));
  const located = init ? { ...config, init } : config;
  return noteTeachers(
    withShippedModels(kindOf(located).located(located, (path) => absolute(path, folder))),
    loadConfig,
  );
}

async function load(file: string, shown: string): Promise<unknown> {
  try {
    assertRegular(file);
    // The configuration in a run folder has a version.
    if (extname(file).toLowerCase() === ".json") return withoutVersion(basename(shown), jsonIn(file));
    const { createJiti } = await import("jiti");
    const options = { moduleCache: false, fsCache: false, alias: OWN_PACKAGE };
    const module = await createJiti(import.meta.url, options).import<object>(file);
    if ("default" in module) return await module.default;
    if (isCommonJs(module)) return module;
    throw new Error("it has no default export; write export default defineRun({ ... })");
  } catch (error) {
    throw new ConfigError(`${shown} does not load: ${messageOf(error)}`, { cause: error });
  }
}

/** The value of a JSON file, with or without a byte order mark: UTF-8, or UTF-16 by its mark. */
function jsonIn(path: string): unknown {
  const bytes = readWithin(path);
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  try {
    // The decoder takes the mark away.
    return JSON.parse(new TextDecoder(encoding).decode(bytes));
  } catch (error) {
    throw new ConfigError(`it must be JSON: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Whether a module is the exports of a CommonJS module: not empty, and no namespace of an ECMAScript module, native or
 * transpiled.
 */
function isCommonJs(module: object): boolean {
  const isNamespace = "__esModule" in module || Object.getPrototypeOf(module) === null;
  return !isNamespace && Object.keys(module).length > 0;
}

/** A configuration in which a run that teaches a table is the model that it has shipped. */
function withShippedModels(config: RunConfig): RunConfig {
  if (kindNameOf(config) !== "table") return config;
  const { teachers, ...own } = configOfKind(config, "table", "teachers of a table");
  const shipped = teachers?.map((one, i) =>
    "model" in one ? { ...one, model: shippedModel(one.model, `teachers.${i}.model`) } : one,
  );
  return shipped ? { ...own, teachers: shipped } : config;
}

/** Paths start at the configuration file; URLs of remote files stay as they are. */
function absolute(source: string, folder: string): string {
  if (isFileUrl(source)) return pathOfFileUrl(source);
  return isAddress(source) ? source : resolve(folder, source);
}
