/** Files on the web and in buckets, as copies beside the training caches, so that their content can be told by its hash. */
import { createHash } from "node:crypto";
import { createWriteStream, existsSync, statSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { decodeJson } from "../checkpoint/json.js";
import { DataError, messageOf } from "../errors.js";
import { bytes as inBytes } from "../report/format.js";
import { readWithin } from "./read-bounded.js";
import type { OpenRemote, RemoteFile } from "./remote-file.js";
import { inTemporaryFolder } from "./temporary-folder.js";

export interface RemoteOptions {
  readonly cacheFolder: string;
  readonly onProgress?: (stage: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The folder of the copies. */
export const DOWNLOADS = "downloads";

/** Whether a source is no file of this machine. */
function isRemote(source: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(source) && !source.startsWith("file:");
}

/**
 * A source with copies in the place of what is elsewhere (`http:`, `https:`, `s3:`). What has not changed is not fetched
 * again, and what cannot be reached is read from the copy of another time, which is said.
 *
 * Throws {@link DataError} when something can neither be fetched nor was before, or ends before its end.
 */
export async function localCopies(
  source: string | readonly string[],
  options: RemoteOptions,
): Promise<string | readonly string[]> {
  const sources = typeof source === "string" ? [source] : source;
  if (!sources.some(isRemote)) return source;
  const copies: string[] = [];
  for (const one of sources) {
    if (!isRemote(one)) copies.push(one);
    else for (const url of await filesOf(one, options)) copies.push(await copyOf(url, options));
  }
  return copies;
}

async function filesOf(url: string, { signal }: RemoteOptions): Promise<readonly string[]> {
  return url.startsWith("s3:") ? (await import("./s3-files.js")).matchesInBucket(url, signal) : [url];
}

async function openerOf(url: string): Promise<OpenRemote> {
  if (/^https?:/i.test(url)) return openHttp;
  if (/^s3:/i.test(url)) return (await import("./s3-files.js")).openS3;
  throw new DataError(`data: a source is a path, or begins with http:, https: or s3:, got ${url}`);
}

async function copyOf(url: string, { cacheFolder, onProgress = () => {}, signal }: RemoteOptions): Promise<string> {
  const open = await openerOf(url);
  const folder = join(cacheFolder, DOWNLOADS, createHash("sha256").update(url).digest("hex").slice(0, 16));
  const path = join(folder, basename(decodeURIComponent(new URL(url).pathname)));
  const tagFile = join(folder, "tag.json");
  const known = existsSync(path) && existsSync(tagFile) ? decodeJson(readWithin(tagFile)) : null;
  // A tag that is damaged is none: the file is fetched again.
  const before = typeof known === "string" ? known : null;
  return inTemporaryFolder(cacheFolder, signal, async (temporary) => {
    let file: RemoteFile | null;
    try {
      file = await open(url, before, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!existsSync(path)) throw error;
      const { mtimeMs } = statSync(path);
      const when = new Date(mtimeMs).toISOString().slice(0, 16).replace("T", " ");
      onProgress(`${messageOf(error)}; reading the copy of ${when} UTC`);
      return path;
    }
    if (file === null) return path;
    const { size, tag } = file;
    onProgress(`fetching ${url}${size === null ? "" : ` (${inBytes(size)})`}`);
    const fresh = join(temporary, "file");
    const written = await writeBody(url, file, fresh, signal);
    if (size !== null && written !== size) throw cutOff(url, `${written} of ${size} bytes`);
    await mkdir(folder, { recursive: true });
    await rename(fresh, path);
    await writeFile(tagFile, `${JSON.stringify(tag)}\n`);
    return path;
  });
}

/** The bytes that were written. */
async function writeBody(url: string, { body }: RemoteFile, path: string, signal?: AbortSignal): Promise<number> {
  let written = 0;
  const counted = new Transform({
    transform(part: Uint8Array, _encoding, done) {
      written += part.length;
      done(null, part);
    },
  });
  await pipeline(body, counted, createWriteStream(path), { signal }).catch((error: unknown) => {
    throw cutOff(url, messageOf(error), error);
  });
  return written;
}

function cutOff(url: string, why: string, cause?: unknown): DataError {
  return new DataError(`data: ${url} ended before its end (${why}). Run again to fetch it anew.`, { cause });
}

const openHttp: OpenRemote = async (url, known, signal) => {
  // A tag is in quotes; a server that gives none tells the time of the last change.
  const condition = /^(W\/)?"/.test(known ?? "") ? "if-none-match" : "if-modified-since";
  const headers: Record<string, string> = known === null ? {} : { [condition]: known };
  const answer = await fetch(url, { headers, ...(signal && { signal }) }).catch((error: Error) => {
    throw new DataError(
      `data: ${url} cannot be reached (${messageOf(error.cause ?? error)}). Check the address and the network, or download it and name the copy`,
      { cause: error },
    );
  });
  if (answer.status === 304) return null;
  if (!answer.ok || !answer.body) {
    throw new DataError(
      `data: ${url} must be a file, and the server answered ${answer.status} ${answer.statusText}. Check the address; what needs a login is downloaded by hand and named as a file`,
    );
  }
  // A body that was packed on the way has another length.
  const length = answer.headers.get("content-encoding") ? null : answer.headers.get("content-length");
  return {
    tag: answer.headers.get("etag") ?? answer.headers.get("last-modified"),
    size: length === null ? null : Number(length),
    body: Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]),
  };
};
