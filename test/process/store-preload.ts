/**
 * Loaded by `--import` before a program: in the process of one group its snapshots fail to be read or written.
 * Query: `process`, and `mode`: with "stuck" no reading ever ends, with "flaky" every second call fails.
 */
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { isMainThread } from "node:worker_threads";
import { isFor } from "./fault.js";

const { process: group = "", mode = "" } = Object.fromEntries(new URL(import.meta.url).searchParams);
const { open } = promises;
let numCalls = 0;

if (isMainThread && isFor({ process: Number(group) }, process.argv)) {
  Object.assign(promises, {
    async open(path: string, ...rest: [flags?: string | number, mode?: number]) {
      // Every value that is read or written is opened; folders are opened to be flushed, and are no calls.
      const isValue = /\/groups\/\d+\/(snapshots\/[^/]+|latest\.json|\.tmp-[^/]+)$/.test(path);
      const isWrite = rest[0] === "wx";
      if (isValue && mode === "stuck" && !isWrite) await new Promise(() => {});
      if (isValue && mode === "flaky" && numCalls++ % 2 === 1) {
        throw Object.assign(new Error("EIO: i/o error"), { code: "EIO", syscall: "open" });
      }
      return open(path, ...rest);
    },
  });
  syncBuiltinESMExports();
}

/** The environment in which the store of a group fails. */
export function withStore(
  mode: "stuck" | "flaky",
  process: number,
): { readonly env: Readonly<Record<string, string>> } {
  const preload = new URL(import.meta.url);
  preload.search = "";
  preload.searchParams.set("process", String(process));
  preload.searchParams.set("mode", mode);
  return { env: { NODE_OPTIONS: `--import=${preload.href}` } };
}
