import { count, loss, table } from "./format.js";

/** A run, as its folder shows it. */
export interface RunSummary {
  readonly folder: string;
  readonly name: string;
  /** When it was first started, ISO 8601; null before it has logged anything. */
  readonly startedAt: string | null;
  readonly state: "preparing" | "training" | "finished" | "stopped" | "failed";
  readonly groups: readonly { readonly group: number; readonly step: number; readonly state: string }[];
  readonly numSteps: number;
  /** Test loss of the shipped model; null while there is none. */
  readonly testLoss: number | null;
}

/** A run folder whose files are damaged or of another version. */
export interface UnreadableRun {
  readonly folder: string;
  readonly state: "unreadable";
  readonly why: string;
}

export type ListedRun = RunSummary | UnreadableRun;

/** Runs as a table, the newest last, and below it why some cannot be read. */
export function runsLines(runs: readonly ListedRun[]): string[] {
  const unreadable = runs.filter((run) => run.state === "unreadable");
  return [
    ...table([["run", "name", "started (UTC)", "state", "steps", "groups", "test loss"], ...runs.map(rowOf)]),
    ...unreadable.map(({ folder, why }) => `${folder} cannot be read: ${why}`),
  ];
}

function rowOf(run: ListedRun): string[] {
  if (run.state === "unreadable") return [run.folder, "-", "-", run.state, "-", "-", "-"];
  const { folder, name, startedAt, state, groups, numSteps, testLoss } = run;
  return [
    folder,
    name,
    startedAt === null ? "-" : startedAt.slice(0, 19).replace("T", " "),
    state,
    `${count(Math.min(numSteps, ...groups.map(({ step }) => step)))}/${count(numSteps)}`,
    String(groups.length),
    testLoss === null ? "-" : loss(testLoss),
  ];
}
