import { CodistillError, TrainingError } from "../../errors.js";
import { errorText } from "../launch/error-line.js";
import { FAILED, REFUSED } from "../launch/exit-codes.js";
import { shown } from "./output.js";

/** Say to people what went wrong in which command; gives the exit code. */
export function reportFailure(error: unknown, command: string): number {
  const text = errorText(error);
  const named = command === "" || text.startsWith(`${command}: `) ? text : `${command}: ${text}`;
  process.stderr.write(`codistill: ${shown(named)}\n`);
  return error instanceof CodistillError && !(error instanceof TrainingError) ? REFUSED : FAILED;
}
