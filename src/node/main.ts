#!/usr/bin/env node
/** The process of the command line: what it runs is in `cli/program.ts`; here is how it fails. */
import { CodistillError, TrainingError } from "../errors.js";
import { shown } from "./cli/output.js";
import { commandLine } from "./cli/program.js";
import { isInLog } from "./cli/train-command.js";
import { errorText } from "./launch/error-line.js";
import { FAILED, REFUSED } from "./launch/exit-codes.js";

// That nobody reads any more is no reason to stop. What is lost otherwise is told once, by the command that it stopped or else
// here, and fails a command that leaves no log.
let lost: Error | null = null;
let isLossTold = false;
const tellLoss = (error: Error) => {
  isLossTold = true;
  process.stderr.write(`codistill: standard output cannot be written: ${shown(errorText(error))}\n`);
};
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (lost !== null || error.code === "EPIPE") return;
  lost = error;
  if (isInLog()) tellLoss(error);
  else process.exitCode = FAILED;
});
process.on("exit", () => {
  if (lost !== null && !isLossTold) tellLoss(lost);
});
// What fails beside a command, as in a timer, is told like what fails in it.
process.on("uncaughtException", (error) => {
  process.stderr.write(`codistill: ${shown(errorText(error))}\n`);
  process.exit(FAILED);
});
try {
  await commandLine().parseAsync();
} catch (error) {
  isLossTold ||= lost !== null && error instanceof Error && error.cause === lost;
  process.stderr.write(`codistill: ${shown(errorText(error))}\n`);
  process.exitCode = error instanceof CodistillError && !(error instanceof TrainingError) ? REFUSED : FAILED;
}
