/** Describes a table for training: the roles of its columns, the label, the split, and what to beware of. */

import { join } from "node:path";
import { labelsName } from "../../../data/batch.js";
import { MOST_MEAN_CLASSES } from "../../../data/label-means.js";
import { ConfigError } from "../../../errors.js";
import type {
  ColumnDescription,
  ColumnFigures,
  Hint,
  LabelDescription,
  Role,
  TargetScale,
} from "../../../infer/column.js";
import { featuresOf } from "../../../infer/configuration.js";
import { describeColumn, featureNames } from "../../../infer/features.js";
import { groupAdvice } from "../../../infer/groups.js";
import { describeLabel } from "../../../infer/label.js";

import type { PairFeature } from "../../../infer/pairs.js";
import {
  givenRole,
  givenRoles,
  type RoleChoice,
  type RoleOverrides,
  rolesOf,
  wantedReadings,
} from "../../../infer/roles.js";
import type { TaskKind } from "../../../log/events.js";
import type { NamedColumn } from "../../../reading/names.js";
import type { GivenReading } from "../../../reading/reading.js";
import { outputNames } from "../../../train/task.js";
import { inTemporaryFolder } from "../../files/temporary-folder.js";
import { type Database, openDuckdb } from "../../sources/duckdb.js";
import { withShares } from "../../sources/progress.js";
import { localCopies } from "../../sources/remote-files.js";
import { groupNotes } from "../row-groups.js";
import type { SourceColumn } from "../source-rows.js";
import { type OpenFiles, openFiles } from "../text-files.js";
import { pairFeatures } from "./count-pairs.js";
import { equalColumns } from "./equal-columns.js";
import { measuredColumn, readFigures } from "./figures.js";
import { leakageHints, sourceHints, weightHints } from "./hints.js";
import { readLabel } from "./label-figures.js";
import { measurePower, type Power } from "./leakage.js";
import { labelQuantity, outlierHints, quantitiesOf } from "./outliers.js";
import { withoutSentinels } from "./sentinels.js";
import { columnOrSql, type OpenSource, openSource } from "./source.js";
import { type DescribedSplit, splitRows } from "./split-rows.js";
import { checkTeachers, type GivenTeachers, givenTeachers, teacherHints } from "./teachers.js";
import { describeWeight, type WeightDescription } from "./weight.js";

/** What the user decides instead of the rules. */
export interface DescribeOverrides extends RoleOverrides {
  readonly task?: TaskKind;
  /** The positive class of a label of two values. */
  readonly positive?: string;
  /** A column or SQL: rows with the same value go to the same split. */
  readonly groupBy?: string;
  /** A column or SQL: how much the loss of a row counts. */
  readonly weight?: string;
  /** Teachers that do not change, each the path of a model, a column or SQL, and how much of the label loss they make. */
  readonly teachers?: readonly string[];
  readonly teacherWeight?: number;
  /** How a label that is a number is learned. */
  readonly targetScale?: TargetScale;
  /** The names of the columns of files that have no header. */
  readonly columns?: readonly string[];
  /** How many malformed lines may be left out; 0 by default. */
  readonly maxBadRows?: number;
  /** How text becomes values, where it is not inferred. */
  readonly reading?: GivenReading;
}

export interface TableDescription {
  readonly source: Omit<OpenSource, "columns">;
  readonly label: LabelDescription & { readonly given: string };
  /** The weight of a row, where rows have weights. */
  readonly weight?: WeightDescription;
  /** Teachers that do not change, where there are some, as a configuration has them. */
  readonly teachers?: GivenTeachers["teachers"];
  readonly teacherWeight?: number;
  /** In the order of the source, the label's among them. */
  readonly columns: readonly ColumnDescription[];
  /** Features of two columns together. */
  readonly pairs: readonly PairFeature[];
  readonly split: DescribedSplit["split"];
  readonly rows: DescribedSplit["rows"];
  readonly classRows: DescribedSplit["classRows"];
  /** How well each column alone predicts the label, where that was measured. */
  readonly powers: readonly Power[];
  readonly hints: readonly Hint[];
}

export interface DescribeOptions {
  /** The folder in which a temporary folder holds data that does not fit into memory. */
  readonly cacheFolder: string;
  readonly signal?: AbortSignal | undefined;
  /** Called with each stage and its progress. */
  readonly onProgress?: ((stage: string) => void) | undefined;
}

