/** The RFCs as Debian packs them: the package `doc-rfc-informational`, of the archive's part non-free. */
import { type ExecFileSyncOptions, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";

const PACKAGE = "doc-rfc-informational";

/** One RFC: its number, which rises with time, and its text. */
export interface Rfc {
  readonly number: number;
  readonly text: string;
}

/**
 * All informational RFCs under a folder, in the order of their numbers. Where the folder has none, the package is
 * downloaded and its texts are put there: 114 MB to download, 32 MB to keep. Neither the system nor its list of packages changes.
 *
 * Throws an error that says how to put the texts there by hand, where Debian's tools are missing or do not reach an archive.
 */
export function rfcsIn(folder: string): Rfc[] {
  const there = textsIn(folder);
  if (there.length > 0) return there;
  try {
    download(folder);
  } catch (error) {
    const why = error instanceof Error ? error.message.trim() : String(error);
    throw new Error(
      `the RFCs come by Debian's package ${PACKAGE}, and it could not be had: ${why}\nThis takes Debian (or a container of it) with apt-get, dpkg-deb and a network. Elsewhere, put the texts of RFCs, as rfc<number>.txt or rfc<number>.txt.gz, into ${resolve(folder)} and run the same command again.`,
      { cause: error },
    );
  }
  return textsIn(folder);
}

function textsIn(folder: string): Rfc[] {
  if (!existsSync(folder)) return [];
  const found = new Map<number, Rfc>();
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const number = Number(/(?:^|[/\\])rfc(\d+)\.txt(?:\.gz)?$/.exec(path)?.[1]);
    if (!number || found.has(number)) continue;
    const bytes = readFileSync(join(folder, path));
    found.set(number, { number, text: (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8") });
  }
  return [...found.values()].sort((a, b) => a.number - b.number);
}

function download(folder: string): void {
  const work = resolve(folder, "download");
  mkdirSync(work, { recursive: true });
  const options = archiveOptions(work);
  process.stderr.write(`downloading ${PACKAGE}, 114 MB\n`);
  run("apt-get", [...options, "-qq", "download", PACKAGE], { cwd: work });
  const file = readdirSync(work).find((name) => name.endsWith(".deb"));
  if (!file) throw new Error("apt-get left no file");
  // The texts alone: the package has them as web pages and as PDF too.
  const unpack = 'dpkg-deb --fsys-tarfile "$1" | tar --extract --wildcards "*/rfc*.txt" "*/rfc*.txt.gz"';
  run("sh", ["-c", unpack, "sh", join(work, file)], { cwd: work });
  // Only now: half of them would be taken for all.
  renameSync(join(work, "usr", "share", "doc", "RFC"), join(folder, "RFC"));
  rmSync(work, { recursive: true });
}

/** Options by which apt reads the non-free part from the system's own mirror, with lists and cache in a folder of ours. */
function archiveOptions(work: string): string[] {
  const system = "/etc/apt/sources.list.d/debian.sources";
  if (!existsSync(system)) throw new Error(`${system} is missing, which says where the archive is`);
  for (const name of ["lists/partial", "archives/partial", "parts"]) mkdirSync(join(work, name), { recursive: true });
  const sources = readFileSync(system, "utf8").replace(/^Components:.*/gm, "Components: non-free");
  writeFileSync(join(work, "parts", "non-free.sources"), sources);
  writeFileSync(join(work, "none.list"), "");
  const settings = {
    "Dir::Etc::sourcelist": join(work, "none.list"),
    "Dir::Etc::sourceparts": join(work, "parts"),
    "Dir::State::lists": join(work, "lists"),
    "Dir::Cache": work,
    // As root it would read and write as another user, who may not see this folder.
    "APT::Sandbox::User": "root",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  run("apt-get", [...options, "-qq", "update"]);
  return options;
}

/** Run a program, and throw what it complained of. */
function run(program: string, args: readonly string[], options: ExecFileSyncOptions = {}): void {
  try {
    execFileSync(program, args, { ...options, stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer };
    if (code === "ENOENT") throw new Error(`there is no ${program} here`, { cause: error });
    throw new Error(stderr?.toString().trim() || `${program} failed`, { cause: error });
  }
}
