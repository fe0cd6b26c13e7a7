/**
 * Completes package-lock.json with the optional packages of other platforms. npm leaves them out where its registry
 * does not carry them, and then refuses its own lock file. Run by `npm run lock` after a dependency has changed.
 */
import { readFileSync, writeFileSync } from "node:fs";

interface LockEntry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  packages: Record<string, unknown>;
}

const platforms = /-(android|darwin|freebsd|linux|win32)-(arm64|x64)(-musl)?$/;
const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as Lock;
const added: string[] = [];
for (const entry of Object.values(lock.packages) as LockEntry[]) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const [, os, cpu, musl] = platforms.exec(name) ?? [];
    const path = `node_modules/${name}`;
    if (path in lock.packages || os === undefined || cpu === undefined) continue;
    lock.packages[path] = {
      version,
      cpu: [cpu],
      ...(entry.dev && { dev: true }),
      ...(os === "linux" && { libc: [musl ? "musl" : "glibc"] }),
      optional: true,
      os: [os],
    };
    added.push(name);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(added.length > 0 ? `added ${added.join(", ")}\n` : "nothing was missing\n");
