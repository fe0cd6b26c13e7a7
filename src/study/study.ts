/** What runs of arms over seeds are trained for: each kind has a command, and a report of its own. */
export type Study =
  /** Which way to train does better: `codistill compare`. */
  | { readonly kind: "compare" }
  /** How far retrainings of a procedure are apart: `codistill churn`. */
  | { readonly kind: "churn" };

/** The command that begins a study and goes on with it. */
export const commandOf = ({ kind }: Study): string => `codistill ${kind}`;
