import { count, loss, table } from "./format.js";

/** What is known of a run from its folder. */
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

/** Runs as a table, the newest last. */
export function runsLines(runs: readonly RunSummary[]): string[] {
  const rows = runs.map(({ folder, name, startedAt, state, groups, numSteps, testLoss }) => [
    folder,
    name,
    startedAt === null ? "-" : startedAt.slice(0, 19).replace("T", " "),
    state,
    `${count(Math.min(numSteps, ...groups.map(({ step }) => step)))}/${count(numSteps)}`,
    String(groups.length),
    testLoss === null ? "-" : loss(testLoss),
  ]);
  return table([["run", "name", "started (UTC)", "state", "steps", "groups", "test loss"], ...rows]);
}
