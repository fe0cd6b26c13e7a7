import { CodistillError, TrainingError } from "../../errors.js";
import { errorText } from "../launch/error-line.js";
import { FAILED, REFUSED } from "../launch/exit-codes.js";
import { shown } from "./output.js";

/** Say to people what went wrong; gives the exit code. */
export function reportFailure(error: unknown): number {
  process.stderr.write(`codistill: ${shown(errorText(error))}\n`);
  return error instanceof CodistillError && !(error instanceof TrainingError) ? REFUSED : FAILED;
}
