/** How much memory data may take: what DuckDB works in, and the rows that training keeps at hand. */
import { freemem, totalmem } from "node:os";
import { constrainedMemory } from "node:process";
import { ConfigError } from "../../errors.js";

const VARIABLE = "CODISTILL_MEMORY";
/** What DuckDB needs for its readers: with 160 MB it fails on some tables. */
const LEAST_BYTES = 256e6;
const UNITS = { MB: 1e6, GB: 1e9 } as const;

/**
 * Bytes, by default half of what is free and at least 256 MB: the rest is for the files' pages and for everybody else. The
 * variable CODISTILL_MEMORY says otherwise.
 *
 * Throws {@link ConfigError} when that is no size.
 */
export function memoryBudget(given = process.env[VARIABLE], free = freeMemory()): number {
  if (given !== undefined && given !== "") return sizeOf(given);
  return Math.max(LEAST_BYTES, Math.floor(free / 2 / 1e6) * 1e6);
}

/** What is free now, of the machine or of what this process may use of it. */
const freeMemory = () => Math.min(freemem(), constrainedMemory() || totalmem());

function sizeOf(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?(MB|GB)$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(number) * (UNITS[unit?.toUpperCase() as keyof typeof UNITS] ?? Number.NaN));
  if (bytes >= LEAST_BYTES) return bytes;
  throw new ConfigError(`${VARIABLE} must be a size of at least 256 MB, as 500MB or 2GB, got "${text}"`);
}
