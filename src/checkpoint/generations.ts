/** Two generations of a file: the one in use, and the previous one, which replaces it when it is damaged or missing. */
import { CheckpointError, DamagedError } from "../errors.js";
import type { Store } from "./store.js";

/** The names of the previous generation, and of one that was found damaged. */
export const generationsOf = (name: string) => {
  const [, stem = name, ending = ""] = /^(.*?)(\.[^.]*)?$/.exec(name) ?? [];
  return { before: `${stem}.before${ending}`, damaged: `${stem}.damaged${ending}` } as const;
};

/**
 * Read the newest intact generation; null when neither exists. When only the previous one is intact, it takes the place
 * of the newest, the damaged file is kept under a name of its own, and `tell` is told of both.
 *
 * Throws {@link CheckpointError}, with the cure, when no generation is intact, and every error of `read` but
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
