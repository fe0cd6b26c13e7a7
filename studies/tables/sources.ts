/** The tables as files: fetched as packages, unpacked into a folder, and never fetched again. */
import { type SpawnSyncOptions, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { literal } from "../../src/data/sql.js";
import { openDuckdb } from "../../src/node/sources/duckdb.js";
import type { Origin, Table } from "./list.js";

/** Debian's packages with the programs that this study runs. */
const PROGRAMS = "r-base-core python3-pandas python3-sklearn python3-xgboost";
export const CURE = `apt-get install --no-install-recommends ${PROGRAMS}`;

const FRAME = fileURLToPath(new URL("../../../studies/tables/frame.R", import.meta.url));

/** The file of a table, made in `folder` unless it is there. Throws an error with the cure where a program is missing. */
export async function sourceFile({ name, origin }: Table, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  if ("debian" in origin)
    return whole(join(folder, `${slug(name)}.csv`), async (file) => writeFrame(origin, folder, file));
  const path = fileURLToPath(new URL(`../data/${origin.file}`, import.meta.resolve(origin.npm)));
  const { rows } = origin;
  if (rows === undefined) return path;
  return whole(join(folder, `${slug(name)}.parquet`), (file) => writePart(path, rows, folder, file));
}

/** A name as the name of a file. */
export function slug(name: string): string {
  return name.replaceAll(" ", "-");
}

/** Make a file unless it exists; it exists only once it is complete. */
async function whole(file: string, make: (file: string) => Promise<void>): Promise<string> {
  if (existsSync(file)) return file;
  const unfinished = `${file}.part`;
  await make(unfinished);
  renameSync(unfinished, file);
  return file;
}

async function writePart(path: string, rows: string, folder: string, file: string): Promise<void> {
  const db = await openDuckdb(join(folder, "spill"), { reads: [path], writes: [resolve(file)] });
  try {
    await db.run(`create view file as select * from read_parquet(${literal(path)})`);
    await db.run(`copy (${rows}) to ${literal(resolve(file))} (format parquet)`);
  } finally {
    await db.close();
  }
}

/** The data of R's packages is in a format of R's own, which R reads without what the packages depend on. */
async function writeFrame(
  { debian, library, frame }: Extract<Origin, { readonly debian: string }>,
  folder: string,
  file: string,
): Promise<void> {
  const unpacked = join(unpackedPackage(debian, folder), "usr", "lib", "R", "site-library", library);
  const own = join(unpackedPackage(debian, folder), "usr", "lib", "R", "library", library);
  run("Rscript", ["--vanilla", FRAME, existsSync(own) ? own : unpacked, frame, file]);
}

/** The folder of a Debian package's files, which the system itself does not get. */
function unpackedPackage(name: string, folder: string): string {
  const unpacked = join(folder, name);
  if (existsSync(unpacked)) return unpacked;
  const work = mkdtempSync(join(folder, "package-"));
  try {
    // As root apt would download as another user, who may not see this folder.
    run("apt-get", ["-qq", "-o", "APT::Sandbox::User=root", "download", name], { cwd: work });
    const file = readdirSync(work).find((one) => one.endsWith(".deb"));
    if (file === undefined) throw new Error(`apt-get left no file of ${name}`);
    run("dpkg-deb", ["--extract", join(work, file), join(work, "files")]);
    renameSync(join(work, "files"), unpacked);
  } finally {
    rmSync(work, { recursive: true });
  }
  return unpacked;
}

/** Run a program, and throw what it complained of. */
function run(program: string, args: readonly string[], options: SpawnSyncOptions = {}): void {
  const { status, error, stderr } = spawnSync(program, args, { ...options, encoding: "utf8" });
  if (error)
    throw new Error(`the tables need Debian's ${PROGRAMS}, and ${program} cannot be run (${error.message}): ${CURE}`);
  if (status !== 0) throw new Error(`${[program, ...args].join(" ")} failed:\n${stderr}`);
}
