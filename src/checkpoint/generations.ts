/** Two generations of a file: the one in use, and the one before it, which takes its place when it is damaged. */
import { CheckpointError, DamagedError } from "../errors.js";
import type { Store } from "./store.js";

/** Where the generation before lies, and one that was found damaged. */
export const generationsOf = (name: string) => {
  const [, stem = name, ending = ""] = /^(.*?)(\.[^.]*)?$/.exec(name) ?? [];
  return { before: `${stem}.before${ending}`, damaged: `${stem}.damaged${ending}` } as const;
};

/**
 * Read the newest generation that is whole; null when there is none of either. When it is the one before, that takes its
 * place, the damaged one is kept under a name of its own, and `tell` is told both.
 *
 * Throws {@link CheckpointError} when no generation is whole, with the cure, and what `read` throws but for
 * {@link DamagedError}.
 */
export async function readGeneration<T>(
  files: Store,
  name: string,
  read: (name: string) => Promise<T | null>,
  tell: (message: string) => void,
): Promise<T | null> {
  const { before, damaged } = generationsOf(name);
  const newest = await unlessDamaged(() => read(name));
  if (newest.value !== null && newest.value !== undefined) return newest.value;
  const problem = newest.damage?.message ?? `${name} is missing`;
  const older = await unlessDamaged(() => read(before));
  if (older.value === null && !newest.damage) return null;
  if (older.value === null || older.value === undefined) {
    const both = older.damage
      ? `, and so is the one before it (${older.damage.message})`
      : ", and there is none before it";
    throw new CheckpointError(
      `${problem}${both}. Put a copy of it back, or remove ${name}${older.damage ? ` and ${before}` : ""} to begin anew.`,
      { cause: newest.damage },
    );
  }
  await files.put(name, (await files.get(before)) ?? new Uint8Array(), undefined, damaged);
  tell(
    `${problem}. The one before it takes its place${newest.damage ? `; the damaged one is kept as ${damaged}` : ""}`,
  );
  return older.value;
}

async function unlessDamaged<T>(
  read: () => Promise<T>,
): Promise<{ readonly value?: T; readonly damage?: DamagedError }> {
  try {
    return { value: await read() };
  } catch (error) {
    if (error instanceof DamagedError) return { damage: error };
    throw error;
  }
}
