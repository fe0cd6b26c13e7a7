/** The batches of a group, dealt to its workers one after the other: each goes to the worker that is next to ask for one. */
import { z } from "zod";
import type { Cursor, SkippingStream, Stream } from "../data/stream.js";

const count = z.int().nonnegative();

export const dealtSchema = z.object({
  /** How many gradients batches were dealt for. */
  next: count,
  /** The batches of those that were not applied: their numbers, and where they begin. */
  again: z.array(z.object({ batch: count, cursor: z.object({ epoch: count, position: count }) })),
});

/** What a checkpoint has of a dealer, beside the place of the stream. */
export type Dealt = z.output<typeof dealtSchema>;

export interface Dealer {
  /** The number of the next batch: first of those that were dealt before a checkpoint and not applied. */
  deal(): number;
  /** Where a batch begins that was dealt and not done. */
  cursorOf(batch: number): Cursor;
  /** The gradient of a batch was applied. */
  done(batch: number): void;
  /** The batches that were dealt are void, and will not be dealt again. */
  goBack(): void;
  save(): Dealt;
  /**
   * The stream for the loop of a group: where it stands, and batches that are empty, as the workers read them. It does not go back:
   * what was dealt is under way.
   */
  readonly stream: Stream & { close(): Promise<void> };
}

/** A dealer of the batches of a stream, which none but it moves. Each gradient is of so many of them, which count as one. */
export function dealer(source: SkippingStream, batchesPerGradient: number, { next, again }: Dealt): Dealer {
  const dealt = new Map<number, Cursor>();
  let numDealt = next;
  let returned = again;

  function newBatch(): Dealt["again"][number] {
    const { cursor } = source;
    for (let i = 0; i < batchesPerGradient; i++) source.skip();
    return { batch: numDealt++, cursor };
  }

  return {
    deal() {
      const [first = newBatch(), ...others] = returned;
      returned = others;
      dealt.set(first.batch, first.cursor);
      return first.batch;
    },
    cursorOf(batch) {
      const cursor = dealt.get(batch);
      if (!cursor) throw new Error(`internal: batch ${batch} is not under way`);
      return cursor;
    },
    done: (batch) => void dealt.delete(batch),
    goBack: () => dealt.clear(),
    save: () => ({
      next: numDealt,
      again: [
        ...[...dealt].map(([batch, { epoch, position }]) => ({ batch, cursor: { epoch, position } })),
        ...returned,
      ],
    }),
    stream: {
      next: () => ({}),
      goTo() {},
      get cursor() {
        return source.cursor;
      },
      numRows: source.numRows,
      close: async () => source.close?.(),
    },
  };
}
