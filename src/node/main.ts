#!/usr/bin/env node
/** The process of the command line: `cli/program.ts` has the commands, this file handles their failures. */
import { reportFailure } from "./cli/failure.js";
import { shown } from "./cli/output.js";
import { argumentsOf, commandLine, commandOf } from "./cli/program.js";
import { isInLog } from "./cli/train-command.js";
import { errorText } from "./launch/error-line.js";
import { FAILED } from "./launch/exit-codes.js";

// A closed pipe does not stop the process. Any other loss of output is reported once, by the command that it stopped or
// else here, and makes a command fail that leaves no log.
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
// An error outside of a command, as in a timer, is reported like one in it.
process.on("uncaughtException", (error) => {
  reportFailure(error, commandOf(process.argv.slice(2)));
  process.exit(FAILED);
});
try {
  await commandLine().parseAsync(argumentsOf(process.argv));
} catch (error) {
  isLossTold ||= lost !== null && error instanceof Error && error.cause === lost;
  process.exitCode = reportFailure(error, commandOf(process.argv.slice(2)));
}
