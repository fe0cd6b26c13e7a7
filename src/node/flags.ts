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
