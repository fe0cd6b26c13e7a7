/** One pass over a whole text, for evaluation. */
import { int32, type NamedArrays } from "../../runtime/array.js";
import { labelsName } from "../table.js";
import { type Corpus, joined } from "./corpus.js";
import { idsName } from "./streams.js";

/** The label of a place after the end of a lane, where nothing is predicted. */
export const NO_LABEL = -1;

/** How many units of a corpus are predicted: all but the first. */
export function numPredicted({ starts }: Corpus): number {
  return Math.max(0, (starts.at(-1) ?? 0) - 1);
}

/**
 * All documents, in their order, as one text in lanes side by side, as `laneStream` gives it, but each unit but the first is
 * the label of exactly one place: lanes are as long as the longest must be, and what is left over of the last ones has the
 * label {@link NO_LABEL}. A lane knows nothing of what is before its beginning.
 */
export function* wholeText(corpus: Corpus, batchSize: number, times: number): Generator<NamedArrays, void, void> {
  const text = joined(
    corpus,
    Uint32Array.from({ length: corpus.numDocuments }, (_, d) => d),
  );
  const total = numPredicted(corpus);
  const laneLength = Math.ceil(total / batchSize);
  const units = new Int32Array(times + 1);
  for (let at = 0; at < laneLength; at += times) {
    const ids = new Int32Array(times * batchSize);
    const labels = new Int32Array(times * batchSize).fill(NO_LABEL);
    for (let lane = 0; lane < batchSize; lane++) {
      const start = lane * laneLength + at;
      const count = Math.min(times, laneLength - at, total - start);
      if (count <= 0) continue;
      text.read(start, count + 1, units, 0);
      for (let time = 0; time < count; time++) {
        ids[time * batchSize + lane] = units[time] as number;
        labels[time * batchSize + lane] = units[time + 1] as number;
      }
    }
    yield { [idsName]: int32(ids, [times, batchSize]), [labelsName]: int32(labels) };
  }
}
