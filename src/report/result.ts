import type { RunResult } from "../train/events.js";
import { bytes, count, loss, table } from "./format.js";

/** The outcome of a run as a table: each group, the ensemble, how far the groups disagree. */
export function resultLines(result: RunResult): string[] {
  const head = ["", "test log loss", "test AUC", "validation", "at step", "steps/s", "published", "fetched", ""];
  const groups = result.groups.map((group) => [
    `group ${group.group}`,
    loss(group.testLoss),
    group.testAuc.toFixed(4),
    loss(group.validationLoss),
    count(group.step),
    group.stepsPerSecond.toFixed(0),
    bytes(group.bytesPublished),
    bytes(group.bytesFetched),
    [group.group === result.shippedGroup ? "shipped" : "", group.ended === "finished" ? "" : group.ended]
      .filter(Boolean)
      .join(", "),
  ]);
  const { ensemble, disagreement } = result;
  const together = ensemble ? [["ensemble", loss(ensemble.testLoss), ensemble.testAuc.toFixed(4)]] : [];
  const lines = table([head, ...groups, ...together].map((row) => head.map((_, column) => row[column] ?? "")));
  if (disagreement !== null) {
    lines.push(
      `disagreement between the groups (mean absolute difference of probabilities): ${disagreement.toFixed(4)}`,
    );
  }
  return lines;
}
