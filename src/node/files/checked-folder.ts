/**
 * A folder of files that training reads in parts, each with the SHA-256 of its blocks of 64 KiB in a file beside it. A
 * process checks a block when it first reads from it, so that damaged bytes are never used, and large files need not be
 * read whole to be checked. `digests.json` has the size of each file, the digest of its block digests, and a digest of
 * itself.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { joined } from "../../checkpoint/bytes.js";
import { decodeJson, encodeJson } from "../../checkpoint/json.js";
import { checkSeal, NO_SEAL, SEAL, seal } from "../../checkpoint/seal.js";
import { DamagedCacheError, DataError, messageOf } from "../../errors.js";
import { type Reading, readingFile } from "./read-file.js";
import { systemCodeOf } from "./system-errors.js";

const BLOCK_BYTES = 1 << 16;
const DIGEST_BYTES = 32;
/** Bytes that are read before pending events get a turn. */
const TURN_BYTES = 1 << 22;
const MANIFEST = "digests.json";
const blocksOf = (name: string) => `${name}.sha256`;

const manifestSchema = z.object({
  format: z.literal(1),
  files: z.record(z.string(), z.object({ bytes: z.int().nonnegative(), sha256: z.string() })),
  [SEAL]: z.string(),
});

export interface CheckedFile {
  readonly bytes: number;
  readonly reading: Reading;
  /** Fill a target with the bytes from `start` on, giving pending events turns in between. */
  fill(target: Uint8Array, start: number): Promise<void>;
}

/**
 * A folder whose files are checked when they are read. Methods throw {@link DamagedCacheError} when a file is not as it
 * was written, and {@link DataError} when it cannot be read.
 */
