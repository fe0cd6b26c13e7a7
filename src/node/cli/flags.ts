/** Parsers and checks of flags that several commands share. */
import { dirname, join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { ConfigError } from "../../errors.js";
import { checkLocalPath, checkPath } from "../files/addresses.js";
import { CACHE_BY_DEFAULT } from "../files/cache-folder.js";
import { runsAt } from "../runs/run-folder.js";
import { locatedStore } from "../stores/stores.js";

/** A whole number, 0 or more. */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isInteger(number) || number < 0)
    throw new InvalidArgumentError(`must be a whole number, got "${text}"`);
  return number;
}

/** A number, 0 or more. */
export function someNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number) || number < 0)
    throw new InvalidArgumentError(`must be a number of 0 or more, got "${text}"`);
  return number;
}

/** A whole number of at least `least`. */
export function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(number) || number < least)
      throw new InvalidArgumentError(`must be a whole number, ${least} or more, got "${text}"`);
    return number;
  };
}

/** A probability, from 0 to 1. */
export function probability(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !(number >= 0 && number <= 1))
    throw new InvalidArgumentError(`must be a probability from 0 to 1, got "${text}"`);
  return number;
}

/** A share from 0 to 1, as 80% or 0.8. */
export function share(text: string): number {
  const [, number, percent] = /^(\d*\.?\d+)\s*(%?)$/.exec(text.trim()) ?? [];
  const value = Number(number) / (percent ? 100 : 1);
  if (!(value >= 0 && value <= 1))
    throw new InvalidArgumentError(`must be a share from 0 to 1, as 80% or 0.8, got "${text}"`);
  return value;
}

/** A share above 0 and below 1, as 90% or 0.9. */
export function level(text: string): number {
  const [, number, percent] = /^(\d*\.?\d+)\s*(%?)$/.exec(text.trim()) ?? [];
  const share = Number(number) / (percent ? 100 : 1);
  if (!(share > 0 && share < 1))
    throw new InvalidArgumentError(`must be a share above 0 and below 100 %, as 90% or 0.9, got "${text}"`);
  return share;
}

/** The name of a flag as it is typed: "maxBadRows" as "--max-bad-rows". */
export function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The index of a group, 0 or more. */
export function groupIndex(text: string): number {
  if (!/^\d+$/.test(text)) throw new ConfigError(`--group is the index of a group, 0 or more, got "${text}"`);
  return Number(text);
}

/** The flags whose argument, by its name in the description, is a file or a folder. */
const PATH = /<(?:[a-z ]*(?:folder|store|file|paths?|weights)[.]*)>$/;
const MAY_BE_ELSEWHERE = /<(?:store|paths[.]*)>$/;

/**
 * Refuse misleading paths in flags and arguments. An empty path is the current folder to the file system, and an unset
 * variable to the script that passed it. Data may be given by an address, and stores must be of a known kind; all other
 * paths must be on this machine.
 *
 * Throws {@link ConfigError}.
 */
export function checkPaths(command: Command): void {
  for (const option of command.options.filter(({ flags }) => PATH.test(flags))) {
    const what = String(option.long);
    for (const value of texts(command.opts()[option.attributeName()])) {
      if (MAY_BE_ELSEWHERE.test(option.flags)) checkPath(what, value);
      else checkLocalPath(what, value);
      if (option.flags.endsWith("store>")) locatedStore(value);
    }
  }
  command.registeredArguments.forEach((argument, i) => {
    for (const value of texts(command.processedArgs[i])) checkPath(`<${argument.name()}>`, value);
  });
}

/**
 * Refuse run folders that are given as data. Throws {@link ConfigError} with what they may be used for.
 */
export function checkNoRuns(command: Command): void {
  const places = command.registeredArguments.findIndex((argument) => argument.name() === "data");
  for (const path of [...texts(command.opts().data), ...texts(command.processedArgs[places])]) {
    const runs = runsAt(path);
    const last = runs.at(-1);
    if (last === undefined) continue;
    const what = last === path ? "the folder of a run" : `a folder of runs (${last}, say)`;
    throw new ConfigError(
      `data: files of rows or of text are read, and ${path} is ${what}. Go on with a run by codistill train --resume ${last}, use its model by codistill predict ${join(last, "model.onnx")} <files>, and see what there is by codistill runs ${dirname(last)}`,
    );
  }
}

function texts(values: unknown): readonly string[] {
  return [values].flat().filter((value) => typeof value === "string");
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
/** The longest timer of Node.js; a longer one would end at once. */
const LONGEST_SECONDS = (2 ** 31 - 1) / 1000;

/** A duration such as 90s, 20m or 1.5h, in seconds: more than 0, and 24 days at most. */
export function someDuration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text.trim()) ?? [];
  const seconds = Number(number) * SECONDS[(unit ?? "s") as keyof typeof SECONDS];
  if (!(seconds > 0 && seconds <= LONGEST_SECONDS))
    throw new InvalidArgumentError(`must be a duration such as 90s, 20m or 1.5h, 24 days at most, got "${text}"`);
  return seconds;
}

/** The flag that ends a command before its work is done. */
export const STOP_AFTER = [
  "--stop-after <duration>",
  "save and stop after so long (90s, 20m, 1.5h), to be gone on with",
  someDuration,
] as const;

/**
 * A text in which `\n`, `\r`, `\t` and `\\`, which a shell passes as two characters, are replaced by the ones that they
 * stand for.
 */
export function someText(text: string): string {
  const known: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\" };
  return text.replace(/\\([ntr\\])/g, (_, letter: string) => known[letter] as string);
}

/** Add the option that names the folder of prepared data to a command. */
export function withCacheFlag(command: Command): Command {
  return command.option("--cache <folder>", `where prepared data is kept between runs; ${CACHE_BY_DEFAULT} by default`);
}
