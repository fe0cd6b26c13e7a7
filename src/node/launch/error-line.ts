/** The words for an error: its own message where the user can mend it, and for a defect of codistill that it is one. */
import { CodistillError, messageOf } from "../../errors.js";
import { cures, isSystemError } from "../files/system-errors.js";

/** The most characters of a message, as some quote foreign text of any length. */
const MAX_LENGTH = 4000;

/** The variable that makes the command line show where a defect is. */
const STACK = "CODISTILL_STACK";

/**
 * An error in words for users: the message of an error that they can mend, that of the system with its cure, and for
 * any other error one line that calls it a defect and says where its stack is (`stackIn`; by default, how to have it
 * shown).
 */
export function errorLine(error: unknown, stackIn = `set ${STACK}=1 to see where`): string {
  if (error instanceof CodistillError) return cut(messageOf(error));
  if (isSystemError(error))
    return cut(`${messageOf(error)}. ${cures[error.code ?? ""] ?? "Check the path, and try again."}`);
  const name = error instanceof Error ? error.name : "thrown";
  const line = `${name}: ${messageOf(error)}`.replace(/\s+/g, " ").slice(0, 500);
  return `this is a defect of codistill, and not of what it was given: ${line}. Please report it; ${stackIn}`;
}

/** {@link errorLine} with the stack of a defect, when that is asked for. */
export function errorText(error: unknown, isStackWanted = Boolean(process.env[STACK])): string {
  const isDefect = !(error instanceof CodistillError) && !isSystemError(error);
  const stack = isDefect && isStackWanted && error instanceof Error ? `\n${error.stack}` : "";
  return `${errorLine(error)}${stack}`;
}

function cut(message: string): string {
  const left = message.length - MAX_LENGTH;
  return left > 0 ? `${message.slice(0, MAX_LENGTH)}... (${left} more characters)` : message;
}
