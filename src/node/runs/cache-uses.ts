/**
 * Notes in a cache folder of the runs that use its caches, because a run folder may be anywhere. A note is made before
 * a run looks for its cache, and counts as long as its run folder exists.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { decodeJson } from "../../checkpoint/json.js";
import { makeFolder, writeOwn } from "../files/plain-files.js";
import { readWithin } from "../files/read-bounded.js";
import { mayBeThere, ownIdentity, processIdentitySchema } from "./process-identity.js";
import { readRunFile } from "./run-file.js";
import { runFolder } from "./run-folder.js";

const USES = "uses";
const noteSchema = processIdentitySchema.extend({ run: z.string() });

/** Note that a run of this process is about to use a cache of a folder. A folder that cannot be written to gets no note. */
export function noteUse(cacheFolder: string, run: string): void {
  const path = resolve(run);
  const name = `${createHash("sha256").update(path).digest("hex").slice(0, 16)}.json`;
  try {
    makeFolder(join(cacheFolder, USES));
    writeOwn(join(cacheFolder, USES, name), "replace", JSON.stringify({ run: path, ...ownIdentity() }));
  } catch {
    // A user who cannot write there cannot remove caches either; other users find the run by its folder.
  }
}

/**
 * The caches that the runs noted in a folder use, and a reason why there may be more; null when there are no others.
 */
export function notedUses(cacheFolder: string): {
  readonly caches: readonly string[];
  readonly unknown: string | null;
} {
  const folder = join(cacheFolder, USES);
  const caches: string[] = [];
  let unknown: string | null = null;
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const note = noteIn(join(folder, name));
    if (!note) continue;
    const { run, host } = note;
    if (host !== hostname())
      unknown = `which cache ${run} on ${host} uses is not known here; remove ${join(folder, name)} if it is gone`;
    else if (!existsSync(run)) continue;
    else {
      const cache = cacheIn(run);
      if (typeof cache === "string") caches.push(basename(cache));
      else if (cache === null || mayBeThere(note, folder)) unknown = `which cache ${run} uses is not known`;
    }
  }
  return { caches, unknown };
}

function noteIn(path: string): z.output<typeof noteSchema> | undefined {
  try {
    return noteSchema.safeParse(decodeJson(readWithin(path))).data;
  } catch {
    return undefined;
  }
}

/** The cache that a run's `data.json` names; undefined when there is no such file yet, null when it cannot be read. */
function cacheIn(run: string): unknown {
  try {
    return readRunFile(runFolder(run).data)?.cache;
  } catch {
    return null;
  }
}
