/** A description and a plan as a configuration: the value, and the text of a file that says the same. */

import type { TaskKind } from "../log/events.js";
import type { GivenReading } from "../reading/reading.js";
import type { TableRunInput, TeacherInput } from "../run/input/run.js";
import type { ColumnDescription, Feature } from "./column.js";
import type { PairFeature } from "./pairs.js";
import type { Plan } from "./plan.js";
import type { Preset } from "./presets.js";
import { type SplitChoice, type SplitName, splitInput } from "./split.js";

/** What a configuration is made of. */
export interface Inferred {
  readonly name: string;
  /** Paths or globs as the file should name them: relative ones start at the file. */
  readonly source: readonly string[];
  readonly label: {
    readonly sql: string;
    readonly task: TaskKind;
    readonly positive: string | null;
    readonly reason: string;
    readonly options?: { readonly scale?: "linear" | "log"; readonly least?: number };
  };
  /** The weight of a row as SQL. */
  readonly weight?: string;
  /** Teachers that do not change; paths of models as the file should name them. */
  readonly teachers?: readonly TeacherInput[];
  readonly teacherWeight?: number;
  readonly columns: readonly ColumnDescription[];
  readonly pairs: readonly PairFeature[];
  readonly split: SplitChoice;
  readonly rows: Readonly<Record<SplitName, number>>;
  readonly plan: Plan;
  /** The names of the columns of files that have no header. */
  readonly sourceColumns?: readonly string[];
  /** The most lines of the source that are left out because they are not rows. */
  readonly maxBadRows?: number;
  /** The given options for reading text, and the readings of the columns that could be read in another way. */
  readonly reading?: GivenReading;
  /** Network and optimizer, where they are not the plan's. */
  readonly training?: Preset["training"];
}

/** All features, in the order of their columns. */
export function featuresOf({ columns, pairs }: Pick<Inferred, "columns" | "pairs">): Feature[] {
  return [...columns.flatMap(({ features }) => features), ...pairs.map(({ feature }) => feature)];
}

/** The configuration as a value. */
export function configurationOf(inferred: Inferred): TableRunInput {
  const { name, source, label, weight, split, plan, sourceColumns, maxBadRows, reading = {}, ...rest } = inferred;
  const { training, teachers, teacherWeight, ...table } = rest;
  const features = featuresOf(table);
  const of = (kind: Feature["kind"]) =>
    Object.fromEntries(features.filter((one) => one.kind === kind).map((one) => [one.name, one.sql]));
  const vocabularies = Object.fromEntries(
    features.flatMap(({ name: feature, vocabulary }) => (vocabulary ? [[feature, vocabulary]] : [])),
  );
  const [only = ""] = source;
  return {
    name,
    data: {
      source: source.length === 1 ? only : [...source],
      ...(sourceColumns && { columns: [...sourceColumns] }),
      ...(maxBadRows && { maxBadRows }),
      ...readingOptions(reading),
      label: label.sql,
      ...(label.positive !== null && { positive: label.positive }),
      ...(weight !== undefined && { weight }),
      categorical: of("categorical"),
      numeric: of("numeric"),
      ...(features.some(({ kind }) => kind === "labelMeans") && { labelMeans: of("labelMeans") }),
      ...(Object.keys(vocabularies).length > 0 && { vocabularies }),
      split: splitInput(split),
      regime: plan.regime,
    },
    task:
      label.task === "regression" ? { kind: label.task, ...label.options } : { kind: label.task, temperature: true },
    ...(teachers && { teachers }),
    ...(teacherWeight !== undefined && { teacherWeight }),
    model: training ? { kind: "mlp", embeddings: plan.model.embeddings, hidden: [...training.hidden] } : plan.model,
    optimizer: training?.optimizer ?? plan.optimizer,
    ...(!training && { ema: { decay: plan.emaDecay } }),
    numGroups: plan.numGroups,
    numSteps: plan.numSteps,
    ...(plan.timeLimit !== undefined && { timeLimit: plan.timeLimit }),
    globalBatchSize: plan.globalBatchSize,
    algorithm: {
      kind: "codistill",
      burnInSteps: plan.burnInSteps,
      publishInterval: plan.exchangeInterval,
      exchangeInterval: plan.exchangeInterval,
    },
    earlyStopping: { patience: plan.patience },
    validationInterval: plan.validationInterval,
    checkpointInterval: plan.validationInterval,
    logInterval: plan.logInterval,
  };
}

