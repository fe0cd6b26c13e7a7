#!/usr/bin/env node
/** The process of the command line: what it runs is in `cli/program.ts`; here is how it fails. */
import { CodistillError, TrainingError } from "../errors.js";
import { shown } from "./cli/output.js";
import { commandLine } from "./cli/program.js";
import { isInLog } from "./cli/train-command.js";
import { errorText } from "./launch/error-line.js";
import { FAILED, REFUSED } from "./launch/exit-codes.js";

// That nobody reads any more is no reason to stop. What is lost otherwise is told once, and fails a command that leaves no log.
let isOutputLost = false;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (isOutputLost || error.code === "EPIPE") return;
  isOutputLost = true;
  process.stderr.write(`codistill: standard output cannot be written: ${shown(errorText(error))}\n`);
  if (!isInLog()) process.exitCode = FAILED;
});
// What fails beside a command, as in a timer, is told like what fails in it.
process.on("uncaughtException", (error) => {
  process.stderr.write(`codistill: ${shown(errorText(error))}\n`);
  process.exit(FAILED);
});
try {
  await commandLine().parseAsync();
} catch (error) {
  process.stderr.write(`codistill: ${shown(errorText(error))}\n`);
  process.exitCode = error instanceof CodistillError && !(error instanceof TrainingError) ? REFUSED : FAILED;
}
