/** Describes the content of a run folder, a checkpoint, a snapshot or a model. */
import { existsSync, statSync } from "node:fs";
import { z } from "zod";
import { openSafetensors } from "../../checkpoint/seal.js";
import { CheckpointError, ConfigError } from "../../errors.js";
import { elementTypeName } from "../../graph/onnx/element-types.js";
import type { ValueInfoProto } from "../../graph/onnx-proto.js";
import type { LoggedEvent } from "../../log/events.js";
import { type Reading, readingSchema } from "../../reading/reading.js";
import { missingTexts, spellingsOf, spellingWords } from "../../reading/spellings.js";
import { bytes, count, shortened, table, wrapped } from "../../report/format.js";
import { type RunSummary, runsLines } from "../../report/runs.js";
import { meanTimes, workersTable } from "../../report/workers.js";
import { sizeOf } from "../../runtime/array.js";
import { mapValues } from "../../runtime/named.js";
import { readsColumn, type ServedInput, servedInputSchema } from "../../serving/expression.js";
import { readRegular } from "../files/plain-files.js";
import { checkModelFile, readModelFile } from "../ort/model-file.js";
import { summarizeRun } from "./list-runs.js";
import { readEvents } from "./read-log.js";
import { readRunFile } from "./run-file.js";
import { runFolder } from "./run-folder.js";

/** The width of lines that are broken. */
const WIDTH = 80;
/** Characters of a value of the metadata. */
const LONGEST_VALUE = 300;

