/** Gradient boosting, and a linear model: what a data scientist would have chosen instead, by Python. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { start } from "../../test/process/processes.js";
import type { SplitRows } from "./rows.js";
import { CURE } from "./sources.js";

/** The peers, by the names that the script knows them by; `isBooster` of those that a model is held against. */
export const peers = [
  { name: "XGBoost", isBooster: true },
  { name: "HistGradientBoosting", isBooster: true },
  { name: "linear", isBooster: false },
] as const;

export type PeerName = (typeof peers)[number]["name"];

/** What a model came to on the test rows. */
export interface Scored {
  /** The log loss in nats, or the mean squared error in the label's unit. */
  readonly testLoss: number;
  readonly auc?: number;
  readonly accuracy?: number;
  readonly r2?: number;
  /** Of all of its processes from start to end, the reading of the data among it. */
  readonly seconds: number;
  /** Of its processes together, each at its peak. */
  readonly peakBytes: number;
  /** False where other work ran on the machine meanwhile, so that the seconds say nothing. */
  readonly timed?: boolean;
}

/** The setting of a peer that is best on the validation rows. */
export interface PeerOutcome extends Scored {
  readonly setting: Readonly<Record<string, number>>;
  readonly rounds: number | null;
  readonly validationLoss: number;
  readonly tried: readonly object[];
  readonly cpuSeconds: number;
}

/** The system's Python, for which Debian's packages are. */
const PYTHON = "/usr/bin/python3";
const [SCRIPT, ...IMPORTED] = ["peers.py", "columns.py"].map((name) =>
  fileURLToPath(new URL(`../../../studies/tables/${name}`, import.meta.url)),
) as [string, ...string[]];
/** Two threads take longer than one on fewer rows, as they wait for each other. */
const ROWS_FOR_TWO = 10_000;

/** The versions of the libraries. Throws an error with the cure where one is missing. */
export async function peerVersions(): Promise<Readonly<Record<string, string>>> {
  return JSON.parse(await python([], 1));
}

/** The outcome of a peer on these rows if it is there: the same rows, seed and scripts come to the same. */
export function keptPeer(name: PeerName, digest: string, seed: number, folder: string): PeerOutcome | null {
  const file = fileOf(name, digest, seed, folder);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
}

/** Train a peer on the rows in `folder`, and keep what it came to under `kept`. */
export async function trainPeer(
  name: PeerName,
  { digest, counts }: SplitRows,
  seed: number,
  folder: string,
  kept: string,
  timed: boolean,
): Promise<PeerOutcome> {
  const started = performance.now();
  // On a busy machine threads that wait for one another take several times as long.
  const threads = counts.train < ROWS_FOR_TWO || !timed ? 1 : 2;
  const said = await python([name, join(folder, "rows.json"), String(seed)], threads);
  const outcome = { ...JSON.parse(said), seconds: (performance.now() - started) / 1000, timed };
  mkdirSync(kept, { recursive: true });
  writeFileSync(fileOf(name, digest, seed, kept), `${JSON.stringify(outcome)}\n`);
  return outcome;
}

function fileOf(name: PeerName, digest: string, seed: number, folder: string): string {
  const hash = [SCRIPT, ...IMPORTED].reduce((all, one) => all.update(readFileSync(one)), createHash("sha256"));
  const key = hash.update(digest).digest("hex").slice(0, 16);
  return join(folder, `${name}-seed${seed}-${key}.json`);
}

async function python(args: readonly string[], threads: number): Promise<string> {
  const env = { OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) };
  const { ended } = start(PYTHON, ["-B", SCRIPT, ...args], { cwd: process.cwd(), env });
  const { code, stdout, stderr, shown } = await ended;
  if (code === 0) return stdout;
  throw new Error(
    /ModuleNotFoundError/.test(stderr) ? `the peers need libraries that ${PYTHON} lacks: ${CURE}\n${stderr}` : shown,
  );
}
