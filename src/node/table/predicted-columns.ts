/** The columns that predictions are, under names that are free, and their values. */
import { decidesYes, decisions } from "../../train/class-metrics.js";
import type { Floats } from "../../train/metrics.js";
import type { Decisions } from "./served-decisions.js";
import type { LabelledModel } from "./served-labels.js";
import type { ServedModel } from "./served-model.js";
import { freeNames } from "./served-rows.js";

export interface Appended {
  readonly wanted: string;
  readonly name: string;
  readonly type: "float" | "double" | "varchar";
}

/** The columns that a model appends, under names that are free in the table and among themselves. */
export function appendedColumns(
  { task, classes, isDouble }: LabelledModel,
  taken: readonly string[],
  { offsets }: Pick<Decisions, "offsets"> = { offsets: null },
): Appended[] {
  const number = isDouble ? "double" : "float";
  const shown = task.kind === "binary" ? (classes ?? []).slice(1) : (classes ?? []);
  const wanted: readonly Omit<Appended, "name">[] = [
    { wanted: "prediction", type: classes === null ? number : "varchar" },
    ...shown.map((name) => ({ wanted: `probability_${name}`, type: "float" as const })),
    ...(offsets ? (["prediction_low", "prediction_high"] as const) : []).map(
      (name) => ({ wanted: name, type: number }) as const,
    ),
  ];
  const names = freeNames(
    wanted.map((column) => column.wanted),
    taken,
  );
  return wanted.map((column, i) => ({ ...column, name: names[i] as string }));
}

/** The values of these columns, from the predictions of a model. */
export function asColumns(
  predicted: Floats,
  { task, classes }: ServedModel,
  { threshold, offsets }: Decisions,
): (Floats | string[])[] {
  if (classes === null) {
    const { errorScale } = task;
    if (offsets === null || errorScale === null) return [predicted];
    return [predicted, ...[offsets.low, offsets.high].map((by) => predicted.map((x) => errorScale.moved(x, by)))];
  }
  if (task.kind === "binary") {
    return [Array.from(predicted, (p) => classes[Number(decidesYes(p, threshold))] ?? ""), predicted];
  }
  const numClasses = classes.length;
  const numRows = predicted.length / numClasses;
  return [
    Array.from(decisions(predicted, numClasses), (k) => classes[k] ?? ""),
    ...classes.map((_, k) => Float32Array.from({ length: numRows }, (_, row) => predicted[row * numClasses + k] ?? 0)),
  ];
}
