/** Predictions of a served model beside the labels of a table. */
import { joined } from "../../runtime/array.js";
import { unlikeCounter } from "../../serving/seen.js";
import type { Floats } from "../../train/metrics.js";
import type { Database } from "../sources/duckdb.js";
import { OTHER_CLASS } from "./served-labels.js";
import type { ServedModel } from "./served-model.js";
import { type CheckedInput, servedRows } from "./served-rows.js";

/** SQL over a row: its label, and where they are wanted its weight, and the value by which rows are told apart. */
export interface ScoredSql {
  readonly label: string;
  readonly weight?: string | undefined;
  readonly by?: string | undefined;
}

/**
 * Predict the rows of `source_rows`, with their labels, weights and the values of `by`. Rows without a label, or with one of a
 * class that the model does not know, are counted and left out.
 */
export async function score(
  db: Database,
  model: ServedModel,
  served: readonly CheckedInput[],
  { label, weight, by }: ScoredSql,
  onProgress: (numRows: number, ofRows: number) => void,
) {
  const [[total] = []] = await db.rows("select count(*) from source_rows");
  const more = [
    { sql: label, type: "number" } as const,
    { sql: weight ?? "1", type: "number" } as const,
    ...(by === undefined ? [] : [{ sql: `coalesce(cast(${by} as varchar), '(missing)')`, type: "text" } as const]),
  ];
  const counter = unlikeCounter(model.inputs, model.seen);
  const probs: Floats[] = [];
  const labels: Float64Array[] = [];
  const weights: Float64Array[] = [];
  const slices: string[] = [];
  let [numUnlabelled, numOfOtherClasses, done] = [0, 0, 0];
  for await (const { inputs, more: beside } of servedRows(db, served, more)) {
    const { predicted, valuesOf } = await model.predict(inputs);
    counter.add(inputs, valuesOf);
    const [own = [], ofRows = [], names = []] = beside as [Float64Array, Float64Array, string[]];
    const width = predicted.length / own.length;
    // Scored rows are moved to the front of the batch, so that no array is made for each row.
    let kept = 0;
    own.forEach((value, row) => {
      if (Number.isNaN(value)) numUnlabelled++;
      else if (value === OTHER_CLASS && model.classes !== null) numOfOtherClasses++;
      else {
        own[kept] = value;
        ofRows[kept] = ofRows[row] as number;
        predicted.copyWithin(kept * width, row * width, (row + 1) * width);
        kept++;
        if (by !== undefined) slices.push(names[row] ?? "");
      }
    });
    labels.push(own.slice(0, kept) as Float64Array);
    if (weight !== undefined) weights.push(ofRows.slice(0, kept) as Float64Array);
    probs.push(predicted.slice(0, kept * width));
    done += own.length;
    onProgress(done, Number(total));
  }
  const Numbers = model.isDouble ? Float64Array : Float32Array;
  const isOfIndices = model.task.kind === "multiclass";
  return {
    probs: joined<Floats>(Numbers, probs),
    labels: joined<Floats | Int32Array>(isOfIndices ? Int32Array : Numbers, labels),
    ...(weight !== undefined && { weights: joined<Floats>(Float64Array, weights) }),
    slices,
    numUnlabelled,
    numOfOtherClasses,
    found: counter.found(),
  };
}
