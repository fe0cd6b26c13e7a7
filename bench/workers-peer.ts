/** PyTorch's DistributedDataParallel with Gloo, on the workloads that workers are measured by. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { environment, type Peer } from "./steps-processes.js";

/** What `bench/torch/ddp.py` prints. */
export interface PeerFigures {
  readonly ms: readonly number[];
  /** User and system milliseconds of a step, of all processes. */
  readonly cpuMs: number;
  /** The sum of what each process held at most; what they share counts for each. */
  readonly peakRssBytes: number;
  /** The kernels that its products ran. */
  readonly blas: string | null;
}

const script = fileURLToPath(new URL("../../bench/torch/ddp.py", import.meta.url));

/** Steps by so many processes of one thread each, with the kernels at which PyTorch is fastest. Throws when they fail. */
export function measuredByDdp(
  { python, best }: Peer,
  workload: string,
  processes: number,
  numSteps: number,
  numWarmUp: number,
): PeerFigures {
  const args = ["-B", script, workload, ...[processes, numSteps, numWarmUp].map(String)];
  const { status, stdout, stderr } = spawnSync(python, args, { encoding: "utf8", env: environment(1, best) });
  if (status !== 0) throw new Error(`${python} ${args.join(" ")} failed:\n${stderr}`);
  return JSON.parse(stdout) as PeerFigures;
}
