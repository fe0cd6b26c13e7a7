/** What a schema has against a value, in words. */
import { z } from "zod";

const MAX_PROBLEMS = 5;

/** The first problems that a schema has with a value. */
export function problemsOf({ issues }: z.ZodError): string {
  const text = z.prettifyError(new z.ZodError(issues.slice(0, MAX_PROBLEMS)));
  const cut = text.length > 1000 ? `${text.slice(0, 1000)}...` : text;
  return issues.length > MAX_PROBLEMS ? `${cut}\nand ${issues.length - MAX_PROBLEMS} more` : cut;
}
