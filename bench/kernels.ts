/**
 * PyTorch at its best: which kernels of OpenBLAS are the fastest on this processor that compute the right thing. OpenBLAS takes
 * the slowest ones on a processor that it does not know, and a ratio against those would say nothing.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { planEngine } from "../src/node/ort/bindings.js";
import { chooseBinding } from "../src/node/ort/onnxruntime.js";
import { gigaFlops, productsPlan } from "./products.js";

/** What bench/torch/kernels.py prints. */
export interface Measured {
  /** OpenBLAS's version and the kernels that it runs; null where PyTorch has another BLAS. */
  readonly blas: string | null;
  /** Of a product of 1,024 x 1,024 matrices by one thread, the fastest of some. */
  readonly gigaFlops: number;
  /** The largest error of products of several shapes, over the sum of their terms' sizes. */
  readonly error: number;
}

/** A choice of kernels, and what came of it. */
export interface Trial {
  /** OPENBLAS_CORETYPE; null leaves the choice to OpenBLAS. */
  readonly asked: string | null;
  /** The fastest of its rounds. */
  readonly measured: Measured | null;
  /** Why there is none: the processor does not have these instructions, for example. */
  readonly failure: string | null;
}

/** The kernels of OpenBLAS for x86 with vectors of 256 bits or more, and for Arm. */
const KERNELS: Readonly<Record<string, readonly string[]>> = {
  x64: ["Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids"],
  arm64: ["ARMV8", "NEOVERSEN1", "NEOVERSEV1", "NEOVERSEN2"],
};

/** Each is tried so often, in turn, so that a busy moment of the machine does not decide. */
const ROUNDS = 3;

/** Products of float32 differ from those of float64 by less than this, over the sum of their terms' sizes. */
const RIGHT = 1e-5;

/** Below this part of the rate of ONNX Runtime's products, PyTorch's are taken for crippled. */
const CRIPPLED = 0.5;

const script = fileURLToPath(new URL("../../bench/torch/kernels.py", import.meta.url));

/** Try all kernels that there may be. */
export function tryKernels(python: string): Trial[] {
  const asked = [null, ...(KERNELS[process.arch] ?? [])];
  const rounds = Array.from({ length: ROUNDS }, () => asked.map((kernels) => tried(python, kernels)));
  return asked.map((_, i) => rounds.map((round) => round[i] as Trial).reduce(better));
}

/** The fastest that is right; null where none is. */
export function bestOf(trials: readonly Trial[]): Trial | null {
  const right = trials.filter(({ measured }) => measured !== null && measured.error < RIGHT);
  return right.length === 0 ? null : right.reduce(better);
}

/** Whether PyTorch at its best is so slow beside ONNX Runtime's products that no ratio should be printed. */
export function isCrippled(best: Trial | null, oursGigaFlops: number): boolean {
  return (best?.measured?.gigaFlops ?? 0) < CRIPPLED * oursGigaFlops;
}

/** The rate of the same product in ONNX Runtime by one thread, in GFLOP/s, the fastest of some. */
export async function ownGigaFlops(): Promise<number> {
  const product = { kind: "matmul", a: [1024, 1024], b: [1024, 1024] } as const;
  const { plan, feeds } = productsPlan([product]);
  const engine = await planEngine({ threads: 1 }, await chooseBinding({ threads: 1 }));
  const program = await engine.compile(plan);
  let fastest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 10; round++) {
    const started = performance.now();
    await program.run(feeds);
    fastest = Math.min(fastest, performance.now() - started);
  }
  return (1000 * gigaFlops([product])) / fastest;
}

/** What was tried, in words. */
export function trialsInWords(trials: readonly Trial[], best: Trial | null): string {
  const tried = trials.map((trial) => {
    const { asked, measured, failure } = trial;
    const name = asked ?? "OpenBLAS's own choice";
    if (measured === null) return `${name}: ${failure}`;
    const wrong = measured.error < RIGHT ? "" : `, wrong by ${measured.error.toExponential(1)}`;
    return `${name}: ${measured.gigaFlops.toFixed(0)} GFLOP/s${wrong}${trial === best ? ", taken" : ""}`;
  });
  return `kernels of PyTorch's products, tried in turn: ${tried.join("; ")}`;
}

function tried(python: string, asked: string | null): Trial {
  const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...inherited } = process.env;
  const threads = { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" };
  const env = { ...inherited, ...threads, ...(asked !== null && { OPENBLAS_CORETYPE: asked }) };
  const { status, signal, stdout, stderr } = spawnSync(python, ["-B", script], { encoding: "utf8", env });
  if (status === 0) return { asked, measured: JSON.parse(stdout) as Measured, failure: null };
  const failure = signal === "SIGILL" ? "not of this processor" : (signal ?? stderr.trim().split("\n").at(-1) ?? "");
  return { asked, measured: null, failure };
}

function better(a: Trial, b: Trial): Trial {
  return (b.measured?.gigaFlops ?? 0) > (a.measured?.gigaFlops ?? 0) ? b : a;
}
