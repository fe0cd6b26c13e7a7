/** The rules of fresh inputs of teachers in a configuration. */
import type { RunShape } from "./kind.js";

/** A line for each rule that is broken. */
export function freshProblems(freshInputs: number, { data, teachers }: Pick<RunShape, "data" | "teachers">): string[] {
  const path = "algorithm.freshInputs";
  if (data.kind !== undefined && data.kind !== "table") {
    return [
      `${path}: gives rows of a table the values of other rows, and data.kind is "${data.kind}", whose parts mean nothing apart; leave it out, got ${freshInputs}`,
    ];
  }
  return teachers
    ? [
        `${path}: what teachers that do not change predict is kept for each row as it is, and of fresh rows nobody knows it; leave out freshInputs or teachers, got ${freshInputs}`,
      ]
    : [];
}
