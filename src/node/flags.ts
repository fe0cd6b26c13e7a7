/** What flags of several commands are read by. */
import { InvalidArgumentError } from "commander";

/** A whole number, 0 or more. */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isInteger(number) || number < 0)
    throw new InvalidArgumentError(`must be a whole number, got "${text}"`);
  return number;
}