/** Names that no feature may have, since they are those of a model's outputs and labels. */
const OUTPUTS = [...Object.values(outputNames), labelsName];

/**
 * Describe the table in some files for predicting a label, a column or an SQL expression over the columns of a row.
 *
 * Throws DataError when the files, the label or the split are of no use, and {@link ConfigError} for overrides that do
 * not fit.
 */
export async function describeTable(
  source: string | readonly string[],
  label: string,
  overrides: DescribeOverrides,
  options: DescribeOptions,
): Promise<TableDescription> {
  return withTable(source, overrides, options, (db, open) => describeIn(db, open, label, overrides));
}

/** Look at the files of a table in a database of its own, which goes away. */
export async function withTable<T>(
  source: string | readonly string[],
  { reading }: Pick<DescribeOverrides, "reading">,
  options: DescribeOptions,
  look: (db: Database, open: OpenFiles) => Promise<T>,
): Promise<T> {
  const { cacheFolder, signal, onProgress = () => {} } = options;
  const files = await localCopies(source, options);
  return inTemporaryFolder(cacheFolder, signal, async (temporary) => {
    const open = await openFiles(files, { folder: temporary, encoding: reading?.encoding, signal });
    const db = await openDuckdb(join(temporary, "spill"), { reads: open.reads, signal });
    try {
      return await withShares(onProgress, db, (tell) => {
        tell("looking at the data");
        return look(db, open);
      });
    } finally {
      await db.close();
    }
  });
}

/** {@link describeTable} in an open database without tables. */
export async function describeIn(
  db: Database,
  open: OpenFiles,
  given: string,
  overrides: DescribeOverrides,
): Promise<TableDescription> {
  const { source, measured, roles } = await openColumns(db, open, overrides);
  const read = await readLabel(db, given, { ...source, columns: measured });
  const measuredLabel = describeLabel(read, overrides.task, overrides.positive, overrides.targetScale);
  for (const column of read.columns) {
    const role = roles.get(column);
    if (role !== undefined && role !== "ignored" && role !== "time") {
      throw new ConfigError(
        `--${role} ${column}: a feature must not tell the label, and ${column} is part of ${given}. Leave it out.`,
      );
    }
  }
  const isKept = (name: string) => roles.has(name) || read.columns.includes(name);
  const figures = await readColumns(db, measured, source.numRows, isKept);
  const nameOf = featureNames(OUTPUTS);
  const named = (flag: string, given: string | undefined): Partial<ReturnType<typeof columnOrSql>> =>
    given === undefined ? {} : columnOrSql(flag, given, measured);
  const groups = named("--group-by", overrides.groupBy);
  const weights = named("--weight", overrides.weight);
  const taught = overrides.teachers && givenTeachers(overrides.teachers, measured, measuredLabel, read.columns);
  if (taught) await checkTeachers(db, taught, measured);
  if (weights.column !== undefined && read.columns.includes(weights.column)) {
    throw new ConfigError(
      `--weight ${overrides.weight}: the weight of a row must not tell its label, and it is part of ${given}. Name another column.`,
    );
  }
  const unused = new Map([
    ...(groups.column === undefined ? [] : [[groups.column, ofGroups] as const]),
    ...(weights.column === undefined ? [] : [[weights.column, ofWeights] as const]),
    ...(taught?.columns ?? []).map((column) => [column, ofTeachers] as const),
  ]);
  const hasLabelMeans = measuredLabel.task !== "multiclass" || measuredLabel.classes.length <= MOST_MEAN_CLASSES;
  const context = { ofLabel: read.columns, unused, nameOf, hasLabelMeans };
  const columns = await describeColumns(db, figures, roles, context);
  const time = figures.find(({ name }) => roles.get(name) === "time") ?? null;
  if (columns.every(({ features }) => features.length === 0)) {
    throw new ConfigError(
      `data: a model needs a feature, and every column is the label's or ignored: ${columns.map(({ figures: { name }, reason }) => `${name} (${reason})`).join(", ")}. Name one with --numeric or --categorical.`,
    );
  }
  const pairs = await pairFeatures(db, columns, source.numRows, nameOf);
  const features = featuresOf({ columns, pairs });
  const { hints, label, ...split } = await splitRows(db, {
    columns,
    features,
    label: measuredLabel,
    time,
    groupBy: groups.sql,
  });
  const advice = time === null ? groupAdvice(figures.filter(({ name }) => !read.columns.includes(name))) : [];
  const groupHints = groups.sql === undefined ? advice : await groupNotes(db, groups.sql);
  const weight =
    weights.sql === undefined
      ? null
      : await describeWeight(db, { given: overrides.weight ?? "", sql: weights.sql }, measured);
  const powers = await measurePower(db, columns, label, source.numRows);
  return {
    source,
    label: { ...label, given },
    ...(weight && { weight }),
    ...(taught && { teachers: taught.teachers }),
    ...(taught && overrides.teacherWeight !== undefined && { teacherWeight: overrides.teacherWeight }),
    columns,
    pairs,
    ...split,
    powers,
    hints: [
      ...sourceHints(source, columns),
      ...(await outlierHints(db, [...labelQuantity(label, read.figures), ...quantitiesOf(columns)], isText(open))),
      ...leakageHints(powers, columns, label.task),
      ...label.hints,
      ...hints,
      ...weightHints(weight, split.rows.train),
      ...(taught ? await teacherHints(db, taught.expressions, columns) : []),
      ...groupHints,
    ],
  };
}

