/** File systems that are small or read-only, made for one test. Only root on Linux can have them. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { stdio: ["ignore", "ignore", "pipe"] });

/** Why no file system can be mounted here; false when one can. To be given to a test as `skip`. */
export const cannotMount: string | false = (() => {
  const folder = mkdtempSync(join(tmpdir(), "mount-"));
  try {
    run("mount", "-t", "tmpfs", "-o", "size=1m", "none", folder);
    run("umount", folder);
    return false;
  } catch (error) {
    return `mounting is not permitted here: ${error instanceof Error ? error.message.trim() : error}`;
  } finally {
    rmdirSync(folder);
  }
})();

/** Mount an empty file system of that many bytes at a folder, until the end of the test. */
export function mountSmall(t: TestContext, folder: string, bytes: number): void {
  mkdirSync(folder, { recursive: true });
  run("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "none", folder);
  t.after(() => run("umount", "--lazy", folder));
}

/** Make a folder, but nothing beside it, read-only; gives what makes it writable again. */
export function mountReadOnly(t: TestContext, folder: string): () => void {
  run("mount", "--bind", folder, folder);
  t.after(() => run("umount", "--lazy", folder));
  untilNotBusy(() => run("mount", "-o", "remount,ro,bind", folder));
  return () => void run("mount", "-o", "remount,rw,bind", folder);
}

/** A folder in which a file is being written cannot be made read-only; a file takes milliseconds. */
function untilNotBusy(work: () => void): void {
  for (let tries = 1; ; tries++) {
    try {
      work();
      return;
    } catch (error) {
      if (tries === 1000 || !/busy/.test(String(error))) throw error;
    }
  }
}

/** Fill the file system of a folder to its last byte; gives what frees it again. */
export function fill(folder: string): () => void {
  const path = join(folder, "ballast");
  const file = openSync(path, "w");
  const zeros = Buffer.alloc(4096);
  try {
    for (;;) writeSync(file, zeros);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  } finally {
    closeSync(file);
  }
  return () => rmSync(path);
}
