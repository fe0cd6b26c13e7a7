/** Runs fuzzed inputs and counts what became of them. */
import assert from "node:assert/strict";
import { CheckpointError, StoreError } from "../../src/errors.js";
import { fold, rootKey } from "../../src/runtime/random.js";
import { type Draw, drawFrom } from "./draw.js";

/** Another seed gives other inputs: FUZZ_SEED=7. */
export const seed = Number(process.env.FUZZ_SEED ?? 1);

/** What must become of a category's inputs: all refused, some refused and some accepted, or some refused at least. */
export type Expected = "all refused" | "both" | "some refused";

/** A store refuses values that are too large, and names that none could hold. */
const STORE_RULES = /must hold at most \d+ bytes|a store name must be/;
const MAX_MESSAGE = 4000;
const numPrototypeNames = Object.getOwnPropertyNames(Object.prototype).length;

export interface Tally {
  /** Run one category. An attempt resolves when its input was accepted and found to be right, and throws otherwise. */
  run(category: string, count: number, expected: Expected, attempt: (draw: Draw) => Promise<void>): Promise<void>;
  total(): number;
  table(): string;
}

/** Counts for one kind of file; `isRefusal` says which errors are the right ones. */
export function tally(kind: string, isRefusal: (error: unknown) => boolean = isReadingError): Tally {
  const rows: [category: string, count: number, refused: number][] = [];
  return {
    async run(category, count, expected, attempt) {
      const refused = await withoutStacks(async () => {
        let refused = 0;
        for (let input = 0; input < count; input++) {
          const draw = drawFrom(fold(fold(fold(rootKey(seed), kind), category), input));
          try {
            await attempt(draw);
          } catch (error) {
            if (!isRefusal(error)) throw defect(`${kind}, ${category}, input ${input}`, error);
            refused++;
          }
          if (isPolluted()) throw defect(`${kind}, ${category}, input ${input}`, "Object.prototype was changed");
        }
        return refused;
      });
      rows.push([category, count, refused]);
      const what = `${kind}, ${category}, seed ${seed}: ${refused} of ${count} refused`;
      assert.ok(refused > 0, what);
      if (expected === "all refused") assert.equal(refused, count, what);
      if (expected === "both") assert.ok(refused < count, what);
    },
    total: () => rows.reduce((sum, [, count]) => sum + count, 0),
    table() {
      const line = (cells: readonly (string | number)[]) =>
        cells.map((cell, at) => (at === 0 ? String(cell).padEnd(48) : String(cell).padStart(9))).join("");
      const lines = rows.map(([category, count, refused]) => line([category, count, refused, count - refused]));
      return [line([kind, "inputs", "refused", "accepted"]), ...lines].join("\n");
    },
  };
}

/** Most of an input's time would go into the stacks of refusals, which nobody reads. */
async function withoutStacks<T>(run: () => Promise<T>): Promise<T> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function isReadingError(error: unknown): boolean {
  const isRight = error instanceof CheckpointError || (error instanceof StoreError && STORE_RULES.test(error.message));
  return isRight && error.message.length <= MAX_MESSAGE;
}

function isPolluted(): boolean {
  for (const _ in {}) return true;
  return Object.getOwnPropertyNames(Object.prototype).length !== numPrototypeNames;
}

function defect(where: string, cause: unknown): Error {
  const text = cause instanceof Error ? `${cause.name}: ${cause.message.slice(0, 2000)}` : String(cause);
  return new Error(`FUZZ_SEED=${seed}: ${where}: ${text}`, { cause });
}
