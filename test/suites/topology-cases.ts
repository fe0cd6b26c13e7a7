/** Four groups in every topology, and what is true of them: who teaches whom. */

import type { TrainEvent } from "../../src/log/events.js";
import type { CodistillInput } from "../../src/run/algorithms/codistill.js";

export type Topology = NonNullable<CodistillInput["topology"]>;

export interface TopologyCase {
  readonly topology: Topology;
  /** The teachers of each group. */
  readonly teachers: readonly (readonly number[])[];
}

export const topologyCases = {
  // biome-ignore format: a table
  all: { topology: "all", teachers: [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]] },
  ring: { topology: "ring", teachers: [[3], [0], [1], [2]] },
  pairs: { topology: "pairs", teachers: [[1], [0], [3], [2]] },
  // The draw of seed 1, taken once from a run; src/codistill/topology.test.ts holds what any draw must be.
  // biome-ignore format: a table
  degree: { topology: { degree: 2 }, teachers: [[2, 3], [0, 3], [0, 1], [1, 2]] },
  list: { topology: [[], [0], [0, 1], [2]], teachers: [[], [0], [0, 1], [2]] },
} as const satisfies Readonly<Record<string, TopologyCase>>;

/** The groups that taught a group in any step that its log tells of. */
export function taughtBy(events: readonly TrainEvent[]): number[] {
  const steps = events.filter((event) => event.event === "step");
  return [...new Set(steps.flatMap(({ teachers }) => teachers.map(({ group }) => group)))].sort();
}
