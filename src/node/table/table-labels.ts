/** The labels of each task: the SQL that reads them, their checks, and the statistics that are fitted to them. */
import { classIndex, classIndexSql, labelText, labelTextSql } from "../../data/label-values.js";
import { literal } from "../../data/sql.js";
import { binaryClasses, type LabelStatistics, MAX_CLASSES, type Shift, type TableSpec } from "../../data/table.js";
import { DataError } from "../../errors.js";
import { count } from "../../report/format.js";
import type { Database } from "../sources/duckdb.js";
import type { Moments } from "./moments.js";
import { type Parts, rawLabel, rows, shifted, splitCodes, wantedRows } from "./table-query.js";

/** How labels of one kind are read. Checks throw {@link DataError} with the rule, the values and the cure. */
export interface LabelRules {
  /** The SQL of `examples.label`, from the raw label of this DuckDB type; null stays null. */
  readonly column: (type: string) => string;
  /** The SQL of the label's word in a record, over a row of `examples`; numbers may have a shift. */
  readonly word: (shift: Shift | null) => string;
  /** Check that every label is valid; nulls are checked elsewhere. */
  readonly check: (db: Database, parts: Parts) => Promise<void>;
  /** Check that the labels of training rows differ, and that other splits have no classes that training lacks. */
  readonly checkTraining: (db: Database, parts: Parts) => Promise<void>;
  /** The classes of a multiclass label, after all checks; none of others. */
  readonly classes: (db: Database) => Promise<readonly string[]>;
  /** Fit the statistics of the labels, after all checks. */
  readonly fit: (db: Database, moments: Moments | null) => Promise<LabelStatistics>;
}

/** The rules for the labels of a task; with `positive`, those for binary labels of two other values. */
export function labelRules({ task = "binary", positive }: Pick<TableSpec, "task" | "positive"> = {}): LabelRules {
  return positive === undefined ? rules[task] : ownBinary(positive);
}

const asText = `cast(${rawLabel} as varchar)`;
const asNumber = `try_cast(${asText} as double)`;
const inTraining = `split = ${splitCodes.train}`;

/** The label of a row whose value is neither yes nor no. */
const badLabel = 2;

// Text that DuckDB would read as a boolean where all of a column is of that kind: "yes", "no", "t", "f".
const asBoolean = `try_cast(${asText} as boolean)`;
const binaryLabel = `cast(case when ${rawLabel} is null then null when ${asNumber} = 1 or ${asBoolean} then 1
  when ${asNumber} = 0 or not ${asBoolean} then 0 else ${badLabel} end as float)`;

/** The label as a number; NaN for other values than finite numbers. */
const finiteLabel = `case when ${rawLabel} is null then null else coalesce(
  case when isfinite(${asNumber}) then ${asNumber} end, cast('nan' as double)) end`;

