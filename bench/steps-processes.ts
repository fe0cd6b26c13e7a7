/** The processes that steps are measured in: one at a time, each fresh. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { withHugePages } from "../src/node/launch/huge-pages.js";
import { findPython } from "../test/golden/python.js";
import { bestOf, type Trial, tryKernels } from "./kernels.js";
import type { WorkloadName } from "./specs.js";
import type { StepTimes } from "./step-child.js";

/** Who computes: our engine, PyTorch, or ONNX Runtime on the bare products. */
export type Side = "ours" | "torch" | "products";

/** One process: what it is to measure. */
export interface Measurement {
  readonly side: Side;
  readonly workload: WorkloadName;
  readonly threads: number;
  readonly numSteps: number;
  readonly numWarmUp: number;
  /** Steps after which the memory is noted. */
  readonly noted?: readonly number[];
}

/** PyTorch, as this machine has it. */
export interface Peer {
  readonly python: string;
  readonly versions: StepTimes["versions"];
  /** The kernels of its products that were tried, and those that it is measured with; null where none is right. */
  readonly trials: readonly Trial[];
  readonly best: Trial | null;
}

const childFile = fileURLToPath(new URL("step-child.js", import.meta.url));
/** In the source tree, not among the compiled files. */
const runFile = fileURLToPath(new URL("../../bench/torch/run.py", import.meta.url));

/** PyTorch at its best, if it is here. */
export function findPeer(): Peer | undefined {
  const python = findPython();
  if (!python) return undefined;
  const trials = tryKernels(python);
  const best = bestOf(trials);
  const env = environment(1, best);
  const { status, stdout, stderr } = spawnSync(python, ["-B", runFile], { encoding: "utf8", env });
  if (status !== 0) throw new Error(`${python} ${runFile} failed:\n${stderr}`);
  return { python, versions: JSON.parse(stdout), trials, best };
}

/**
 * With the kernels that were found to be best, whatever the caller's environment says of them. Threads of OpenMP that spin
 * while they wait take the processor from those of OpenBLAS: where there are several, they sleep.
 */
export function environment(threads: number, best: Trial | null): NodeJS.ProcessEnv {
  const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...inherited } = process.env;
  const counts = { OMP_NUM_THREADS: `${threads}`, OPENBLAS_NUM_THREADS: `${threads}` };
  const kernels = best?.asked ? { OPENBLAS_CORETYPE: best.asked } : {};
  return { ...inherited, ...kernels, ...counts, ...(threads > 1 && { OMP_WAIT_POLICY: "passive" }) };
}

/** Start a process; `times` are there when it has ended, undefined when it was told to stop. Rejects when it fails. */
export function startMeasurement(
  { side, workload, threads, numSteps, numWarmUp, noted = [] }: Measurement,
  peer: Peer | undefined,
  stop: AbortSignal,
): { readonly pid: number | undefined; readonly times: Promise<StepTimes | undefined> } {
  const sizes = [workload, threads, numSteps, numWarmUp].map(String);
  const [program, args] =
    side === "torch"
      ? [peer?.python ?? "python3", ["-B", runFile, ...sizes]]
      : [process.execPath, ["--expose-gc", childFile, side, ...sizes, ...noted.map(String)]];
  // As the processes of groups have it.
  const own = environment(threads, peer?.best ?? null);
  const env = side === "torch" ? own : withHugePages(own);
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  return { pid: child.pid, times: timesOf(child, `${side} of ${workload}`, stop) };
}

async function timesOf(child: ChildProcess, what: string, stop: AbortSignal): Promise<StepTimes | undefined> {
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  const kill = () => child.kill("SIGKILL");
  stop.addEventListener("abort", kill);
  if (stop.aborted) kill();
  try {
    const [code, signal] = await once(child, "close");
    if (stop.aborted) return undefined;
    if (code !== 0) throw new Error(`${what} ended with ${signal ?? `code ${code}`}:\n${said.stderr}`);
    return JSON.parse(said.stdout);
  } finally {
    stop.removeEventListener("abort", kill);
  }
}
