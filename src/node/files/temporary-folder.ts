/** Temporary folders of unfinished work, in the folder of the caches that the work makes. */
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DamagedCacheError } from "../../errors.js";
import { asCacheError, cacheError, MAKING as prefix } from "./cache-folder.js";
import { openCheckedFolder, writeDigests } from "./checked-folder.js";
import { makeFolder } from "./plain-files.js";

const abandonedMs = 24 * 60 * 60 * 1000;

/**
 * Work in a new folder, which is removed at the end. A failure after the signal was aborted rejects with the signal's
 * reason.
 *
 * Throws {@link DataError} with the cure when the cache cannot be written to.
 */
export async function inTemporaryFolder<T>(
  cacheFolder: string,
  signal: AbortSignal | undefined,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await newFolderIn(cacheFolder);
  try {
    return await work(folder);
  } catch (error) {
    signal?.throwIfAborted();
    throw asCacheError(cacheFolder, error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function newFolderIn(cacheFolder: string): Promise<string> {
  try {
    makeFolder(cacheFolder);
    await removeAbandoned(cacheFolder);
    return await mkdtemp(join(cacheFolder, prefix));
  } catch (error) {
    throw cacheError(cacheFolder, error);
  }
}

/** Options that report and stop the making of a cache folder. */
export interface MakeOptions {
  /** Called with a sentence when the folder is found damaged. */
  readonly onProgress?: ((stage: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Open a folder of the cache, whose name is a digest of all that determines its content. It is made unless it exists,
 * and exists only once it is complete. An existing folder is checked against its digests; one that is damaged, or that
 * `open` finds damaged or of another version, is reported and made again. Processes may race: the first to finish wins,
 * and all use its folder. `make` gets a fresh folder to fill, and a temporary one beside it.
 */
export async function cachedFolder<T>(
  cacheFolder: string,
  name: string,
  { signal, onProgress = () => {} }: MakeOptions,
  make: (fresh: string, temporary: string) => Promise<void>,
  open: (folder: string) => Promise<T>,
): Promise<{ readonly folder: string; readonly cached: boolean; readonly opened: T }> {
  const folder = join(cacheFolder, name);
  let damage: DamagedCacheError | undefined;
  if (await isThere(folder)) {
    try {
      await (await openCheckedFolder(folder)).checkAll(signal);
      return { folder, cached: true, opened: await open(folder) };
    } catch (error) {
      if (!(error instanceof DamagedCacheError)) throw error;
      damage = error;
    }
  }
  if (damage) onProgress(damage.message.replace(/ Start again: .*$/s, " It is made again from the source"));
  await inTemporaryFolder(cacheFolder, signal, async (temporary) => {
    const fresh = join(temporary, "fresh");
    await mkdir(fresh);
    await make(fresh, temporary);
    await writeDigests(fresh, signal);
    signal?.throwIfAborted();
    // A process that is reading the folder finds the same content under the same names right after.
    if (damage) await rename(folder, join(temporary, "damaged")).catch(() => {});
    await rename(fresh, folder).catch(async (error: unknown) => {
      // Another process was faster: its folder has the same content.
      if (!(await isThere(folder))) throw error;
    });
  });
  return { folder, cached: false, opened: await open(folder) };
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Remove folders that killed processes left behind. A folder in use is younger than {@link abandonedMs}, since its
 * files are written all the time.
 */
async function removeAbandoned(cacheFolder: string): Promise<void> {
  for (const name of await readdir(cacheFolder)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(cacheFolder, name);
    const made = await stat(path).catch(() => null);
    if (made !== null && Date.now() - made.mtimeMs > abandonedMs) await rm(path, { recursive: true, force: true });
  }
}
