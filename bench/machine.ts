/** On what and with what something was measured. */
import { spawnSync } from "node:child_process";
import { cpus, loadavg, totalmem } from "node:os";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** How many processes ran or wanted to in the last minute: those of others, when asked before measuring. */
  readonly load: number;
}

export function thisMachine(): Machine {
  const [load = Number.NaN] = loadavg();
  return { cpu: cpus()[0]?.model.trim() ?? "unknown", cores: cpus().length, memoryBytes: totalmem(), load };
}

/** The commit of the source, with "+" where the working tree differs from it; null outside a repository. */
export function sourceCommit(): string | null {
  const git = (...args: string[]) => spawnSync("git", args, { encoding: "utf8" });
  const commit = git("rev-parse", "--short", "HEAD");
  if (commit.status !== 0) return null;
  const changes = git("status", "--porcelain", "--untracked-files=no");
  return commit.stdout.trim() + (changes.stdout.trim() === "" ? "" : "+");
}
