/** What is said of an error: what a person can mend in its own words, and of a defect of ours that it is one. */
import { CodistillError, messageOf } from "../../errors.js";
import { cures, isSystemError } from "../files/system-errors.js";

/** Some messages quote what others wrote, of any length. */
const MAX_LENGTH = 4000;

/** The variable that makes the command line show where a defect is. */
const STACK = "CODISTILL_STACK";

/**
 * An error for people: the message of one that is theirs to mend, that of the system with its cure, and of any other one line
 * that says that it is a defect and where its stack is: `stackIn`, by default behind an environment variable.
 */
export function errorLine(error: unknown, stackIn = `set ${STACK}=1 to see where`): string {
  if (error instanceof CodistillError) return cut(messageOf(error));
  if (isSystemError(error))
    return cut(`${messageOf(error)}. ${cures[error.code ?? ""] ?? "Check the path, and try again."}`);
  const name = error instanceof Error ? error.name : "thrown";
  const line = `${name}: ${messageOf(error)}`.replace(/\s+/g, " ").slice(0, 500);
  return `this is a defect of codistill, and not of what it was given: ${line}. Please report it; ${stackIn}`;
}

/** The same with the stack of a defect, when it is asked for. */
export function errorText(error: unknown, isStackWanted = Boolean(process.env[STACK])): string {
  const isDefect = !(error instanceof CodistillError) && !isSystemError(error);
  const stack = isDefect && isStackWanted && error instanceof Error ? `\n${error.stack}` : "";
  return `${errorLine(error)}${stack}`;
}

function cut(message: string): string {
  const left = message.length - MAX_LENGTH;
  return left > 0 ? `${message.slice(0, MAX_LENGTH)}... (${left} more characters)` : message;
}
