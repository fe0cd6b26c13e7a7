/** Local copies of files on the web and in buckets, beside the training caches, so that their content can be hashed. */
import { createHash } from "node:crypto";
import { createWriteStream, existsSync, readdirSync, statSync } from "node:fs";
import { rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { digestChange } from "../../checkpoint/digest.js";
import { decodeJson } from "../../checkpoint/json.js";
import { DataError, messageOf } from "../../errors.js";
import { bytes as inBytes } from "../../report/format.js";
import { hidesSecrets, withoutSecrets } from "../../report/secrets.js";
import { isAddress, isFileUrl } from "../files/addresses.js";
import { makeFolder, writeOwn } from "../files/plain-files.js";
import { readWithin } from "../files/read-bounded.js";
import { inTemporaryFolder } from "../files/temporary-folder.js";
import type { OpenRemote, RemoteFile } from "./remote-file.js";
import { identifyFiles } from "./source-files.js";

export interface RemoteOptions {
  readonly cacheFolder: string;
  readonly onProgress?: ((stage: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The folder of the copies. */
export const DOWNLOADS = "downloads";

/** Whether a source is no file of this machine. */
function isRemote(source: string): boolean {
  return isAddress(source) && !isFileUrl(source);
}

/**
 * A source with its remote files (`http:`, `https:`, `s3:`) replaced by local copies. An unchanged file is not fetched
 * again; when a file cannot be reached, its last copy is used, and that is reported.
 *
 * Throws {@link DataError} when a file can neither be fetched nor has a copy, or when its transfer is cut short.
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
  throw refusal(`a source is a path, or begins with http:, https: or s3:, got ${url}`);
}

/** The note beside a copy: the server's tag, the address without secrets, and the digest of the fetched bytes. */
const noteSchema = z.object({
  tag: z.string().nullable(),
  address: z.string(),
  // Notes of earlier versions lack it.
  sha256: z.string().optional(),
});
type Note = z.output<typeof noteSchema>;
const NOTE = "note.json";

function noteIn(folder: string): Note | undefined {
  const path = join(folder, NOTE);
  return existsSync(path) ? noteSchema.safeParse(decodeJson(readWithin(path))).data : undefined;
}

/** How a copy differs from the fetched file, in words; null when it does not. */
async function damageOf(path: string, note: Note | undefined, signal?: AbortSignal): Promise<string | null> {
  if (note?.sha256 === undefined) return null;
  const [now] = await identifyFiles([path], signal);
  if (now === undefined || now.sha256 === note.sha256) return null;
  return `its copy ${path} has changed since it was fetched (${digestChange(note.sha256, now.sha256)})`;
}

/** The parts of an address: without user and password, which go into a header; and the name of its file. */
function partsOf(url: string): { readonly bare: string; readonly user: string | null; readonly name: string } {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (error) {
    throw refusal(`${url} is no address that can be read. Check how it is written`, error);
  }
  const { username, password } = parsed;
  parsed.username = "";
  parsed.password = "";
  const [last = ""] = parsed.pathname.split("/").slice(-1);
  const name = basename(decoded(last))
    .replace(/[\p{Cc}/\\]/gu, "_")
    .slice(-200);
  const user = username || password ? `${decoded(username)}:${decoded(password)}` : null;
  return { bare: parsed.href, user, name: /[^.]/.test(name) ? name : "download" };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The copy of a source whose address a run has kept without its secrets, and which cannot be fetched by it. */
async function copyByAddress(
  address: string,
  { cacheFolder, onProgress = () => {}, signal }: RemoteOptions,
): Promise<string> {
  const downloads = join(cacheFolder, DOWNLOADS);
  const folders = existsSync(downloads) ? readdirSync(downloads).map((name) => join(downloads, name)) : [];
  const paths = folders
    .filter((folder) => noteIn(folder)?.address === address)
    .map((folder) => join(folder, partsOf(address.replaceAll("***@", "")).name));
  const [path] = paths.filter((one) => existsSync(one));
  if (path === undefined || paths.length > 1) {
    throw refusal(
      `${address} was kept without its secrets, and ${paths.length > 1 ? "several copies" : "no copy"} of it ${paths.length > 1 ? "are" : "is"} here. Give the configuration with the whole address: codistill train <config> --resume <run folder>`,
    );
  }
  const damage = await damageOf(path, noteIn(dirname(path)), signal);
  if (damage)
    throw refusal(
      `${address} was kept without its secrets, and ${damage}. Give the configuration with the whole address: codistill train <config> --resume <run folder>`,
    );
  onProgress(`${address} was kept without its secrets; reading the copy that is here`);
  return path;
}

async function copyOf(url: string, { cacheFolder, onProgress = () => {}, signal }: RemoteOptions): Promise<string> {
  if (hidesSecrets(url)) return copyByAddress(url, { cacheFolder, onProgress, signal });
  const open = await openerOf(url);
  const { bare, name } = partsOf(url);
  const folder = join(cacheFolder, DOWNLOADS, createHash("sha256").update(bare).digest("hex").slice(0, 16));
  const path = join(folder, name);
  const note = existsSync(path) ? noteIn(folder) : undefined;
  const damage = await damageOf(path, note, signal);
  if (damage) onProgress(withoutSecrets(`${url} is fetched again: ${damage}`));
  const known = damage ? null : (note?.tag ?? null);
  return inTemporaryFolder(cacheFolder, signal, async (temporary) => {
    let file: RemoteFile | null;
    try {
      file = await open(url, known, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!existsSync(path)) throw error;
      if (damage) throw refusal(`${messageOf(error).replace(/^data: /, "")}, and ${damage}`, error);
      const { mtimeMs } = statSync(path);
      const when = new Date(mtimeMs).toISOString().slice(0, 16).replace("T", " ");
      onProgress(`${messageOf(error)}; reading the copy of ${when} UTC`);
      return path;
    }
    if (file === null) return path;
    const { size, tag } = file;
    onProgress(`fetching ${withoutSecrets(url)}${size === null ? "" : ` (${inBytes(size)})`}`);
    const fresh = join(temporary, "file");
    const { written, sha256 } = await writeBody(url, file, fresh, signal);
    if (size !== null && written !== size) throw cutOff(url, `${written} of ${size} bytes`);
    makeFolder(folder);
    await rename(fresh, path);
    writeOwn(
      join(folder, NOTE),
      "replace",
      `${JSON.stringify({ tag, address: withoutSecrets(url), sha256 } satisfies Note)}\n`,
    );
    return path;
  });
}

/** Write the body of a file to a path; returns the number of bytes and their digest. */
async function writeBody(url: string, { body }: RemoteFile, path: string, signal?: AbortSignal) {
  let written = 0;
  const hash = createHash("sha256");
  const counted = new Transform({
    transform(part: Uint8Array, _encoding, done) {
      written += part.length;
      hash.update(part);
      done(null, part);
    },
  });
  await pipeline(body, counted, createWriteStream(path), { signal }).catch((error: unknown) => {
    throw cutOff(url, messageOf(error), error);
  });
  return { written, sha256: hash.digest("hex") };
}

function cutOff(url: string, why: string, cause?: unknown): DataError {
  return refusal(`${url} ended before its end (${why}). Run again to fetch it anew.`, cause);
}

/** Addresses in messages, and in those of other programs in them, hold no secrets. */
function refusal(why: string, cause?: unknown): DataError {
  return new DataError(withoutSecrets(`data: ${why}`), { cause });
}

const openHttp: OpenRemote = async (url, known, signal) => {
  // An ETag is in quotes; without one, the tag is the time of the last change.
  const condition = /^(W\/)?"/.test(known ?? "") ? "if-none-match" : "if-modified-since";
  const { bare, user } = partsOf(url);
  const headers: Record<string, string> = {
    ...(known !== null && { [condition]: known }),
    ...(user !== null && { authorization: `Basic ${Buffer.from(user).toString("base64")}` }),
  };
  const answer = await fetch(bare, { headers, ...(signal && { signal }) }).catch((error: Error) => {
    throw refusal(
      `${url} cannot be reached (${messageOf(error.cause ?? error)}). Check the address and the network, or download it and name the copy`,
      error,
    );
  });
  if (answer.status === 304) return null;
  if (!answer.ok || !answer.body) {
    throw refusal(
      `${url} must be a file, and the server answered ${answer.status} ${answer.statusText}. Check the address; what needs a login is downloaded by hand and named as a file`,
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
