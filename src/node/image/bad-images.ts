/** Images that cannot be used, in words. */
import { DataError } from "../../errors.js";
import { count, counted, shortened } from "../../report/format.js";
import type { BadImageNote } from "./decode-all.js";

/** Bad images that are named in a message. */
const NAMED = 5;

/** Throws {@link DataError} when more images are bad than a run allows. */
export function checkBad(
  bad: readonly BadImageNote[],
  numImages: number,
  { maxBadImages }: { readonly maxBadImages: number },
): void {
  if (bad.length <= maxBadImages) return;
  throw new DataError(
    `images: ${counted(bad.length, "image")} of ${count(numImages)} cannot be used, and data.maxBadImages allows ${count(maxBadImages)}: ${namesOf(bad)}. Repair or remove them, or raise data.maxBadImages to leave them out.`,
  );
}

/** A note on the images that were left out; none where all are good. */
export function badNotes(bad: readonly BadImageNote[], numImages: number): string[] {
  if (bad.length === 0) return [];
  return [
    `${counted(bad.length, "image")} of ${count(numImages)} cannot be used, and ${bad.length === 1 ? "is" : "are"} left out: ${namesOf(bad)}`,
  ];
}

/** The names of bad images, with why they are bad. */
export function namesOf(bad: readonly BadImageNote[]): string {
  const named = bad.slice(0, NAMED).map(({ name, why }) => `${shortened(name, 200)} ${why}`);
  return [...named, ...(bad.length > NAMED ? [`and ${count(bad.length - NAMED)} more`] : [])].join("; ");
}
