/** The label: the task that its values suggest, and the rows of its classes. */
import { labelTextSql } from "../data/label-values.js";
import { literal } from "../data/sql.js";
import { MAX_CLASSES } from "../data/table.js";
import { ConfigError, DataError } from "../errors.js";
import type { TaskKind } from "../log/events.js";
import { argument } from "../reading/names.js";
import { count, counted, percent } from "../report/format.js";
import {
  type ClassCount,
  type ColumnFigures,
  distinctShare,
  type Hint,
  type LabelDescription,
  type LabelFigures,
  numPresent,
  type TargetScale,
} from "./column.js";
import { describeNumbers, READS_AS } from "./number-label.js";
import { yesAndNo } from "./positive.js";
import { numberSql, whole } from "./sql.js";

/** Whole numbers of at most so many different values are classes. */
const FEW_CLASSES = 20;
/** Rows that a class needs: one to validate, one to test, and a few to learn from. */
const ROWS_PER_CLASS = 5;
const RARE = 0.05;

/**
 * The task of a label, inferred or given; and the positive one of two values, likewise.
 *
 * Throws {@link DataError} when all rows have one label or none, or when the values are neither numbers nor few enough
 * to be classes, and {@link ConfigError} when the task that is given does not fit them.
 */
export function describeLabel(
  label: LabelFigures,
  given?: TaskKind,
  positive?: string,
  scale?: TargetScale,
): LabelDescription {
  const { figures } = label;
  checkLabel(label);
  const choice = inferTask(figures);
  const task = given ?? choice.task;
  const reason = given ? "as given with --task" : choice.reason;
  if (positive !== undefined && task !== "binary") {
    throw new ConfigError(
      `--positive says which of two values is yes, and ${label.sql} is ${task} (${reason}). Leave it out, or write a comparison as the label, for example: --label ${argument(`${label.sql} = ${literal(positive)}`)}.`,
    );
  }
  if (task === "regression") return describeNumbers(label, reason, scale);
  if (scale !== undefined) {
    throw new ConfigError(
      `--target-scale ${scale}: numbers have a scale, and ${label.sql} is learned as ${task} (${reason}). Leave it out, or add --task regression.`,
    );
  }
  if (task === "binary" && figures.numDistinct !== 2) {
    throw new ConfigError(
      `--task binary: a binary label has two values, and ${label.sql} has ${count(figures.numDistinct)}. Write a comparison as the label, for example: --label ${argument(`${label.sql} = ${exampleOf(label)}`)}.`,
    );
  }
  if (task === "multiclass" && label.classes.length > MAX_CLASSES) throw tooManyClasses(label);
  return task === "binary" ? describeBinary(label, reason, positive) : describeClasses(label, reason);
}

function checkLabel({ sql, figures, classes }: LabelFigures): void {
  const { numRows, kind, type } = figures;
  if (numPresent(figures) === 0) {
    throw new DataError(
      `label: rows need labels to learn from, and it is null in all ${count(numRows)} rows: ${sql}. Name another column or expression with --label.`,
    );
  }
  if (figures.numDistinct === 1) {
    throw new DataError(
      `label: rows need labels that differ, and it is ${JSON.stringify(classes[0]?.value)} in all of ${count(numPresent(figures))} rows: ${sql}. Add rows with other labels, or name another column or expression with --label.`,
    );
  }
  if (kind === "other" || kind === "time" || kind === "timeOfDay") {
    const cure = kind === "time" ? `a number of it, for example --label ${argument(`epoch(${sql}) / 3600`)}, or ` : "";
    throw new DataError(
      `label: it must be yes or no, a class or a number, and ${sql} has the type ${type}. Write ${cure}a comparison.`,
    );
  }
}

/** The task that the values suggest, and why. */
function inferTask(figures: ColumnFigures): { readonly task: TaskKind; readonly reason: string } {
  const { kind, numDistinct, numbers } = figures;
  const present = numPresent(figures);
  if (numDistinct === 2) return { task: "binary", reason: "two different values" };
  const share = numbers === null ? 0 : numbers.count / present;
  if (numbers !== null && (kind === "number" || share >= READS_AS)) {
    const isWhole = numbers.numWhole === numbers.count;
    const values = `${count(numDistinct)} different values from ${Number(numbers.min.toPrecision(4))} to ${Number(numbers.max.toPrecision(4))}`;
    if (!isWhole) return { task: "regression", reason: `numbers with fractions, ${values}` };
    if (numDistinct > FEW_CLASSES) return { task: "regression", reason: `whole numbers, ${values}` };
    return {
      task: "multiclass",
      reason: `whole numbers of ${count(numDistinct)} values; --task regression takes them as quantities`,
    };
  }
  return { task: "multiclass", reason: `${count(numDistinct)} different names` };
}

function describeBinary(label: LabelFigures, reason: string, given?: string): LabelDescription {
  const { sql, figures, classes } = label;
  const [most, least] = classes as readonly [ClassCount, ClassCount];
  const { positive, negative, reason: which } = yesAndNo([most, least], given);
  const share = least.count / (most.count + least.count);
  return {
    task: "binary",
    sql,
    reason: `${reason}; ${which}`,
    classes: [positive, negative],
    positive: positive.value,
    condition: hasLabel(figures, sql),
    hints: [
      ...missingHints(figures, sql),
      ...spellingHints(label),
      ...(share < RARE
        ? [
            hint(
              "imbalance",
              `only ${percent(share)} of the labels are ${JSON.stringify(least.value)} (${count(least.count)} rows): look at the AUC and the log loss, not at how often the model is right`,
            ),
          ]
        : []),
    ],
  };
}

