/**
 * Addresses and paths, such as those of data and of stores: which is which, which are neither, and the path of a
 * `file:` URL.
 */
import { fileURLToPath } from "node:url";
import { ConfigError, messageOf } from "../../errors.js";

/** Whether a text is an address rather than a path: `scheme://...`, or a `file:` URL. */
export function isAddress(text: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(text) || isFileUrl(text);
}

export function isFileUrl(text: string): boolean {
  return /^file:/i.test(text);
}

/**
 * The absolute path that a `file:` URL names.
 *
 * Throws {@link ConfigError} when it names no path of this machine: it is relative, has a host, a query or a fragment,
 * or is wrongly encoded.
 */
export function pathOfFileUrl(url: string): string {
  const refusal = (why: string, cause?: unknown) =>
    new ConfigError(
      `a file: URL names an absolute path of this machine, as in file:///shared/flights, got ${url}: ${why}. A path can be given as it is.`,
      { cause },
    );
  if (!/^file:[/\\]/i.test(url)) throw refusal("it is relative");
  if (/[?#]/.test(url)) throw refusal("a ? or # in a name is written %3F or %23");
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw refusal(messageOf(error), error);
  }
}

/** Throws {@link ConfigError} unless a text is a path of this machine. */
export function checkLocalPath(what: string, path: string): void {
  checkPath(what, path);
  if (isAddress(path)) throw new ConfigError(`${what} must be a path of this machine, got the address ${path}`);
}

/** Throws {@link ConfigError} for what only looks like a path: an empty name, and a ~ that no shell has expanded. */
export function checkPath(what: string, path: string): void {
  if (path === "")
    throw new ConfigError(`${what} must name a file or a folder, got an empty name; "." is the current folder`);
  if (/^~([/\\]|$)/.test(path)) {
    throw new ConfigError(
      `${what} got ${path}, and ~ is written out by a shell alone, at the beginning of a word. Write $HOME, or ./~ where it is a name.`,
    );
  }
}
