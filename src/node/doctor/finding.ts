/** What doctor finds. */

/** "trouble": what is asked for does not work. "warning": it works, and not as it could. */
export type Status = "ok" | "warning" | "trouble";

export interface Finding {
  /** What was looked at, in a word or two. */
  readonly subject: string;
  readonly status: Status;
  readonly found: string;
  /** What to do about it. */
  readonly cure?: string | undefined;
}

export const ok = (subject: string, found: string): Finding => ({ subject, status: "ok", found });
export const warning = (subject: string, found: string, cure: string): Finding => ({
  subject,
  status: "warning",
  found,
  cure,
});
export const trouble = (subject: string, found: string, cure: string): Finding => ({
  subject,
  status: "trouble",
  found,
  cure,
});