function describeClasses(label: LabelFigures, reason: string): LabelDescription {
  const { sql, figures, classes } = label;
  if (classes.length > MAX_CLASSES || (distinctShare(figures) > 0.5 && figures.numDistinct > FEW_CLASSES)) {
    throw tooManyClasses(label);
  }
  const kept = classes.filter((one) => one.count >= ROWS_PER_CLASS);
  if (kept.length < 2) {
    throw new DataError(
      `label: a class needs at least ${ROWS_PER_CLASS} rows to be learned, and of ${count(classes.length)} classes ${kept.length === 0 ? "none has" : "only one has"}: ${sql}. Join classes, with case when ... end, or add rows.`,
    );
  }
  const rare = classes.filter((one) => one.count < ROWS_PER_CLASS);
  const list = kept.map(({ value }) => literal(value)).join(", ");
  const numRare = rare.reduce((sum, one) => sum + one.count, 0);
  const least = kept.at(-1) as ClassCount;
  const share = least.count / numPresent(figures);
  return {
    task: "multiclass",
    sql,
    reason,
    classes: kept,
    positive: null,
    condition: rare.length === 0 ? hasLabel(figures, sql) : `${nameSql(label)} in (${list})`,
    hints: [
      ...missingHints(figures, sql),
      ...spellingHints(label),
      ...(rare.length === 0
        ? []
        : [
            hint(
              "left-out",
              `left out: ${counted(rare.length, "class", "classes")} with fewer than ${ROWS_PER_CLASS} rows, as ${JSON.stringify(rare[0]?.value)} (${counted(numRare, "row")}); to keep such rows, write case when ... end as the label`,
            ),
          ]),
      ...(share * kept.length < 2 * RARE
        ? [
            hint(
              "imbalance",
              `classes are uneven: ${JSON.stringify(kept[0]?.value)} has ${percent((kept[0]?.count ?? 0) / numPresent(figures))} of the labels, ${JSON.stringify(least.value)} ${percent(share)}`,
            ),
          ]
        : []),
    ],
  };
}

/** SQL that is true for rows with a label, null when all rows have one. Rows without a label are in no split. */
function hasLabel({ numMissing, type }: ColumnFigures, sql: string): string | null {
  if (numMissing === 0) return null;
  return /^(FLOAT|DOUBLE)$/.test(type) ? `isfinite${whole(sql)}` : `${whole(sql)} is not null`;
}

/** The name of a row's class, as SQL that is as short as the values allow. */
function nameSql({ sql, numSpellings }: LabelFigures): string {
  return numSpellings === null ? `cast(${whole(sql)} as varchar)` : labelTextSql(whole(sql));
}

/** Hints about values that differ only in what does not count, and about values that differ only in case. */
function spellingHints({ sql, figures, classes, numSpellings }: LabelFigures): Hint[] {
  const twins = classes.find((one) => classes.some((other) => other !== one && isTwin(other.value, one.value)));
  const twin = twins && classes.find((one) => one !== twins && isTwin(one.value, twins.value));
  return [
    ...(figures.kind === "text" && numSpellings !== null
      ? [
          hint(
            "label",
            `${count(numSpellings)} different texts are ${count(classes.length)} classes: spaces around a value and a zero fraction, as in "3.0", do not count`,
          ),
        ]
      : []),
    ...(twins && twin
      ? [
          hint(
            "label",
            `${JSON.stringify(twins.value)} and ${JSON.stringify(twin.value)} differ in case alone and are two classes; where they are one, write --label ${argument(`lower(${sql})`)}`,
          ),
        ]
      : []),
  ];
}

function isTwin(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function missingHints({ numMissing }: ColumnFigures, sql: string): Hint[] {
  if (numMissing === 0) return [];
  return [
    hint(
      "left-out",
      `${count(numMissing)} rows have no label and are left out; where that means no, write --label ${argument(`coalesce(${sql}, false)`)} or alike`,
    ),
  ];
}

function tooManyClasses({ sql, figures, classes }: LabelFigures): DataError {
  const first = classes.slice(0, 3).map(({ value }) => JSON.stringify(value));
  return new DataError(
    `label: classes are at most ${count(MAX_CLASSES)} and come back, and ${sql} has ${figures.isExact ? "" : "about "}${count(figures.numDistinct)} different values in ${count(numPresent(figures))} rows, as ${first.join(", ")}. ` +
      "Write an expression with fewer, for example a comparison; or name another column.",
  );
}

function hint(kind: Hint["kind"], text: string): Hint {
  return { kind, text };
}

function exampleOf(label: LabelFigures): string {
  return literalOf(label.figures, label.classes[0]?.value ?? "");
}

function literalOf({ kind }: ColumnFigures, value: string): string {
  if (kind === "boolean") return value;
  return kind === "number" && Number.isFinite(Number(value)) ? numberSql(Number(value), 17) : literal(value);
}
