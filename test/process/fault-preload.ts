/**
 * Loaded by `--import` before a program, with a {@link Fault} as its query: makes that fault in the process that it is
 * for, by standing in for the file functions that the store and the cache use. In any other process it does nothing.
 */
import { once } from "node:events";
import promises, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { basename, dirname } from "node:path";
import { isMainThread } from "node:worker_threads";
import { type Fault, isFor } from "./fault.js";

const wanted = Object.fromEntries(new URL(import.meta.url).searchParams) as unknown as Fault;
const { open, rename, mkdtemp } = promises;
let seen = 0;
let word: Promise<unknown> | undefined;

if (isMainThread && isFor(wanted, process.argv)) {
  Object.assign(promises, {
    async open(path: string, flags?: string | number, mode?: number): Promise<FileHandle> {
      const isTemporary = basename(path).startsWith(".tmp-");
      listen();
      if (isTemporary) await come("open", fileOf(path));
      const handle = await open(path, flags, mode);
      return isTemporary ? standIn(handle, path) : handle;
    },
    async rename(from: string, to: string): Promise<void> {
      await come("rename", fileOf(to));
      await rename(from, to);
    },
    async mkdtemp(prefix: string): Promise<string> {
      await come("open", "cache");
      return mkdtemp(prefix);
    },
  });
  syncBuiltinESMExports();
  await come("open", "program");
}

function standIn(handle: FileHandle, path: string): FileHandle {
  const write = handle.write.bind(handle);
  let kind: Fault["file"] | null = null;
  let numWrites = 0;
  return Object.assign(handle, {
    // A file of tensors is written as its header and then one tensor after the other: its middle is the first of them.
    async write(bytes: Uint8Array, offset: number, length: number) {
      if (numWrites++ === 0) kind = Buffer.from(bytes).includes('"codistill.checkpoint"') ? "checkpoint" : fileOf(path);
      const isOfTensors = kind === "checkpoint" || kind === "snapshot" || kind === "best";
      const isMiddle = numWrites === (isOfTensors ? 2 : 1);
      if (isMiddle) await come("write", kind, () => write(bytes, offset, Math.floor(length / 2)));
      return write(bytes, offset, length);
    },
  });
}

/** Which file a path, or the temporary file beside it, is; of the two in a group's own folder only the name tells. */
function fileOf(path: string): Fault["file"] | null {
  const folder = dirname(path);
  if (basename(folder) === "snapshots") return "snapshot";
  if (basename(dirname(folder)) === "groups") return "pointer";
  if (basename(folder) === "store") return "declaration";
  if (basename(path) === "checkpoint.safetensors") return "checkpoint";
  return basename(path) === "best.safetensors" ? "best" : null;
}

/** Come to a point; if it is the wanted one, do `before` and then what is wanted. */
async function come(at: Fault["at"], file: Fault["file"] | null, before: () => Promise<unknown> = async () => {}) {
  if (at !== wanted.at || file !== wanted.file || ++seen !== Number(wanted.nth ?? 1)) return;
  await before();
  switch (wanted.effect) {
    case "SIGKILL":
      process.kill(process.pid, "SIGKILL");
      // Not one more line of the program runs between the call and the end.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      return;
    case "SIGINT":
    case "SIGTERM": {
      const received = once(process, wanted.effect);
      process.kill(process.pid, wanted.effect);
      await received;
      return;
    }
    case "ENOSPC":
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC", syscall: at });
    case "hold":
      await word;
      return;
    case "orphan":
      process.stderr.write(`process ${process.pid} waits\n`);
      await once(process, "disconnect");
      return;
    case "stuck":
      await new Promise(() => {});
  }
}

/** Not before the program itself listens: what comes earlier is kept for the first listener. */
function listen(): void {
  if (process.connected) word ??= Promise.race([once(process, "message"), once(process, "disconnect")]);
}
