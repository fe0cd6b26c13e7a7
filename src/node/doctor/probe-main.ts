/** The process of a probe: it tries one thing, writes what it found, and ends. */
import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import { messageOf } from "../../errors.js";
import { input, matmul, reduceSum } from "../../graph/ops.js";
import { float32 } from "../../runtime/array.js";
import { launcherOf } from "../comm/mpi/launcher.js";
import { loadMpi } from "../comm/mpi/library.js";
import { chooseBinding, onnxRuntimeEngine } from "../ort/onnxruntime.js";
import { ANSWER, type Probed, type ProbeName } from "./probe.js";

/** What each probe finds. */
export interface Answers {
  readonly engine: {
    readonly version: string;
    readonly binding: string;
    readonly notices: readonly string[];
    readonly milliseconds: number;
  };
  readonly mpi: {
    readonly version: string;
    readonly family: string;
    readonly rank: number;
    readonly size: number;
    readonly threadLevel: string;
  };
  /** The packages that a run may need, each with its version, or why it does not load. */
  readonly packages: readonly { readonly name: string; readonly version: string | null; readonly why: string }[];
}

const PACKAGES = ["koffi", "@duckdb/node-api", "@aws-sdk/client-s3", "sharp"] as const;
/** Rows and columns of the matrices of a product that is known: ones times ones. */
const SIZE = 64;

const probes: { readonly [Name in ProbeName]: () => Promise<Answers[Name]> } = {
  async engine() {
    const notices: string[] = [];
    const onNotice = (notice: string) => notices.push(notice);
    const binding = await chooseBinding({ threads: 1, onNotice });
    const engine = onnxRuntimeEngine({ threads: 1, onNotice });
    const [a, b] = [input("a", [SIZE, SIZE]), input("b", [SIZE, SIZE])];
    const program = await engine.compile({ outputs: { sum: reduceSum(matmul(a, b)) }, updates: {} });
    const ones = float32(new Float32Array(SIZE * SIZE).fill(1), [SIZE, SIZE]);
    const began = performance.now();
    const { sum } = await program.run({ a: ones, b: ones });
    const milliseconds = performance.now() - began;
    if (sum?.data[0] !== SIZE ** 3) throw new Error(`a product must come to ${SIZE ** 3}, and came to ${sum?.data[0]}`);
    return { version: versionOf("onnxruntime-node"), binding, notices, milliseconds };
  },
  async mpi() {
    const { version, family, rank, size, threadLevel, finalize } = loadMpi(launcherOf(process.env).libraries);
    finalize();
    return { version, family, rank, size, threadLevel };
  },
  async packages() {
    return Promise.all(
      PACKAGES.map(async (name) => {
        try {
          await import(name);
          return { name, version: versionOf(name), why: "" };
        } catch (error) {
          return { name, version: null, why: messageOf(error).split("\n")[0] ?? "" };
        }
      }),
    );
  },
};

/** The version of an installed package; "" where it does not say. */
function versionOf(name: string): string {
  try {
    const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version?: string };
    return version ?? "";
  } catch {
    return "";
  }
}

async function answered(name: ProbeName): Promise<Probed<unknown>> {
  try {
    return { answer: await probes[name]() };
  } catch (error) {
    return { trouble: messageOf(error) };
  }
}

// Written at once, before a library that does not end well ends this process.
writeSync(1, `\n${ANSWER}${JSON.stringify(await answered(process.argv[2] as ProbeName))}\n`);
process.exit(0);
