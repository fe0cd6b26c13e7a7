/** A project that has the package in its `node_modules`, as a link to this repository. */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository, built. */
export const repository = fileURLToPath(new URL("../../../", import.meta.url));
const modules = join(repository, "node_modules");
export const tsc = join(modules, "typescript", "bin", "tsc");

export interface Consumer {
  readonly folder: string;
  /** Write a file; returns its path. */
  write(name: string, text: string): string;
  /** Run a file by Node.js. */
  run(name: string): SpawnSyncReturns<string>;
  /** Check the types of files, strictly, with these options of TypeScript beside; what it prints, "" if all is well. */
  typeErrors(names: readonly string[], ...options: string[]): string;
  remove(): void;
}

/** A project whose files are modules of this type unless their names say otherwise. */
export function consumer(type: "module" | "commonjs"): Consumer {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "codistill-consumer-"));
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  write("package.json", JSON.stringify({ name: "consumer", private: true, type }));
  mkdirSync(join(folder, "node_modules", "@types"), { recursive: true });
  symlinkSync(repository, join(folder, "node_modules", "codistill"), "junction");
  symlinkSync(join(modules, "@types", "node"), join(folder, "node_modules", "@types", "node"), "junction");
  const node = (args: readonly string[]) =>
    spawnSync(process.execPath, [...args], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, NODE_OPTIONS: "" },
    });
  return {
    folder,
    write,
    run: (name) => node([join(folder, name)]),
    typeErrors(names, ...options) {
      const common = [
        "--ignoreConfig",
        "--strict",
        "--noEmit",
        "--skipLibCheck",
        "--target",
        "es2023",
        "--types",
        "node",
      ];
      const { status, stdout, stderr } = node([tsc, ...common, ...options, ...names]);
      return status === 0 ? "" : stdout + stderr;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
