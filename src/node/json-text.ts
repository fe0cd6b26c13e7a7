/** JSON files that people write, by any editor: with a byte order mark or without, UTF-8 or UTF-16 by its mark. */
import { ConfigError, messageOf } from "../errors.js";
import { readWithin } from "./read-bounded.js";

/** The value of a JSON file. Throws {@link ConfigError} when it is no JSON, and what {@link readWithin} throws. */
export function readJsonText(path: string): unknown {
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