/** Times are among the readings of columns, by their names. */
function readingOptions({ encoding, delimiter, nullValues, decimal, columns = {} }: GivenReading) {
  return {
    ...(encoding !== undefined && { encoding }),
    ...(delimiter !== undefined && { delimiter }),
    ...(nullValues !== undefined && { nullValues: [...nullValues] }),
    ...(decimal !== undefined && { decimal }),
    ...(Object.keys(columns).length > 0 && { reading: columns }),
  };
}

/** The same as the text of `codistill.config.ts`, with the reasons as comments. */
export function configurationText(inferred: Inferred): string {
  const { label, columns, pairs, split, rows, plan } = inferred;
  const comments = new Map<string, string>([
    ["data.label", `${label.task}: ${label.reason}`],
    ["data.weight", "divided by its mean over the training rows"],
    ["teachers", "do not change; their mean prediction makes teacherWeight of the label loss, 0.5 by default"],
    ["data.split", `${split.reason}: ${rows.train}, ${rows.validation} and ${rows.test} rows`],
    ["data.regime", plan.reasons.groups],
    ["model", plan.reasons.model],
    ["numSteps", plan.reasons.steps],
    ["globalBatchSize", plan.reasons.batch],
    ["earlyStopping", plan.reasons.checks],
  ]);
  for (const { figures, reason, features } of columns) {
    const [first] = features;
    if (first !== undefined) comments.set(`data.${first.kind}.${first.name}`, `${figures.name}: ${reason}`);
  }
  for (const { feature, reason } of pairs) comments.set(`data.${feature.kind}.${feature.name}`, reason);
  const ignored = columns.filter(({ role }) => role === "ignored");
  return [
    "// Written by codistill from the data; change what you know better, and train with: codistill train <this file>",
    `import type { RunInput } from ${stringCode(PACKAGE)};`,
    "",
    ...(ignored.length === 0 ? [] : ["// Not used:"]),
    ...ignored.map(({ figures, reason }) => comment(`- ${figures.name}: ${reason}`)),
    ...(ignored.length === 0 ? [] : [""]),
    `export default ${codeOf(configurationOf(inferred), "", "", comments)} satisfies RunInput;`,
    "",
  ].join("\n");
}

/** A configuration as the text of a file that has been written from `what`, with comments. */
export function configurationFile(what: string, config: object, comments: Comments): string {
  return [
    `// Written by codistill from ${what}; change what you know better, and train with: codistill train <this file>`,
    `import type { RunInput } from ${JSON.stringify(PACKAGE)};`,
    "",
    `export default ${codeOf(config, "", "", comments)} satisfies RunInput;`,
    "",
  ].join("\n");
}

/** Comments, by the path of the option above which they stand. */
type Comments = ReadonlyMap<string, string>;

/** The package of a configuration's type. A file imports the type alone, so it loads where the package is missing. */
export const PACKAGE = "codistill";
const WIDTH = 110;

/** Plain data as TypeScript: on one line where it fits and no part has a comment. */
export function codeOf(value: unknown, path: string, indent: string, comments: Comments): string {
  if (typeof value === "string") return stringCode(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const isList = Array.isArray(value);
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  const deeper = `${indent}  `;
  const parts = Object.entries(value).map(([key, part]) => {
    const partPath = path === "" ? key : `${path}.${key}`;
    const said = comments.get(partPath);
    const code = codeOf(part, partPath, deeper, comments);
    return { said, line: isList ? code : `${keyOf(key)}: ${code}` };
  });
  if (parts.length === 0) return `${open}${close}`;
  const space = isList ? "" : " ";
  const short = `${open}${space}${parts.map(({ line }) => line).join(", ")}${space}${close}`;
  const fits = path !== "" && short.length <= WIDTH && !short.includes("\n");
  if (fits && parts.every(({ said }) => said === undefined)) return short;
  const lines = parts.flatMap(({ said, line }) => [
    ...(said === undefined ? [] : [`${deeper}${comment(said)}`]),
    `${deeper}${line},`,
  ]);
  return [open, ...lines, `${indent}${close}`].join("\n");
}

/** A string as people write it: in the quotes that it does not hold. */
function stringCode(text: string): string {
  const isPlain = !/[\\\p{Cc}\u2028\u2029]/u.test(text);
  if (isPlain && text.includes('"') && !text.includes("'")) return `'${text}'`;
  return isPlain && text.includes('"') && !/`|\$\{/.test(text) ? `\`${text}\`` : JSON.stringify(text);
}

function keyOf(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}

/** A comment of one line, whatever the text holds. */
function comment(text: string): string {
  return `// ${text.replace(/\s+/g, " ").trimEnd()}`;
}
