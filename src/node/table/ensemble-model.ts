/** Makes the model.onnx of an ensemble from those of its members. */
import { join } from "node:path";
import { joined } from "../../checkpoint/bytes.js";
import { NO_SEAL, SEAL, seal } from "../../checkpoint/seal.js";
import { encodeModel } from "../../graph/onnx-proto.js";
import { shortened } from "../../report/format.js";
import { ensembleModel } from "../../serving/ensemble.js";
import type { Errors } from "../../train/intervals.js";
import { inTemporaryFolder } from "../files/temporary-folder.js";
import { checkGraph, MODEL_FORMAT, MODEL_VERSION, modelFile, openSession } from "../ort/model-file.js";
import { openDuckdb } from "../sources/duckdb.js";
import {
  classOrders,
  type EnsembleMember,
  ensembleInputs,
  ensembleReading,
  type ReadMember,
  readMembers,
} from "./ensemble-members.js";
import { describedModel, withOwn } from "./served-model.js";
import { sqlReader } from "./sql-tree.js";

export interface EnsembleModelOptions {
  /** Of numbers, the errors of the mean on validation rows; null where they are not known. */
  readonly errors: Errors | null;
  /** What the metadata say of each member. */
  readonly about: readonly Readonly<Record<string, string | number>>[];
  readonly cacheFolder: string;
  readonly signal?: AbortSignal | undefined;
}

export interface EnsembleFile {
  /** The sealed file. */
  readonly bytes: Uint8Array;
  readonly model: EnsembleMember["model"];
  /** Notes for the user on what the members do not have in common. */
  readonly notes: readonly string[];
}

/** Entries of the metadata of a model of numbers, in the scale of which its loss is. */
const SCALE = ["labelMean", "labelStd", "labelLogUnit"] as const;

/**
 * The model whose prediction is the mean of the predictions of others. It is opened once, as it will be where it is used.
 *
 * Throws {@link ConfigError} for models of different labels, and for those that read files in different ways,
 * {@link DataError} for SQL that a model may not contain, and {@link CheckpointError} for a graph that no exported model
 * has.
 */
export async function ensembleFile(
  given: readonly EnsembleMember[],
  { errors, about, cacheFolder, signal }: EnsembleModelOptions,
): Promise<EnsembleFile> {
  for (const { file } of given) checkGraph(file);
  const members = await inTemporaryFolder(cacheFolder, signal, async (folder) => {
    await using db = await openDuckdb(join(folder, "spill"), { signal });
    return await readMembers(sqlReader(db), given);
  });
  const first = members[0] as ReadMember;
  const orders = classOrders(members);
  const { inputs, names } = ensembleInputs(members, first.model.output);
  const { reading, columns } = ensembleReading(members);
  const kind = first.model.task.kind;
  const { metadata, notes } = commonMetadata(members, errors);
  const parts = members.map(({ file, model }, i) => ({
    path: file.path,
    graph: file.model.graph,
    model: file.model,
    inputs: names[i] as ReadonlyMap<string, string>,
    seen: model.seen,
    order: orders[i] ?? null,
  }));
  const spec = {
    task: kind,
    inputs,
    numClasses: first.model.classes?.length ?? 0,
    isDouble: members.some(({ model }) => model.isDouble),
  };
  signal?.throwIfAborted();
  const proto = await ensembleModel(parts, spec, (seen) => ({
    ...{ format: MODEL_FORMAT, version: String(MODEL_VERSION) },
    name: shortened([...new Set(members.map(({ model }) => model.name))].join(" + "), 200),
    members: JSON.stringify(about),
    ...metadata,
    reading: JSON.stringify(reading),
    seen: JSON.stringify(seen),
    ...(columns && { columns: JSON.stringify(columns) }),
    inputs: JSON.stringify(inputs),
    [SEAL]: NO_SEAL,
  }));
  const bytes = joined(await seal(encodeModel(proto), "onnx"));
  const file = modelFile("the ensemble", bytes);
  const model = await describedModel(file);
  await (await openSession(file, { intraOpNumThreads: 1 }, withOwn(model.seen))).release();
  return { bytes, model, notes };
}

/** Entries of the metadata that follow from those of the members. */
function commonMetadata(members: readonly ReadMember[], errors: Errors | null) {
  const first = members[0] as ReadMember;
  const notes: string[] = [];
  const ofFirst = (names: readonly string[]) =>
    names.flatMap((name) => {
      const value = first.file.metadata[name];
      return value === undefined ? [] : [[name, value] as const];
    });
  const isSame = (of: (member: ReadMember) => string | undefined) => members.every((one) => of(one) === of(first));
  const hasOneWeight = isSame(({ weight }) => weight?.text);
  if (!hasOneWeight) {
    const weights = [...new Set(members.map(({ model }) => model.weight ?? "none"))].map((sql) => shortened(sql, 60));
    notes.push(
      `the members were trained with different weights of rows (${weights.join(", ")}), so the ensemble has none: evaluate counts all rows alike unless --weight is given`,
    );
  }
  const isOfNumbers = first.model.task.kind === "regression";
  if (isOfNumbers && !SCALE.every((name) => isSame(({ file }) => file.metadata[name]))) {
    notes.push(
      `the loss that evaluate shows is in the scale of ${first.file.path}; errors in the unit of the label are the same in any`,
    );
  }
  if (isOfNumbers && errors === null) {
    notes.push(
      "the ensemble has no intervals (predict --interval): they are made of its errors on validation rows, which must be those of all members; of the groups of one run they are",
    );
  }
  const center = members.map(({ file }) => file.metadata.labelCenter).find((value) => value !== undefined);
  return {
    notes,
    metadata: {
      label: first.model.label,
      ...(hasOneWeight && first.model.weight !== null && { weight: first.model.weight }),
      ...(isSame(({ file }) => file.metadata.features) && Object.fromEntries(ofFirst(["features"]))),
      ...Object.fromEntries(ofFirst(["task", "negative", "positive", "classes", ...SCALE])),
      ...(isOfNumbers && center !== undefined && { labelCenter: center }),
      ...(errors && { validationErrors: JSON.stringify(errors) }),
    },
  };
}