/** A description, as lines for users and as data for programs. */
export interface Inspection {
  readonly lines: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Describe a path.
 *
 * Throws {@link ConfigError} when it is none of the things that can be described, {@link CheckpointError} when a file is
 * damaged.
 */
export async function inspect(path: string): Promise<Inspection> {
  if (!existsSync(path)) throw new ConfigError(`there is nothing at ${path}`);
  const run = summarizeRun(path);
  if (run) return inspectRun(path, run);
  if (statSync(path).isFile() && path.endsWith(".safetensors")) return inspectSafetensors(path);
  if (statSync(path).isFile() && path.endsWith(".onnx")) return inspectOnnx(path);
  throw new ConfigError(
    `inspect reads a run folder, a .safetensors file (checkpoint, snapshot, weights) or a .onnx model; ${path} is none`,
  );
}

function inspectRun(path: string, run: RunSummary): Inspection {
  const folder = runFolder(path);
  const config = readRunFile(folder.config) ?? {};
  const groups = run.groups.map(({ group }) => inspectGroup(group, folder.group(group).log));
  const head = [
    "",
    "best validation",
    "published",
    "fetched",
    "trouble",
    "log trouble",
    "checkpoints",
    "starts",
    "ended",
  ];
  const rows = groups.map(({ group, best, ended, workers: _, ...numbers }) => [
    `group ${group}`,
    best ? `${best.loss.toFixed(4)} at ${count(best.step)}` : "-",
    ...Object.values(numbers).map(String),
    ended ?? "-",
  ]);
  const lines = [
    ...runsLines([run]),
    "",
    ...table([head, ...rows]),
    ...workersTable(groups),
    "",
    `configuration in ${folder.config}; with --json it is shown`,
  ];
  return { lines, data: { kind: "run", ...run, groups, configuration: config } };
}

/** A summary of a group's log, in numbers. */
function inspectGroup(group: number, log: string) {
  const counts = new Map<LoggedEvent["event"], number>();
  let best: { readonly loss: number; readonly step: number } | null = null;
  let ended: string | null = null;
  const means = meanTimes();
  for (const event of readEvents(log)) {
    if (event.event === "step") means.add(event);
    counts.set(event.event, (counts.get(event.event) ?? 0) + 1);
    if (event.event === "validation" && event.best) best = { loss: event.loss, step: event.step };
    if (event.event === "group-end") ended = event.reason;
  }
  const numOf = (name: LoggedEvent["event"]) => counts.get(name) ?? 0;
  return {
    group,
    best,
    published: numOf("published"),
    fetched: numOf("fetched"),
    exchangeTroubles: numOf("exchange-trouble"),
    logTroubles: numOf("log-trouble"),
    checkpoints: numOf("checkpoint"),
    starts: numOf("group-start"),
    ended,
    ...(means.all().length > 1 && { workers: means.all() }),
  };
}

async function inspectSafetensors(path: string): Promise<Inspection> {
  const file = readRegular(path);
  const { tensors, metadata } = await openSafetensors(path, file);
  await checkModelFile({ path, bytes: file, metadata }, "json");
  const values = Object.values(tensors).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const rows = Object.entries(tensors).map(([name, { dtype, shape }]) => [name, `${dtype}[${shape.join(", ")}]`]);
  const lines = [
    `${metadata.format ?? "safetensors"}, ${bytes(file.length)}, ${count(rows.length)} tensors, ${count(values)} values`,
    ...metadataLines(metadata),
    "",
    ...table([["tensor", "type"], ...rows]),
  ];
  const shapes = mapValues(tensors, ({ dtype, shape }) => ({ dtype, shape }));
  return { lines, data: { kind: "safetensors", bytes: file.length, metadata, tensors: shapes } };
}

async function inspectOnnx(path: string): Promise<Inspection> {
  const file = readModelFile(path);
  const { graph, opsetImport, producerName } = file.model;
  await checkModelFile(file);
  const { inputs: _, ...metadata } = file.metadata;
  const values = graph.initializer.reduce((sum, { dims }) => sum + sizeOf(dims), 0);
  const served = servedInputs(file.metadata.inputs);
  const texts = textsOf(served, file.metadata.reading);
  const opsets = opsetImport.map(({ domain, version }) => `${domain || "onnx"} ${version}`).join(", ");
  const inputs = graph.input.map((value) => {
    const own = served.find(({ name }) => name === value.name);
    const column = texts.find(({ name }) => name === own?.column);
    return {
      ...namedType(value),
      sql: own ? sqlWords(own) : null,
      ...(column && { spellings: column.spellings, missing: column.missing }),
    };
  });
  const outputs = graph.output.map(namedType);
  const lines = [
    `ONNX model by ${producerName}, ${bytes(file.bytes.length)}, ${count(graph.node.length)} nodes, ${count(values)} constant values, opsets ${opsets}`,
    ...metadataLines(metadata),
    "",
    ...table([["input", "type", "what it is"], ...inputs.map(({ name, type, sql }) => [name, type, sql ?? ""])]),
    "",
    ...table([["output", "type"], ...outputs.map(({ name, type }) => [name, type])]),
    ...textLines(texts),
  ];
  const about = {
    producer: producerName,
    bytes: file.bytes.length,
    opsets: opsetImport,
    metadata,
  };
  return { lines, data: { kind: "onnx", ...about, inputs, outputs } };
}

/** The inputs of a model of ours; none of other models. */
function servedInputs(text = "[]"): readonly ServedInput[] {
  return parsedBy(z.array(servedInputSchema), text) ?? [];
}

function sqlWords({ type, sql }: ServedInput): string {
  return type === "time" ? `${sql}, ms since 1970` : sql;
}

/** Columns that were text in the files of training, which a model reads, and how their texts become values. */
function textsOf(inputs: readonly ServedInput[], text = '{"columns":[]}') {
  const reading: Reading = parsedBy(readingSchema, text) ?? { columns: [] };
  return reading.columns
    .filter(({ name }) => inputs.some((input) => readsColumn(input, name)))
    .map(({ name, header = name, reading: own }) => ({
      name,
      header,
      spellings: spellingsOf(own),
      missing: missingTexts(own, reading),
      words: spellingWords(own, reading),
    }));
}

function textLines(columns: ReturnType<typeof textsOf>): string[] {
  const told = columns.flatMap(({ header, words }) =>
    words === null ? [] : [{ header: shortened(header, 30), words }],
  );
  if (told.length === 0) return [];
  const width = Math.max("column".length, ...told.map(({ header }) => header.length)) + 2;
  return [
    "",
    `${"column".padEnd(width)}what its texts become; do the same where you feed the model`,
    ...told.flatMap(({ header, words }) => wrapped(words, WIDTH, header.padEnd(width), " ".repeat(width))),
  ];
}

/** JSON of a schema; undefined for other text. */
function parsedBy<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function namedType({ name, type }: ValueInfoProto): { readonly name: string; readonly type: string } {
  // Models of other programs may have inputs that are not tensors, or of any rank.
  const tensor: Partial<ValueInfoProto["type"]["tensorType"]> | null | undefined = type?.tensorType;
  if (!tensor) return { name, type: "no tensor" };
  const axes = tensor.shape?.dim.map((dim) =>
    "dimParam" in dim && dim.dimParam ? dim.dimParam : "dimValue" in dim ? dim.dimValue : "?",
  );
  const element = elementTypeName(tensor.elemType ?? 0) ?? `type ${tensor.elemType}`;
  return { name, type: `${element}[${axes?.join(", ") ?? "..."}]` };
}

/** Metadata for people: a value of hundreds of numbers is for programs. */
function metadataLines(metadata: Readonly<Record<string, string>>): string[] {
  const shown = Object.entries(metadata).filter(([name]) => name !== "format");
  const isCut = shown.some(([, value]) => value.length > LONGEST_VALUE);
  return [
    ...shown.map(([name, value]) => `${name}: ${shortened(value, LONGEST_VALUE)}`),
    ...(isCut ? ["with --json the values that are cut short here are shown whole"] : []),
  ];
}
