/** Hints on a table before training: how it was read, marks of missing values, columns that give the label away. */

import type { ColumnDescription, Hint } from "../../../infer/column.js";
import type { TaskKind } from "../../../log/events.js";
import { argument } from "../../../reading/names.js";
import { count, counted, percent } from "../../../report/format.js";
import { leftOutWords } from "../../../report/progress.js";
import type { WeightFigures } from "../row-weights.js";
import type { Power } from "./leakage.js";
import type { OpenSource } from "./source.js";

/** The power from which a column alone predicts the label so well that it was hardly known before the label. */
const LEAKS: { readonly [T in TaskKind]: number } = { binary: 0.98, multiclass: 0.95, regression: 0.98 };

/** The power from which an identifier may be a quantity. */
const TELLS: { readonly [T in TaskKind]: number } = { binary: 0.65, multiclass: 0.1, regression: 0.1 };

const POWER_NAMES: { readonly [T in TaskKind]: string } = {
  binary: "AUC",
  multiclass: "share of the room above chance",
  regression: "R²",
};

/** How the files were read, and which values stand for none. */
export function sourceHints(
  { notes, numMalformed }: Pick<OpenSource, "notes" | "numMalformed">,
  columns: readonly ColumnDescription[],
): Hint[] {
  return [
    ...notes.map((text): Hint => ({ kind: "reading", text })),
    ...malformedHints(numMalformed),
    ...sentinelHints(columns),
  ];
}

function malformedHints(numMalformed: number): Hint[] {
  if (numMalformed === 0) return [];
  return [
    {
      kind: "malformed",
      text: leftOutWords(numMalformed),
    },
  ];
}

function sentinelHints(columns: readonly ColumnDescription[]): Hint[] {
  return columns.flatMap(({ figures: { name, sentinels = [], kind }, role, features }) => {
    if (sentinels.length === 0 || features.length === 0 || role === "categorical") return [];
    const what = sentinels.map(({ shown, numRows }) => `${shown} (${counted(numRows, "row")})`).join(" and ");
    const cure = kind === "time" ? "" : `; if it is a quantity, add --numeric ${argument(name)}`;
    return [
      {
        kind: "sentinel",
        text: `${name} has ${what} far from all other values: taken for a mark of missing ones${cure}`,
      },
    ];
  });
}

/** The share of the training rows that weighted rows must at least count as. */
const FEW_EFFECTIVE = 0.5;

/** That few rows have most of the weight. */
export function weightHints(weight: Pick<WeightFigures, "effectiveRows"> | null, numTrain: number): Hint[] {
  if (weight === null || weight.effectiveRows >= FEW_EFFECTIVE * numTrain) return [];
  const text = `few rows have most of the weight: ${count(numTrain)} training rows tell as much as ${count(Math.round(weight.effectiveRows))} of equal weights, so that losses vary more from batch to batch and figures are less certain`;
  return [{ kind: "few-rows", text }];
}

export function leakageHints(powers: readonly Power[], columns: readonly ColumnDescription[], task: TaskKind): Hint[] {
  const columnOf = new Map(columns.map((column) => [column.figures.name, column]));
  return powers.flatMap(({ name, power }): Hint[] => {
    const figure = `${POWER_NAMES[task]} ${task === "multiclass" ? percent(power) : power.toFixed(3)} on a sample`;
    const column = columnOf.get(name);
    if (column?.isIdentifier) {
      const cure =
        column.figures.kind === "text"
          ? "if a part of it is known before the label, make that a feature in the configuration"
          : `if it is a quantity that is known before the label, add --numeric ${argument(name)}`;
      const text = `${name} is left out (${column.reason}), and alone it tells the label (${figure}): ${cure}; if the rows merely stand in this order, all is well`;
      return power >= TELLS[task] ? [{ kind: "identifier", text }] : [];
    }
    const text = `${name} alone tells the label almost perfectly (${figure}): if it is known only once the label is, add --ignore ${argument(name)}`;
    return power >= LEAKS[task] ? [{ kind: "leakage", text }] : [];
  });
}
