/** What is inside a run folder, a checkpoint, a snapshot or a model, as lines of text. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { decodeSafetensors } from "../checkpoint/safetensors.js";
import { CheckpointError, ConfigError, messageOf } from "../errors.js";
import { decodeModel, type ModelProto, type ValueInfoProto } from "../graph/onnx-proto.js";
import { bytes, count, table } from "../report/format.js";
import { runsLines } from "../report/runs.js";
import { servedInputSchema } from "../run/serving/expression.js";
import { sizeOf } from "../runtime/array.js";
import { summarizeRun } from "./list-runs.js";
import { readLog } from "./read-log.js";
import { runFolder } from "./run-folder.js";
import { readScope } from "./scope.js";

/**
 * Describe a path.
 *
 * Throws {@link ConfigError} when it is none of the things that can be described, {@link CheckpointError} when a file is
 * damaged.
 */
export function inspect(path: string): string[] {
  if (!existsSync(path)) throw new ConfigError(`there is nothing at ${path}`);
  const run = summarizeRun(path);
  if (run) return inspectRun(path, runsLines([run]));
  if (statSync(path).isFile() && path.endsWith(".safetensors")) return inspectSafetensors(readFileSync(path));
  if (statSync(path).isFile() && path.endsWith(".onnx")) return inspectOnnx(path);
  throw new ConfigError(
    `inspect reads a run folder, a .safetensors file (checkpoint, snapshot, weights) or a .onnx model; ${path} is none`,
  );
}

function inspectRun(path: string, summary: readonly string[]): string[] {
  const folder = runFolder(path);
  const config = JSON.parse(readFileSync(folder.config, "utf8")) as { readonly numGroups: number };
  const rows = readScope(folder, config.numGroups).groups.map((group) => {
    const events = readLog(folder.group(group).log);
    const kinds = (kind: string) => String(events.filter(({ event }) => event === kind).length);
    const end = events.findLast((event) => event.event === "group-end");
    const best = events.findLast((event) => event.event === "validation" && event.best);
    return [
      `group ${group}`,
      best?.event === "validation" ? `${best.loss.toFixed(4)} at ${count(best.step)}` : "-",
      ...["published", "fetched", "exchange-trouble", "checkpoint", "group-start"].map(kinds),
      end?.event === "group-end" ? end.reason : "-",
    ];
  });
  const head = ["", "best validation", "published", "fetched", "trouble", "checkpoints", "starts", "ended"];
  return [...summary, "", ...table([head, ...rows]), "", "configuration", JSON.stringify(config, null, 2)];
}

function inspectSafetensors(file: Uint8Array): string[] {
  const { tensors, metadata } = decodeSafetensors(file);
  const values = Object.values(tensors).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const rows = Object.entries(tensors).map(([name, { dtype, shape }]) => [name, `${dtype}[${shape.join(", ")}]`]);
  return [
    `${metadata.format ?? "safetensors"}, ${bytes(file.length)}, ${count(rows.length)} tensors, ${count(values)} values`,
    ...metadataLines(metadata),
    "",
    ...table([["tensor", "type"], ...rows]),
  ];
}

function inspectOnnx(path: string): string[] {
  const file = readFileSync(path);
  const { graph, metadataProps, opsetImport, producerName } = decodeOnnx(path, file);
  const values = graph.initializer.reduce((sum, { dims }) => sum + sizeOf(dims), 0);
  const isInputs = ({ key }: { readonly key: string }) => key === "inputs";
  const metadata = metadataProps.filter((entry) => !isInputs(entry)).map(({ key, value }) => [key, value] as const);
  const sqls = inputSqls(metadataProps.find(isInputs)?.value);
  const opsets = opsetImport.map(({ domain, version }) => `${domain || "onnx"} ${version}`).join(", ");
  return [
    `ONNX model by ${producerName}, ${bytes(file.length)}, ${count(graph.node.length)} nodes, ${count(values)} constant values, opsets ${opsets}`,
    ...metadataLines(Object.fromEntries(metadata)),
    "",
    ...table([
      ["input", "type", "what it is"],
      ...graph.input.map((value) => [...valueRow(value), sqls.get(value.name) ?? ""]),
    ]),
    "",
    ...table([["output", "type"], ...graph.output.map(valueRow)]),
  ];
}

/** What the inputs of a model of ours are, by name; nothing for any other. */
function inputSqls(text = "[]"): ReadonlyMap<string, string> {
  try {
    const parsed = z.array(servedInputSchema).safeParse(JSON.parse(text));
    return new Map(parsed.data?.map(({ name, type, sql }) => [name, type === "time" ? `${sql}, ms since 1970` : sql]));
  } catch {
    return new Map();
  }
}

function decodeOnnx(path: string, file: Uint8Array): ModelProto {
  try {
    return decodeModel(file);
  } catch (error) {
    throw new CheckpointError(`${path} is not an ONNX model: ${messageOf(error)}`, { cause: error });
  }
}

const elementTypes: Readonly<Record<number, string>> = {
  1: "float32",
  6: "int32",
  7: "int64",
  8: "string",
  9: "bool",
  11: "float64",
};

function valueRow({ name, type }: ValueInfoProto): string[] {
  const { elemType, shape } = type.tensorType;
  const axes = shape.dim.map((dim) =>
    "dimParam" in dim && dim.dimParam ? dim.dimParam : "dimValue" in dim ? dim.dimValue : "?",
  );
  return [name, `${elementTypes[elemType] ?? `type ${elemType}`}[${axes.join(", ")}]`];
}

function metadataLines(metadata: Readonly<Record<string, string>>): string[] {
  return Object.entries(metadata)
    .filter(([name]) => name !== "format")
    .map(([name, value]) => `${name}: ${value}`);
}
