/** A search for the limit as a table for the terminal. */
import { fittedTable } from "./format.js";

/** What so many workers came to, in words. */
export interface ScaleRow {
  readonly workers: string;
  readonly batch: string;
  readonly rate: string;
  readonly steps: string;
  readonly time: string;
  readonly noise: string;
}

export function scaleLines(rows: readonly ScaleRow[], width = Number.POSITIVE_INFINITY): string[] {
  const head = [
    "workers",
    "batch",
    "best learning rate",
    "steps to the target",
    "time to the target",
    "noise scale near it",
  ];
  return fittedTable(
    [head, ...rows.map(({ workers, batch, rate, steps, time, noise }) => [workers, batch, rate, steps, time, noise])],
    width,
  );
}
