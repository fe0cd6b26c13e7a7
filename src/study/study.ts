/** What runs of arms over seeds are trained for: each kind has a command, and a report of its own. */
export type Study =
  /** Which way to train does better: `codistill compare`. */
  | { readonly kind: "compare" }
  /** How far retrainings of a procedure are apart: `codistill churn`. */
  | { readonly kind: "churn" }
  | SweepStudy;

/** What a setting does, one value after the other: `codistill sweep`. */
export interface SweepStudy {
  readonly kind: "sweep";
  /** The name of the setting, or its path. */
  readonly over: string;
  /** What it is, with its unit, and why it is varied; "" where that is the user's to know. */
  readonly what: string;
  readonly why: string;
  /** The values as they are typed, and that of the configuration, where it can be typed. */
  readonly values: readonly string[];
  readonly own: string | null;
  /** For each arm that has the setting the names of its arms, one for each value. */
  readonly lines: readonly { readonly arm: string; readonly arms: readonly string[] }[];
  /** Arms that the setting does not concern. */
  readonly beside: readonly string[];
  /** The arm of which one value is the reference. */
  readonly main: string;
}

/** The command that begins a study and goes on with it. */
export const commandOf = ({ kind }: Pick<Study, "kind">): string => `codistill ${kind}`;
