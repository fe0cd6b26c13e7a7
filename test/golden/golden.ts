/** Golden files: numbers that another library computed, with their origin. `npm run golden` computes them again. */
import { readFileSync } from "node:fs";

/** Where the golden files and their scripts are: in the source tree, not among the compiled files. */
export const goldenFolder = new URL("../../../test/golden/", import.meta.url);

/** Where the numbers of a file come from. */
export interface Origin {
  readonly library: string;
  readonly version: string;
  readonly script: string;
}

/** What every golden file holds: the results by name. */
export interface GoldenFile<Result> {
  readonly origin: Origin;
  readonly results: Readonly<Record<string, Result>>;
}

/** Read a golden file by its name, as `ops`. */
export function readGolden<Result>(name: string): GoldenFile<Result> {
  return JSON.parse(readFileSync(new URL(`${name}.json`, goldenFolder), "utf8"));
}

/** The result under a name. Throws when the file is older than the case that asks for it. */
export function resultOf<Result>({ results, origin }: GoldenFile<Result>, name: string): Result {
  const result = results[name];
  if (!result) throw new Error(`${origin.script} has no result "${name}" yet; run \`npm run golden -- --write\``);
  return result;
}
