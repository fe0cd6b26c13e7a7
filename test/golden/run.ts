/**
 * Computes the golden files again with the library they come from and compares: `npm run golden`. With `--write`
 * the committed files are replaced.
 */
import { spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeSafetensors } from "../../src/checkpoint/safetensors.js";
import { messageOf } from "../../src/errors.js";
import { baselineData } from "./baselines.js";
import { blockData } from "./blocks.js";
import { embeddingData } from "./embeddings.js";
import { goldenFolder } from "./golden.js";
import { imageData } from "./images.js";
import { languageData } from "./language.js";
import { lossData } from "./losses.js";
import { opCaseData } from "./ops.js";
import { optimData } from "./optim.js";
import { requirePython } from "./python.js";
import { statisticsData } from "./statistics.js";
import { tableData } from "./tables.js";
import { twinData } from "./twin.js";

/**
 * A golden file `<name>.json`: the script that makes it, and the data which that reads. The script is given the path of
 * the data and the path to write to; what else it puts into that folder is golden too.
 */
interface Golden {
  readonly name: string;
  readonly script: string;
  readonly prepare: () => unknown;
  /** How close a number must come again; float32 results move a little with the processor, float64 ones hardly. */
  readonly tolerance: Tolerance;
}

/** A relative difference; of numbers smaller than `floor`, the difference over the floor. */
interface Tolerance {
  readonly relative: number;
  readonly floor: number;
}

const float64: Tolerance = { relative: 1e-10, floor: 0 };
const float32: Tolerance = { relative: 1e-4, floor: 0.01 };

const goldens: readonly Golden[] = [
  { name: "ops", script: "ops.py", prepare: opCaseData, tolerance: float64 },
  { name: "losses", script: "losses.py", prepare: lossData, tolerance: float64 },
  { name: "optim", script: "optim.py", prepare: optimData, tolerance: float64 },
  { name: "blocks", script: "blocks.py", prepare: blockData, tolerance: float64 },
  { name: "embeddings", script: "embeddings.py", prepare: embeddingData, tolerance: float64 },
  { name: "tables", script: "tables.py", prepare: tableData, tolerance: float64 },
  { name: "images", script: "images.py", prepare: imageData, tolerance: float64 },
  { name: "language", script: "language.py", prepare: languageData, tolerance: float64 },
  { name: "statistics", script: "statistics.py", prepare: statisticsData, tolerance: float64 },
  { name: "baselines", script: "baselines.py", prepare: baselineData, tolerance: float32 },
  { name: "twin", script: "twin.py", prepare: twinData, tolerance: float32 },
];

interface Outcome {
  readonly file: string;
  readonly status: "equal" | "differs" | "new" | "written";
  readonly largestDifference: number;
}

async function remake(
  { name, script, prepare, tolerance }: Golden,
  folder: string,
  write: boolean,
): Promise<Outcome[]> {
  const [cases, results] = [join(folder, `${name}.cases.json`), join(folder, name)];
  await writeFile(cases, JSON.stringify(await prepare()));
  await mkdir(results);
  runScript(fileURLToPath(new URL(script, goldenFolder)), [cases, join(results, `${name}.json`)]);
  const outcomes: Outcome[] = [];
  for (const file of (await readdir(results)).sort()) {
    outcomes.push(await compareFile(file, join(results, file), new URL(file, goldenFolder), tolerance, write));
  }
  return outcomes;
}

async function compareFile(
  file: string,
  fresh: string,
  committed: URL,
  { relative, floor }: Tolerance,
  write: boolean,
): Promise<Outcome> {
  const before = await readFile(committed).catch(() => undefined);
  const largestDifference = before ? difference(parse(file, before), parse(file, await readFile(fresh)), floor) : 0;
  if (write) {
    await copyFile(fresh, committed);
    return { file, status: "written", largestDifference };
  }
  if (!before) return { file, status: "new", largestDifference };
  return { file, status: largestDifference <= relative ? "equal" : "differs", largestDifference };
}

function runScript(script: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(requirePython(), ["-B", script, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${script} failed:\n${stderr}`);
}

/** The numbers of a golden file; its origin may differ in the version. */
function parse(file: string, bytes: Uint8Array): unknown {
  if (file.endsWith(".safetensors")) return decodeSafetensors(bytes).tensors;
  return JSON.parse(new TextDecoder().decode(bytes)).results;
}

/** The largest relative difference of numbers; infinite where anything else differs. */
function difference(a: unknown, b: unknown, floor: number): number {
  if (typeof a === "number" && typeof b === "number") {
    return a === b ? 0 : Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b), floor);
  }
  if (typeof a === "object" && typeof b === "object" && a !== null && b !== null) {
    const names = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...names].reduce(
      (most, name) => Math.max(most, difference(Reflect.get(a, name), Reflect.get(b, name), floor)),
      0,
    );
  }
  return a === b ? 0 : Number.POSITIVE_INFINITY;
}

function table(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ file, status, largestDifference }) => [
    file,
    status,
    largestDifference.toExponential(1),
  ]);
  return [["name", "status", "largest relative difference"], ...rows]
    .map(([file = "", status = "", largest = ""]) => `${file.padEnd(24)} ${status.padEnd(8)} ${largest}`)
    .join("\n");
}

async function main(): Promise<void> {
  const write = process.argv.includes("--write");
  const folder = await mkdtemp(join(tmpdir(), "golden-"));
  try {
    const outcomes: Outcome[] = [];
    for (const golden of goldens) outcomes.push(...(await remake(golden, folder, write)));
    process.stdout.write(`${table(outcomes)}\n`);
    if (outcomes.some(({ status }) => status === "differs" || status === "new")) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
