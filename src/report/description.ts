/** A table described for training, as lines of text that fit a width. */
import { bytes, count, counted, duration, percent, shortened, shortTogether, table, wrapped } from "./format.js";

/** A column and its role. */
export interface ColumnView {
  readonly figures: {
    readonly name: string;
    readonly type: string;
    readonly numMissing: number;
    readonly numDistinct: number;
    readonly isExact: boolean;
  };
  readonly role: string;
  readonly reason: string;
}

interface RowsView {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

/** The parts of a description that are shown. */
export interface DescriptionView {
  readonly source: {
    readonly format: string;
    readonly numFiles: number;
    readonly bytes: number;
    readonly numRows: number;
    readonly memoryBytes: number;
  };
  readonly label: {
    readonly given: string;
    readonly task: string;
    readonly reason: string;
    readonly classes: readonly { readonly value: string; readonly count: number }[];
  };
  readonly teachers?: readonly object[];
  readonly teacherWeight?: number;
  readonly weight?: { readonly given: string; readonly least: number; readonly most: number; readonly mean: number };
  readonly columns: readonly ColumnView[];
  readonly pairs: readonly { readonly reason: string }[];
  readonly split: { readonly reason: string };
  readonly rows: RowsView;
  readonly classRows: readonly (RowsView & { readonly value: string })[];
  readonly powers: readonly { readonly name: string; readonly power: number }[];
  readonly hints: readonly { readonly text: string }[];
}

/** The parts of a plan that are shown. */
export interface PlanView {
  readonly reasons: Readonly<Record<string, string>>;
}

/** The least width of the reasons in the wide layout; with less, types are left out and names are cut shorter. */
const WIDE_WHY = 30;
const LONGEST_NAME = { narrow: 20, wide: 32 };
const LEAST_WHY = 22;
const SHOWN_CLASSES = 6;

/** The source, the label, the split, the table of columns and the hints. */
export function descriptionLines(description: DescriptionView, width: number): string[] {
  const {
    source,
    label,
    weight,
    teachers,
    teacherWeight = 0.5,
    columns,
    pairs,
    split,
    rows,
    classRows,
    hints,
  } = description;
  const facts = [
    ["data", sourceFacts(source, columns.length)],
    ["label", `${label.given}: ${label.task}, ${label.reason}`],
    ...(label.classes.length === 0 ? [] : [["", classesText(label.classes)]]),
    ...(weight === undefined ? [] : [["weight", weightText(weight)]]),
    ...(teachers === undefined
      ? []
      : [
          [
            "taught",
            `${percent(teacherWeight)} of the label loss is against ${counted(teachers.length, "fixed teacher")}`,
          ],
        ]),
    ["split", `${split.reason}: ${sizesText(rows)} rows`],
    ...(classRows.length === 0 ? [] : [["", splitClassesText(classRows)]]),
  ];
  return [
    ...facts.flatMap(([name = "", text = ""]) => labelled(name, text, width)),
    "",
    ...columnLines(columns, description.powers, width),
    ...(pairs.length === 0 ? [] : [""]),
    ...pairs.flatMap(({ reason }) => labelled("pair", reason, width)),
    ...hintLines(hints, width),
  ];
}

/** How much data there is, in words. */
export function sourceFacts(source: DescriptionView["source"], numColumns: number): string {
  const files = counted(source.numFiles, `${source.format} file`);
  return `${counted(source.numRows, "row")} of ${counted(numColumns, "column")} in ${files} of ${bytes(source.bytes)}; DuckDB has ${bytes(source.memoryBytes)} of memory, the rest goes to disk`;
}

/** Notes below an empty line; nothing where there are none. */
export function hintLines(hints: DescriptionView["hints"], width: number): string[] {
  const notes = hints.flatMap(({ text }) => wrapped(text, width, "note    ", " ".repeat(8)));
  return notes.length === 0 ? [] : ["", ...notes];
}

/** The choices of a plan with their reasons, and the expected time. */
export function planLines(plan: PlanView, seconds: number | null, width: number): string[] {
  const facts = Object.entries(plan.reasons);
  const time = seconds === null ? [] : [["time", `about ${duration(seconds)} of training on this machine`]];
  return [...facts, ...time].flatMap(([name = "", text = ""]) => labelled(name, text, width));
}

/** How the user changes what was inferred. */
export function overrideLines(width: number): string[] {
  const text =
    "What is wrong in the table is set right with --numeric, --categorical, --ignore, --time, --group-by, --weight, --teacher, --task or --positive, as in --ignore id,notes.";
  return wrapped(text, width, "", "");
}

/** A name, and beside it a text on lines that fit the width. */
export function labelled(name: string, text: string, width: number): string[] {
  return wrapped(text, width, name.padEnd(8), " ".repeat(8));
}

/** The table of columns; their reasons, under a title, have the width that is left. */
export function columnLines(
  columns: readonly ColumnView[],
  powers: DescriptionView["powers"],
  width: number,
  title = "why",
): string[] {
  const alone = new Map(powers.map(({ name, power }) => [name, power]));
  const leftOf = (isWide: boolean) => {
    const isMeasured = powers.length > 0;
    const head = ["column", ...(isWide ? ["type"] : []), "role", "values", "missing", ...(isMeasured ? ["alone"] : [])];
    const cells = columns.map(({ figures, role }) => {
      const { name, type, numDistinct, numMissing, isExact } = figures;
      return [
        onOneLine(name, isWide ? LONGEST_NAME.wide : LONGEST_NAME.narrow),
        ...(isWide ? [onOneLine(type, 14)] : []),
        role,
        `${count(numDistinct)}${isExact ? "" : "~"}`,
        numMissing === 0 ? "" : count(numMissing),
        ...(isMeasured ? [alone.get(name)?.toFixed(2) ?? ""] : []),
      ];
    });
    return table([head, ...cells]);
  };
  const wide = leftOf(true);
  const [first = "", ...rest] = width >= (wide[0] ?? "").length + 2 + WIDE_WHY ? wide : leftOf(false);
  const left = " ".repeat(first.length + 2);
  // Where the table leaves no room, lines are longer than the width: reasons of one word per line could not be read.
  const room = Math.max(width, left.length + LEAST_WHY);
  return [
    `${first.padEnd(left.length)}${title}`,
    ...rest.flatMap((line, i) => wrapped(columns[i]?.reason ?? "", room, line.padEnd(left.length), left)),
  ];
}

function weightText({ given, least, most, mean }: NonNullable<DescriptionView["weight"]>): string {
  const [low, high, middle] = shortTogether([least, most, mean]);
  return `${given}, ${low} to ${high}: each row counts by it in losses and metrics, the mean of the training rows (${middle}) as 1`;
}

function classesText(classes: DescriptionView["label"]["classes"]): string {
  const total = classes.reduce((sum, one) => sum + one.count, 0);
  const shown = classes
    .slice(0, SHOWN_CLASSES)
    .map((one) => `${onOneLine(one.value, 24)} ${((100 * one.count) / total).toFixed(1)} % (${count(one.count)})`);
  const more = classes.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${count(more)} more`] : [])].join(", ");
}

function sizesText({ train, validation, test }: RowsView): string {
  return `${count(train)} / ${count(validation)} / ${count(test)}`;
}

/** The rows of each class in training, validation and test. */
function splitClassesText(classRows: DescriptionView["classRows"]): string {
  const shown = classRows.slice(0, SHOWN_CLASSES).map((one) => `${onOneLine(one.value, 24)} ${sizesText(one)}`);
  const more = classRows.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${count(more)} more`] : [])].join(", ");
}

/** Text from the data on one line. */
export function onOneLine(text: string, length: number): string {
  return shortened(text.replace(/\s+/g, " "), length);
}