/** Whether values of files are text, so that some of it can be said to stand for a missing value. */
export function isText({ format }: Pick<OpenFiles, "format">): boolean {
  return format === "csv" || format === "tsv";
}

/** Read the files into `source_rows`; gives the source, its columns, and the roles that the user gave. */
export async function openColumns(db: Database, open: OpenFiles, overrides: DescribeOverrides) {
  const { columns: sourceColumns, maxBadRows, reading } = overrides;
  const wanted = (columns: readonly NamedColumn[]) => wantedReadings(givenRoles(overrides, columns));
  const { columns: measured, ...source } = await openSource(db, open, { sourceColumns, maxBadRows, reading, wanted });
  return { source, measured, roles: givenRoles(overrides, measured) };
}

/**
 * The figures of columns, without sentinels that stand for a missing value; `isKept` names columns that keep theirs.
 */
export async function readColumns(
  db: Database,
  columns: readonly SourceColumn[],
  numRows: number,
  isKept: (name: string) => boolean,
): Promise<readonly ColumnFigures[]> {
  const looked = columns.map(measuredColumn);
  return withoutSentinels(db, looked, await readFigures(db, looked, numRows), isKept);
}

interface ColumnContext {
  readonly ofLabel?: readonly string[];
  /** Columns that are no features unless the user says so, and why. */
  readonly unused?: ReadonlyMap<string, RoleChoice>;
  readonly nameOf?: (wanted: string) => string;
  readonly hasLabelMeans?: boolean;
}

const ofGroups: RoleChoice = {
  role: "ignored",
  reason:
    "rows are split by it, so validation and test have values that training never saw; --categorical or --numeric makes it a feature all the same",
};

const ofWeights: RoleChoice = { role: "ignored", reason: "the weight of a row" };

const ofTeachers: RoleChoice = { role: "ignored", reason: "what a teacher predicts" };

/** The roles of columns, by those that were given, else by rules. */
export async function describeColumns(
  db: Database,
  figures: readonly ColumnFigures[],
  roles: ReadonlyMap<string, Role>,
  { ofLabel = [], unused = new Map(), nameOf = featureNames(OUTPUTS), hasLabelMeans = false }: ColumnContext = {},
): Promise<ColumnDescription[]> {
  const options = { nameOf, isTimeSplit: [...roles.values()].includes("time"), hasLabelMeans };
  const own = rolesOf(figures);
  const chosen = figures.map((one, i) => {
    const role = roles.get(one.name);
    if (ofLabel.includes(one.name)) return { one, choice: { role: "label" as const, reason: "what is predicted" } };
    const choice = role === undefined ? (unused.get(one.name) ?? (own[i] as RoleChoice)) : givenRole(one, role);
    return { one, choice };
  });
  const candidates = chosen.map(({ one, choice }) => ({ figures: one, ...choice, features: [] }));
  const equal = await equalColumns(db, candidates);
  return chosen.map(({ one, choice }) => {
    const same = equal.get(one.name);
    const isSame = same !== undefined && !roles.has(one.name);
    const why = ofLabel.includes(same ?? "") ? "it would tell the label" : "it would tell nothing new";
    const final = isSame ? { role: "ignored" as const, reason: `equal to ${same} in every row: ${why}` } : choice;
    return describeColumn(one, final, options);
  });
}
