/** What was made of several models, as text. */
import type { TaskKind } from "../log/events.js";
import { bytes, count, counted, seconds, table, wrapped } from "./format.js";

export interface EnsembleView {
  readonly out: string;
  readonly bytes: number;
  readonly task: TaskKind | "language";
  readonly members: readonly {
    readonly source: string;
    readonly group: number | null;
    readonly step: number | null;
  }[];
  readonly inputs: readonly string[];
  readonly seconds: number;
}

/** The file, what its prediction is, and its members. */
export function ensembleLines(view: EnsembleView, width = Number.POSITIVE_INFINITY): string[] {
  const { out, members, inputs } = view;
  const what = view.task === "regression" ? "predictions" : "probabilities";
  const head = `${out}: the mean of the ${what} of ${counted(members.length, "model")}, ${counted(inputs.length, "input")}, ${bytes(view.bytes)}, ${seconds(view.seconds)}`;
  const rows = members.map(({ source, group, step }) => [
    source,
    group === null ? "-" : String(group),
    step === null ? "-" : count(step),
  ]);
  return [...wrapped(head, width), "", ...table([["member", "group", "step"], ...rows])];
}