export interface CheckedFolder {
  /** A file, which must exist and have this size where one is given. */
  file(name: string, bytes?: number): CheckedFile;
  /** All of a small file. */
  whole(name: string, bytes?: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Read every block of every file. */
  checkAll(signal?: AbortSignal): Promise<void>;
}

/** Write the digests of all files in a folder beside them, and flush them to the device. */
export async function writeDigests(folder: string, signal?: AbortSignal): Promise<void> {
  const files: Record<string, { readonly bytes: number; readonly sha256: string }> = {};
  for (const name of readdirSync(folder).sort()) {
    const digests: Uint8Array[] = [];
    const bytes = await eachBlock(join(folder, name), (block) => void digests.push(sha256(block)), signal);
    const list = joined(digests);
    await writeFile(join(folder, blocksOf(name)), list, { flush: true });
    files[name] = { bytes, sha256: Buffer.from(sha256(list)).toString("hex") };
  }
  const manifest = await seal(encodeJson({ format: 1, [SEAL]: NO_SEAL, files }), "json");
  await writeFile(join(folder, MANIFEST), joined(manifest), { flush: true });
}

/** Open a folder that {@link writeDigests} has completed. */
export async function openCheckedFolder(folder: string): Promise<CheckedFolder> {
  if (!existsSync(folder))
    throw new DataError(`data: there is no training cache at ${folder}. Prepare the data first.`);
  const manifest = await readManifest(folder);
  const files = new Map<string, CheckedFile>();
  for (const [name, { bytes, sha256: said }] of Object.entries(manifest.files)) {
    const list = await readFile(join(folder, blocksOf(name))).catch(unreadable(folder, blocksOf(name)));
    if (Buffer.from(sha256(list)).toString("hex") !== said) throw damaged(folder, `${blocksOf(name)} has changed`);
    files.set(name, checkedFile(folder, name, bytes, list));
  }

  function file(name: string, bytes?: number): CheckedFile {
    const found = files.get(name);
    if (!found) throw damaged(folder, `${name} is missing`);
    if (bytes === undefined || bytes === found.bytes) return found;
    throw damaged(folder, `${name} should have ${bytes} bytes and has ${found.bytes}`);
  }

  return {
    file,
    async whole(name, bytes) {
      const found = file(name, bytes);
      const all = new Uint8Array(found.bytes);
      await found.fill(all, 0);
      return all;
    },
    async checkAll(signal) {
      for (const each of files.values()) {
        const piece = new Uint8Array(Math.min(TURN_BYTES, each.bytes));
        for (let at = 0; at < each.bytes; at += piece.length) {
          signal?.throwIfAborted();
          await each.fill(piece.subarray(0, Math.min(piece.length, each.bytes - at)), at);
        }
      }
    },
  };
}

async function readManifest(folder: string): Promise<z.output<typeof manifestSchema>> {
  const bytes = await readFile(join(folder, MANIFEST)).catch(unreadable(folder, MANIFEST));
  await checkSeal(MANIFEST, bytes, "json").catch((error: unknown) => {
    throw damaged(folder, messageOf(error), error);
  });
  const parsed = manifestSchema.safeParse(decodeJson(bytes));
  if (parsed.success) return parsed.data;
  throw damaged(folder, `${MANIFEST} is not one of this version`);
}

function checkedFile(folder: string, name: string, bytes: number, digests: Uint8Array): CheckedFile {
  const path = join(folder, name);
  const isChecked = new Uint8Array(Math.ceil(bytes / BLOCK_BYTES));
  const { size } = statOf(folder, name);
  if (size !== bytes) throw damaged(folder, `${name} should have ${bytes} bytes and has ${size}`);

  /** Check the bytes of whole blocks against their digests, except blocks that were checked before. */
  function check(from: number, read: Uint8Array): void {
    for (let at = 0; at < read.length; at += BLOCK_BYTES) {
      const block = (from + at) / BLOCK_BYTES;
      if (isChecked[block]) continue;
      const digest = sha256(read.subarray(at, at + BLOCK_BYTES));
      const said = digests.subarray(block * DIGEST_BYTES, (block + 1) * DIGEST_BYTES);
      if (Buffer.compare(digest, said) !== 0) {
        throw damaged(folder, `the block of ${name} at byte ${from + at} has another SHA-256 than when it was written`);
      }
      isChecked[block] = 1;
    }
  }

  const reading: Reading = (work) =>
    readingFile(path, (read) =>
      work((start, count) => {
        const [first, end] = [Math.floor(start / BLOCK_BYTES), Math.ceil((start + count) / BLOCK_BYTES)];
        if (isChecked.subarray(first, end).every((one) => one === 1)) return read(start, count);
        const from = first * BLOCK_BYTES;
        const blocks = read(from, Math.min(bytes, end * BLOCK_BYTES) - from);
        check(from, blocks);
        return blocks.slice(start - from, start - from + count);
      }),
    );

  return {
    bytes,
    reading,
    async fill(target, start) {
      for (let at = 0; at < target.length; at += TURN_BYTES) {
        const count = Math.min(TURN_BYTES, target.length - at);
        target.set(
          reading((read) => read(start + at, count)),
          at,
        );
        if (at + count < target.length) await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** Call `work` for each block of a file in order; returns the size of the file. */
async function eachBlock(path: string, work: (block: Uint8Array) => void, signal?: AbortSignal): Promise<number> {
  const file = await open(path);
  try {
    let total = 0;
    const piece = Buffer.allocUnsafe(TURN_BYTES);
    for (;;) {
      signal?.throwIfAborted();
      // A read of a regular file is short only at the end of the file.
      const { bytesRead } = await file.read(piece, 0, piece.length, total);
      for (let at = 0; at < bytesRead; at += BLOCK_BYTES)
        work(piece.subarray(at, Math.min(at + BLOCK_BYTES, bytesRead)));
      total += bytesRead;
      if (bytesRead < piece.length) return total;
    }
  } finally {
    await file.close();
  }
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();

function statOf(folder: string, name: string) {
  try {
    return statSync(join(folder, name));
  } catch (error) {
    return unreadable(folder, name)(error);
  }
}

/** The error for a file that cannot be read: damage when the file is missing, else a refusal by the system. */
const unreadable =
  (folder: string, name: string) =>
  (error: unknown): never => {
    if (systemCodeOf(error) === "ENOENT") throw damaged(folder, `${name} is missing`, error);
    throw new DataError(
      `data: the cache ${folder} cannot be read: ${messageOf(error)}. Let this user read it, or remove it.`,
      {
        cause: error,
      },
    );
  };

export function damaged(folder: string, what: string, cause?: unknown): DamagedCacheError {
  return new DamagedCacheError(
    `data: the cache ${folder} is damaged, or of another version: ${what}. Start again: the cache is made again from the source.`,
    { cause },
  );
}
