/** Splits of documents by the rank of their hash, so that the shares are exact whatever the hashes are. */
import { DataError } from "../../errors.js";
import type { TextSplitName } from "./text.js";

/** The split of a document by its place, one of those that were ranked: equal documents are in one split. */
export type SplitOf = (place: number) => TextSplitName;

/**
 * Of n different documents, in the order of their places, the first max(1, round(n x validation)) are of validation, the
 * next max(1, round(n x test)) of test, and the others train. A share of 0 has none.
 *
 * Throws {@link DataError} where that leaves no document to train on.
 */
export function splitByRank(
  places: Float64Array,
  shares: { readonly validation: number; readonly test: number },
): SplitOf {
  const order = Float64Array.from(new Set(places)).sort();
  const numOf = (share: number) => (share === 0 ? 0 : Math.max(1, Math.round(order.length * share)));
  const [validation, test] = [numOf(shares.validation), numOf(shares.test)];
  if (validation + test >= order.length) {
    throw new DataError(
      `text: of ${order.length} different documents ${validation} would validate and ${test} test, and none train. Give more documents, cut them by a lower data.longest, or give validation and test sources of their own.`,
    );
  }
  const firstOf = (rank: number) => order[rank] as number;
  return (place) => {
    if (place < firstOf(validation)) return "validation";
    return place < firstOf(validation + test) ? "test" : "train";
  };
}