const rules: { readonly [T in NonNullable<TableSpec["task"]>]: LabelRules } = {
  binary: {
    column: (type) => (type === "BOOLEAN" ? `cast(${rawLabel} as float)` : binaryLabel),
    word: () => "label",
    async check(db, parts) {
      const { expression } = parts.label;
      const bad = await mostFrequentBad(db, parts, `label = ${badLabel}`, `${binaryLabel} = ${badLabel}`);
      if (!bad) return;
      throw new DataError(
        `table: a label is 0 or 1, true or false, and it is something else in ${rows(bad.count)}, most often ${JSON.stringify(bad.value)}: ${expression}. ` +
          `Write a comparison, for example (${expression}) = ${literal(bad.value)}; for more than two classes set task to "multiclass", for numbers to "regression".`,
      );
    },
    async checkTraining(db, parts) {
      const [negative = 0, positive = 0] = await binaryCounts(db);
      if (positive > 0 && negative > 0) return;
      throw new DataError(
        `table: the training split needs both labels, and all of its ${rows(negative + positive)} have label ${positive === 0 ? 0 : 1} (${parts.label.expression}). Check the label and the split "train".`,
      );
    },
    classes: async () => [],
    fit: async (db) => ({ kind: "classes", classes: [...binaryClasses], counts: await binaryCounts(db) }),
  },
  multiclass: {
    column: () => labelTextSql(rawLabel),
    word: () => "enum_code(cast(label as class_names))::integer",
    check: async () => {},
    async checkTraining(db, parts) {
      const { expression } = parts.label;
      const [[isNumeric] = []] = await db.rows(
        `select bool_and(coalesce(isfinite(try_cast(label as double)), false)) from examples where ${inTraining}`,
      );
      const order = isNumeric ? "try_cast(label as double), label" : "label";
      await db.run(`create table classes as select label as value, count(*) as count,
        cast(row_number() over (order by ${order}) - 1 as integer) as id
        from examples where ${inTraining} group by label`);
      const [[numClasses] = []] = await db.rows("select count(*) from classes");
      const first = (await db.rows("select value from classes order by id limit 4")).map(([value]) => String(value));
      if (Number(numClasses) > MAX_CLASSES) {
        throw new DataError(
          `table: a label has at most ${count(MAX_CLASSES)} classes, and the training split has ${count(Number(numClasses))} different ones, as ${first.map((value) => JSON.stringify(value)).join(", ")}: ${expression}. ` +
            'For numbers set task to "regression"; else join rare classes into one, with case when ... end.',
        );
      }
      if (Number(numClasses) < 2) {
        throw new DataError(
          `table: the training split needs two classes or more, and all of its rows have the label ${JSON.stringify(first[0])} (${expression}). Check the label and the split "train".`,
        );
      }
      const unseen = `split in (${splitCodes.validation}, ${splitCodes.test}) and label not in (select value from classes)`;
      await db.run("create type class_names as enum (select value from classes order by id)");
      const [[numUnseen, value] = []] = await db.rows(`select sum(number), first(label order by number desc, label)
        from (select label, count(*) as number from examples where ${unseen} group by label)`);
      if (value === null || value === undefined) return;
      throw new DataError(
        `table: a class is learned from training rows, and ${rows(Number(numUnseen))} of validation and test have a label that no training row has, most often ${JSON.stringify(value)}: ${expression}. Leave these rows out of the splits, or join their classes with others.`,
      );
    },
    classes: async (db) => (await db.rows("select value from classes order by id")).map(([value]) => String(value)),
    async fit(db) {
      const found = await db.rows("select value, count from classes order by id");
      return {
        kind: "classes",
        classes: found.map(([value]) => String(value)),
        counts: found.map(([, count]) => Number(count)),
      };
    },
  },
  regression: {
    column: () => finiteLabel,
    word: (shift) => shifted("label", shift),
    async check(db, parts) {
      const { expression } = parts.label;
      const bad = await mostFrequentBad(db, parts, "isnan(label)", `isnan(${finiteLabel})`);
      if (!bad) return;
      throw new DataError(
        `table: a label of task "regression" is a finite number, and it is something else in ${rows(bad.count)}, most often ${JSON.stringify(bad.value)}: ${expression}. ` +
          'Write an expression that gives a number; for classes set task to "multiclass", for yes or no to "binary".',
      );
    },
    async checkTraining(db, parts) {
      const [[least, most] = []] = await db.rows(`select min(label), max(label) from examples where ${inTraining}`);
      if (least !== most) return;
      throw new DataError(
        `table: the training split needs labels that differ, and all of its rows have the label ${least} (${parts.label.expression}). Check the label and the split "train".`,
      );
    },
    classes: async () => [],
    fit: async (_, moments) => ({ kind: "numbers", ...(moments as Moments) }),
  },
};

/** The rules for binary labels of two values, of which `positive` is the positive class. */
function ownBinary(positive: string): LabelRules {
  const isPositive = `${classIndexSql(rawLabel, [positive])} is not null`;
  let negative = "";
  return {
    ...rules.binary,
    column: () => `cast(case when ${rawLabel} is null then null when ${isPositive} then 1 else 0 end as float)`,
    async check(db, parts) {
      const found = await db.rows(`select ${labelTextSql(rawLabel)}, count(*) ${wantedRows(parts)}
        and ${rawLabel} is not null and not (${isPositive}) group by 1 order by 2 desc, 1`);
      const others = found.map(([value]) => String(value));
      negative = others[0] ?? "";
      const third = others.find((value) => classIndex(value, [negative]) === null);
      if (third === undefined) return;
      const { expression } = parts.label;
      throw new DataError(
        `table: a binary label has two values, and beside ${JSON.stringify(positive)} (data.positive) there are ${count(others.length)}, as ${JSON.stringify(negative)} and ${JSON.stringify(third)}: ${expression}. ` +
          `Write a comparison as the label, for example (${expression}) = ${literal(positive)}, and leave data.positive out; or set task to "multiclass".`,
      );
    },
    async checkTraining(db, parts) {
      const [numNo = 0, numYes = 0] = await binaryCounts(db);
      if (numYes > 0 && numNo > 0) return;
      throw new DataError(
        `table: the training split needs both labels, and of its ${rows(numNo + numYes)} ${numYes === 0 ? `none is ${JSON.stringify(positive)} (data.positive)` : `all are ${JSON.stringify(positive)}`}: ${parts.label.expression}. Check the label, data.positive and the split.`,
      );
    },
    fit: async (db) => ({ kind: "classes", classes: [negative, labelText(positive)], counts: await binaryCounts(db) }),
  };
}

/** The number of rows with an invalid label, by a condition on `examples`, and the most frequent raw value of these. */
async function mostFrequentBad(db: Database, parts: Parts, isBad: string, isBadRaw: string) {
  const [[count] = []] = await db.rows(`select count(*) from examples where ${isBad}`);
  if (Number(count) === 0) return null;
  const [[value] = []] = await db.rows(`select ${asText} ${wantedRows(parts)} and ${isBadRaw}
    group by all order by count(*) desc, 1 limit 1`);
  return { count: Number(count), value: String(value) };
}

/** Training rows with label 0, and with label 1. */
async function binaryCounts(db: Database): Promise<number[]> {
  const [counts = []] = await db.rows(
    `select count(*) filter (label = 0), count(*) filter (label = 1) from examples where ${inTraining}`,
  );
  return counts.map(Number);
}
