/**
 * Collects findings on documents for the user: repeated ones, empty ones, and ones damaged by an earlier conversion.
 */
import { createHash } from "node:crypto";
import type { TextSplitName } from "../../data/text/text.js";
import { counted } from "../../report/format.js";

export interface Findings {
  /** Note a document; returns whether it is a validation or test document that training has too. */
  see(split: TextSplitName, hash: Buffer, text: string, place: string): boolean;
  /** Note a row or a file that has no text. */
  seeEmpty(place: string): void;
  /** Documents of this split that training has too. */
  inTraining(split: "validation" | "test"): number;
  /** The places of some of these documents. */
  examples(split: "validation" | "test"): string;
  /** Notes on all findings, in sentences. */
  notes(isDropped: boolean): string[];
}

const MOST_EXAMPLES = 3;

/**
 * Kinds of findings: a validation or test document that training has too, exactly or except for spaces; a copy within
 * training; a document in both validation and test; an empty one; one with replaced characters.
 */
type Kind = `${"same" | "spaces"} ${"validation" | "test"}` | "copies" | "both" | "empty" | "replaced";

/** Start collecting. Training documents must come first, so that the others can be compared with them. */
export function findingsOf(): Findings {
  const [exact, spaced, validated] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const found = new Map<Kind, { count: number; readonly places: string[] }>();
  const note = (kind: Kind, place: string) => {
    const one = found.get(kind) ?? { count: 0, places: [] };
    found.set(kind, one);
    one.count++;
    if (one.places.length < MOST_EXAMPLES) one.places.push(place);
  };
  const count = (kind: Kind) => found.get(kind)?.count ?? 0;
  const examples = (kind: Kind) => {
    const { count = 0, places = [] } = found.get(kind) ?? {};
    return `${places.join("; ")}${count > places.length ? "; ..." : ""}`;
  };
  return {
    seeEmpty: (place) => note("empty", place),
    see(split, hash, text, place) {
      if (text.includes("\uFFFD")) note("replaced", place);
      const key = hash.toString("base64", 0, 16);
      const isTrained = exact.has(key);
      const loose = createHash("sha256").update(text.replace(/\s+/g, " ").trim()).digest("base64").slice(0, 22);
      if (split === "train") {
        if (isTrained) note("copies", place);
        exact.add(key);
        spaced.add(loose);
        return false;
      }
      if (isTrained) note(`same ${split}`, place);
      else if (spaced.has(loose)) note(`spaces ${split}`, place);
      if (split === "test" && validated.has(key)) note("both", place);
      if (split === "validation") validated.add(key);
      return isTrained;
    },
    inTraining: (split) => count(`same ${split}`),
    examples: (split) => examples(`same ${split}`),
    notes(isDropped) {
      const say = (kind: Kind, one: string, several: string, what: string) =>
        count(kind) === 0 ? [] : [`${counted(count(kind), one, several)} ${what} (${examples(kind)})`];
      const of = (split: string) => [`document of ${split} is`, `documents of ${split} are`] as const;
      const done = isDropped ? "and left out, as data.dropRepeated says" : "and counted, as data.dropRepeated says";
      return (["validation", "test"] as const)
        .flatMap((split) => [
          ...say(`same ${split}`, ...of(split), `in training too ${done}`),
          ...say(`spaces ${split}`, ...of(split), "in training too but for spaces and line ends, and counted"),
        ])
        .concat(
          say("both", "document is", "documents are", "in validation and in test"),
          say("empty", "row or file without text is", "rows or files without text are", "left out"),
          say(
            "replaced",
            "document has",
            "documents have",
            "characters U+FFFD, which an earlier conversion put for what it could not read",
          ),
          say("copies", "training document is a copy", "training documents are copies", "of another, and kept"),
        );
    },
  };
}
