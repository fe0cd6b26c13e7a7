import { constants as limits } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { Dirent, Stats } from "node:fs";
import { constants, type FileHandle, link, lstat, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type Bytes, partsOf } from "../../checkpoint/bytes.js";
import { checkName, checkSize, isName, type Store } from "../../checkpoint/store.js";
import { ForeignFileError, StoreError } from "../../errors.js";
import "../files/piecewise-hash.js";
import { cures, systemCodeOf } from "../files/system-errors.js";

const FILE_MODE = 0o640;
const FOLDER_MODE = 0o770;
/** Bytes between two looks at the abort signal. */
const CHUNK_BYTES = 8 << 20;
/** A day: no write takes that long, nor does a clock that is set right jump so far. */
export const STALE_MILLISECONDS = 24 * 3_600_000;
export const TEMPORARY = /^\.tmp-\d+-[0-9a-f]{16}$/;

/**
 * A store in a folder that every group can reach: a local disk, NFS, Lustre.
 *
 * A value is written to a temporary file beside its place, flushed to disk, and then renamed (`put`) or linked
 * (`create`) to its name, so a reader sees a whole value or none, whatever happens to the writer. `put`, `create` and
 * `remove` resolve once the change is on disk. The bytes given to them must stay as they are until then. An abort takes
 * effect between two file operations, and leaves no temporary file.
 *
 * The folder is made when it is first needed. It may be a symbolic link; inside it none is followed. A name cannot be a
 * value and a folder of others at once. Temporary files that a killed writer left are removed by the first write of a
 * later store object, once they are a day old by the clock of the file system.
 *
 * `mayChange` is called right before a value is put in place or removed, and throws to forbid it. All methods throw
 * {@link StoreError} when the file system refuses, with its error as `cause`.
 */
export function directoryStore(root: string, mayChange: () => void = () => {}): Store {
  const base = resolve(root);
  let isSwept = false;

  /** A file that was just made has the time of the file system; hosts that share it may have clocks that differ. */
  const placeAndSweep =
    (place: Place): Place =>
    async (temporary, path, handle) => {
      if (!isSwept) {
        isSwept = true;
        await sweep(base, (await handle.stat()).mtimeMs);
      }
      mayChange();
      return place(temporary, path, handle);
    };

  async function write(path: string, parts: readonly string[], value: Bytes, place: Place, signal?: AbortSignal) {
    const folder = await folderOf(base, parts, "make");
    const isPlaced = await throughTemporary(folder, path, value, placeAndSweep(place), signal);
    await syncFolder(folder);
    return isPlaced;
  }

  return {
    async put(name, value, signal, before) {
      const [parts, path] = locate(base, name);
      const place = before === undefined ? replace : replaceKeeping(locate(base, before)[1]);
      await attempt("write", path, signal, () => write(path, parts, value, place, signal));
    },

    async create(name, bytes, signal) {
      const [parts, path] = locate(base, name);
      return attempt("create", path, signal, () => write(path, parts, bytes, linkOnce, signal));
    },

    async get(name, signal, maxBytes = limits.MAX_LENGTH) {
      const [parts, path] = locate(base, name);
      return attempt("read", path, signal, async () => {
        if (!(await folderOf(base, parts))) return null;
        // Without O_NONBLOCK the opening of a named pipe would wait for a writer, for ever.
        const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
        const handle = await unlessMissing(open(path, flags));
        if (!handle) return null;
        try {
          return await readAll(handle, path, maxBytes, signal);
        } finally {
          await handle.close();
        }
      });
    },

    async list(prefix, signal) {
      return attempt("list", base, signal, async () => {
        const names: string[] = [];
        for await (const { flat, entry } of walk(base, prefix)) {
          signal?.throwIfAborted();
          if (entry.isFile() && flat.startsWith(prefix) && isName(flat)) names.push(flat);
        }
        return names.sort();
      });
    },

    async remove(name, signal) {
      const [parts, path] = locate(base, name);
      await attempt("remove", path, signal, async () => {
        const folder = await folderOf(base, parts);
        if (!folder) return;
        mayChange();
        await unlessMissing(unlink(path));
        await syncFolder(folder);
      });
    },
  };
}

function locate(base: string, name: string): [parts: string[], path: string] {
  const parts = checkName(name);
  return [parts, join(base, ...parts)];
}

/** Move a whole temporary file to its name; false when the name is taken and must stay. */
type Place = (temporary: string, path: string, handle: FileHandle) => Promise<boolean>;

const replace: Place = async (temporary, path) => {
  await rename(temporary, path);
  return true;
};

/** Gives the older value a second name, then puts the new one in its place. */
const replaceKeeping =
  (before: string): Place =>
  async (temporary, path, handle) => {
    const second = temporaryIn(dirname(before));
    try {
      await unlessMissing(link(path, second));
      await unlessMissing(rename(second, before));
    } finally {
      // A rename to another name of the same file does nothing.
      await unlessMissing(unlink(second));
    }
    return replace(temporary, path, handle);
  };

const linkOnce: Place = async (temporary, path, handle) => {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (systemCodeOf(error) !== "EEXIST") throw error;
    // On NFS the answer to a link that was made can be lost, and its repetition then says EEXIST.
    return (await handle.stat()).nlink > 1;
  }
};

