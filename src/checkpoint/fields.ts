/**
 * Schemas of the numbers and digests in files of others, and the text of the problems that they find. Anyone who may
 * write to a store chooses these values, so each has a range in which incrementing, padding and comparing it stays
 * exact.
 */
import { z } from "zod";
import { MOST_INCARNATIONS } from "./layout.js";

/** A thousand steps per second for thirty years. */
const MOST_STEPS = 1e12;
const MOST_GROUPS = 65_536;
/** The most problems reported of one file. */
const MAX_PROBLEMS = 5;

export const groupNumber = z
  .int()
  .nonnegative()
  .max(MOST_GROUPS - 1);
export const stepNumber = z.int().nonnegative().max(MOST_STEPS);
export const incarnationNumber = z.int().positive().max(MOST_INCARNATIONS);

/** SHA-256 in hexadecimal. */
export const digestText = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits");

/** A number as it stands in the metadata of a safetensors file: a decimal text, checked as a number. */
export function asText<N extends z.ZodType<number, number>>(number: N) {
  return z
    .string()
    .regex(/^(0|[1-9]\d{0,15})$/, "must be a whole number")
    .transform(Number)
    .pipe(number);
}

/** The first problems that a schema found in a value, as text. */
export function problemsOf({ issues }: z.ZodError): string {
  const text = z.prettifyError(new z.ZodError(issues.slice(0, MAX_PROBLEMS)));
  const cut = text.length > 1000 ? `${text.slice(0, 1000)}...` : text;
  return issues.length > MAX_PROBLEMS ? `${cut}\nand ${issues.length - MAX_PROBLEMS} more` : cut;
}
