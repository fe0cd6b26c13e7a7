/** How commands speak to people, and how they stop. */
import { printable } from "../../report/printable.js";
import { withoutSecrets } from "../../report/secrets.js";

/** Text for users, without characters that control a terminal, and without secrets of addresses. */
export function shown(text: string): string {
  return printable(withoutSecrets(text));
}

/** Write a line to standard output. */
export function say(text: string): void {
  process.stdout.write(`${shown(text)}\n`);
}

/** The width of lines that are broken for a terminal; without end where the output is a file or a program. */
export function widthOf(out: NodeJS.WriteStream): number {
  return out.isTTY ? (out.columns ?? 80) : Number.POSITIVE_INFINITY;
}

/**
 * A function that writes lines for users: to standard error where standard output is for JSON, else to standard output.
 */
export function teller({ json = false }: { readonly json?: boolean }): (text: string) => void {
  return json ? (text) => process.stderr.write(`${shown(text)}\n`) : say;
}

/** The result of some work, or undefined where it failed because it was stopped. */
export async function unlessStopped<T>(stop: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (stop.aborted) return undefined;
    throw error;
  }
}
