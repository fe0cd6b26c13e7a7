/** What flags of several commands are read by. */
import { InvalidArgumentError } from "commander";

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
