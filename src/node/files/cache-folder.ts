/** The folder of prepared data: where it is, and the errors when it cannot be written to. */
import { DataError, messageOf } from "../../errors.js";
import { checkLocalPath } from "./addresses.js";

/** The prefix of the names of folders that are still being made. */
export const MAKING = ".making-";

const DEFAULT = ".codistill/cache";
const VARIABLE = "CODISTILL_CACHE";

/** Where the folder is when no flag names it, for the help of that flag. */
export const CACHE_BY_DEFAULT = `${VARIABLE}, else ${DEFAULT}`;

/**
 * The folder by the flag, else by the environment, else the default. Throws {@link ConfigError} when the environment's
 * is not a path.
 */
export function cacheFolderOf(flag: unknown): string {
  if (typeof flag === "string") return flag;
  const given = process.env[VARIABLE] || DEFAULT;
  checkLocalPath(VARIABLE, given);
  return given;
}

/** Errors of file systems by which nothing can be written to a folder, in words. */
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "its disk is full",
  EDQUOT: "the quota of its disk is used up",
  EROFS: "its file system is read-only",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  ENOTDIR: "something on its path is a file",
  EEXIST: "something on its path is a file",
  EIO: "its disk reports a fault",
};
/** The same errors in the words of DuckDB, which writes there too. */
const SAID = /No space left on device|Disk quota exceeded|Read-only file system|Permission denied/;

/**
 * The error to throw for one met while something was written to the cache: one with the cure when the folder is the
 * cause, else the same error.
 */
export function asCacheError(cacheFolder: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, path = "" } = error as NodeJS.ErrnoException;
  const isOurs = (where: string) => where.includes(cacheFolder) || where.includes(MAKING);
  // A write to an open file fails without a path.
  const hasReason = code !== undefined && code in REASONS && (path === "" || isOurs(path));
  return hasReason || (isOurs(error.message) && SAID.test(error.message)) ? cacheError(cacheFolder, error) : error;
}

/** The error that nothing can be written to the cache, with the cure. */
export function cacheError(cacheFolder: string, error: unknown): DataError {
  const { code = "" } = error as NodeJS.ErrnoException;
  return new DataError(
    `data: prepared data is kept in ${cacheFolder}, and ${REASONS[code] ?? "that failed"} (${messageOf(error)}). ` +
      `Make room there, remove what no run needs (codistill clean --cache), or keep it elsewhere: --cache <folder>, or ${VARIABLE}.`,
    { cause: error },
  );
}
