/** The memory that data may take: DuckDB's working memory, and the rows that training keeps in memory. */
import { freemem, totalmem } from "node:os";
import { constrainedMemory } from "node:process";
import { ConfigError } from "../../errors.js";

const VARIABLE = "CODISTILL_MEMORY";
/** The least memory for DuckDB's readers: with 160 MB it fails on some tables. */
const LEAST_BYTES = 256e6;
const UNITS = { MB: 1e6, GB: 1e9 } as const;

/**
 * The budget in bytes: by default half of the free memory and at least 256 MB, as the rest is for the page cache and
 * for other programs. The variable CODISTILL_MEMORY overrides it.
 *
 * Throws {@link ConfigError} when the variable is not a size.
 */
export function memoryBudget(given = process.env[VARIABLE], free = freeMemory()): number {
  if (given !== undefined && given !== "") return sizeOf(given);
  return Math.max(LEAST_BYTES, Math.floor(free / 2 / 1e6) * 1e6);
}

/** The bytes that are free now, on the machine or within the limit of this process. */
const freeMemory = () => Math.min(freemem(), constrainedMemory() || totalmem());

function sizeOf(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?(MB|GB)$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(number) * (UNITS[unit?.toUpperCase() as keyof typeof UNITS] ?? Number.NaN));
  if (bytes >= LEAST_BYTES) return bytes;
  throw new ConfigError(`${VARIABLE} must be a size of at least 256 MB, as 500MB or 2GB, got "${text}"`);
}
