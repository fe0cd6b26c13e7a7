/** What flags of several commands are read by. */
import { type Command, InvalidArgumentError } from "commander";
import { ConfigError } from "../errors.js";

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

/** What stands for a file or a folder in the description of a flag. */
const PATH = /<(?:[a-z ]*(?:folder|file|paths?|weights)[.]*)>$/;

/**
 * Refuse a path that is empty: to the file system it is the current folder, and to a script that gives it a variable that is
 * not set. Folders that the program writes to are folders of this machine, and no addresses.
 *
 * Throws {@link ConfigError}.
 */
export function checkPaths(command: Command): void {
  const empty = (what: string) =>
    new ConfigError(`${what} must name a file or a folder, got an empty name; "." is the current folder`);
  for (const option of command.options.filter(({ flags }) => PATH.test(flags))) {
    const values: unknown[] = [command.opts()[option.attributeName()]].flat();
    if (values.includes("")) throw empty(String(option.long));
    const address = values.find((value) => /^[a-z][a-z0-9+.-]+:\/\//i.test(String(value)));
    if (address && option.flags.endsWith("folder>")) {
      throw new ConfigError(`${option.long} must be a folder of this machine, got the address ${address}`);
    }
  }
  command.registeredArguments.forEach((argument, i) => {
    const values = [(command.processedArgs as unknown[])[i]].flat();
    if (values.includes("")) throw empty(`<${argument.name()}>`);
  });
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
/** Timers of Node.js end at once beyond so many milliseconds. */
const LONGEST_SECONDS = (2 ** 31 - 1) / 1000;

/** A duration such as 90s, 20m or 1.5h, in seconds: more than 0, and 24 days at most. */
export function someDuration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text.trim()) ?? [];
  const seconds = Number(number) * SECONDS[(unit ?? "s") as keyof typeof SECONDS];
  if (!(seconds > 0 && seconds <= LONGEST_SECONDS))
    throw new InvalidArgumentError(`must be a duration such as 90s, 20m or 1.5h, 24 days at most, got "${text}"`);
  return seconds;
}

/** A text in which `\n`, `\t` and `\\` are the characters that they are in most languages: a shell gives them as two. */
export function someText(text: string): string {
  const known: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\" };
  return text.replace(/\\([ntr\\])/g, (_, letter: string) => known[letter] as string);
}