const temporaryIn = (folder: string) => join(folder, `.tmp-${process.pid}-${randomBytes(8).toString("hex")}`);

async function throughTemporary(folder: string, path: string, value: Bytes, place: Place, signal?: AbortSignal) {
  const temporary = temporaryIn(folder);
  const handle = await open(temporary, "wx", FILE_MODE);
  try {
    for (const bytes of partsOf(value)) {
      for (let at = 0; at < bytes.length; ) {
        signal?.throwIfAborted();
        at += (await handle.write(bytes, at, Math.min(CHUNK_BYTES, bytes.length - at))).bytesWritten;
      }
    }
    await handle.sync();
    signal?.throwIfAborted();
    return await place(temporary, path, handle);
  } finally {
    // Gone already after a rename.
    await handle.close().finally(() => unlink(temporary).catch(() => undefined));
  }
}

async function readAll(handle: FileHandle, path: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
  const stats = await handle.stat();
  if (!stats.isFile()) throw notFileError(path);
  checkSize(path, stats.size, Math.min(maxBytes, limits.MAX_LENGTH));
  const bytes = new Uint8Array(stats.size);
  for (let at = 0; at < bytes.length; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(bytes, at, Math.min(CHUNK_BYTES, bytes.length - at), at);
    if (bytesRead === 0) {
      throw new StoreError(
        `${path} was cut from ${bytes.length} to ${at} bytes while it was read. ` +
          "Something other than a store writes to this folder; keep it out.",
      );
    }
    at += bytesRead;
  }
  return bytes;
}

/** The folder that a name lies in. None on the way may be a link: it could lead out of the store. */
async function folderOf(base: string, parts: readonly string[], missing: "make"): Promise<string>;
async function folderOf(base: string, parts: readonly string[], missing?: "make"): Promise<string | null>;
async function folderOf(base: string, parts: readonly string[], missing?: "make"): Promise<string | null> {
  let path = base;
  for (const part of ["", ...parts.slice(0, -1)]) {
    path = join(path, part);
    const look = () => (part === "" ? stat(path) : lstat(path));
    let stats: Stats | null = await unlessMissing(look());
    if (!stats) {
      if (!missing) return null;
      await makeFolder(path);
      stats = await look();
    }
    if (stats.isSymbolicLink()) throw linkError(path);
    if (!stats.isDirectory()) throw notFolderError(path);
  }
  return path;
}

/** Make a folder and those above it, each on disk before the next. Node's own recursion hides EROFS. */
async function makeFolder(path: string): Promise<void> {
  const above = dirname(path);
  if (!(await unlessMissing(stat(above)))) await makeFolder(above);
  try {
    await mkdir(path, FOLDER_MODE);
  } catch (error) {
    if (systemCodeOf(error) !== "EEXIST") throw error; // another writer was first, or a file is there: the caller looks
  }
  await syncFolder(above);
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return; // folders cannot be flushed there
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    if (systemCodeOf(error) !== "EINVAL") throw error; // a file system that has no such call
  } finally {
    await handle.close();
  }
}

interface Found {
  readonly flat: string;
  readonly path: string;
  readonly entry: Dirent;
}

/** Everything in the folders that can hold names with this prefix. Links are given, not followed. */
async function* walk(base: string, prefix: string, inside = ""): AsyncGenerator<Found> {
  const entries = await unlessMissing(readdir(join(base, inside), { withFileTypes: true }));
  for (const entry of entries ?? []) {
    const flat = inside + entry.name;
    yield { flat, path: join(base, flat), entry };
    const below = `${flat}/`;
    const mayMatch = below.startsWith(prefix) || prefix.startsWith(below);
    if (entry.isDirectory() && mayMatch && isName(`${below}x`)) yield* walk(base, prefix, below);
  }
}

/** Remove the temporary files of killed writers. A failure does not prevent a write. */
async function sweep(base: string, now: number): Promise<void> {
  try {
    for await (const { path, entry } of walk(base, "")) {
      if (!entry.isFile() || !TEMPORARY.test(entry.name)) continue;
      const stats = await unlessMissing(lstat(path));
      if (stats && now - stats.mtimeMs > STALE_MILLISECONDS) await unlessMissing(unlink(path));
    }
  } catch {
    // the next store object tries again
  }
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return null;
    throw error;
  }
}

async function attempt<T>(doing: string, path: string, signal: AbortSignal | undefined, work: () => Promise<T>) {
  try {
    signal?.throwIfAborted();
    return await work();
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === undefined || (signal?.aborted && error === signal.reason)) throw error;
    const cure = cures[code] ?? "Check the folder and its file system.";
    const Kind = code === "ELOOP" ? ForeignFileError : StoreError;
    throw new Kind(`cannot ${doing} ${path}: ${code}. ${cure}`, { cause: error });
  }
}

const linkError = (path: string) => new StoreError(`${path} must be a folder, it is a symbolic link. ${cures.ELOOP}`);
const notFolderError = (path: string) => new StoreError(`${path} must be a folder, it is a file. ${cures.ENOTDIR}`);
const notFileError = (path: string) =>
  new ForeignFileError(`${path} must be a regular file. Move it away; a store holds files and folders only.`);
