/** What the machine, and the limits around this process, have for a run. */
import { readFileSync, statfsSync } from "node:fs";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { constrainedMemory } from "node:process";
import { bytes, counted } from "../../report/format.js";
import { type Finding, ok, trouble, warning } from "./finding.js";

/** The oldest Node.js that package.json allows. */
const OLDEST = [20, 19] as const;
/** Shared memory with which MPI moves large arrays between the processes of a machine. */
const LEAST_SHARED_BYTES = 1e9;
/** Where Linux says the limits of the control group of a process, version 2 and version 1. */
const CPU_MAX = "/sys/fs/cgroup/cpu.max";
const [CPU_QUOTA, CPU_PERIOD] = [
  "/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
  "/sys/fs/cgroup/cpu/cpu.cfs_period_us",
] as const;

/** Figures of a machine, apart from what is made of them. */
export interface Machine {
  readonly node: string;
  readonly cores: number;
  /** Those that this process may use, by its affinity. */
  readonly usable: number;
  /** Processors' worth of time that the control group allows; null without a limit. */
  readonly cpuLimit: number | null;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** The limit of the control group; null without one. */
  readonly limitBytes: number | null;
  /** What /sys says of huge pages; null where there are none. */
  readonly hugePages: string | null;
  /** The size of /dev/shm; null where there is none. */
  readonly sharedBytes: number | null;
}

export function machineHere(): Machine {
  const limit = constrainedMemory();
  return {
    node: process.versions.node,
    cores: cpus().length,
    usable: availableParallelism(),
    cpuLimit: cpuLimitOf(textOf(CPU_MAX)) ?? cpuLimitOf(`${textOf(CPU_QUOTA)} ${textOf(CPU_PERIOD)}`),
    freeBytes: freemem(),
    totalBytes: totalmem(),
    limitBytes: limit > 0 && limit < totalmem() ? limit : null,
    hugePages: textOf("/sys/kernel/mm/transparent_hugepage/enabled"),
    sharedBytes: sizeOf("/dev/shm"),
  };
}

/** Processors of a quota and its period, as "150000 100000"; null for "max" and what is not known. */
export function cpuLimitOf(text: string | null): number | null {
  const [, quota, period] = /^(\d+)\s+(\d+)/.exec(text ?? "") ?? [];
  return quota === undefined || Number(period) === 0 ? null : Number(quota) / Number(period);
}

export function machineFindings(machine: Machine): Finding[] {
  return [nodeFinding(machine), coresFinding(machine), memoryFinding(machine), pagesFinding(machine)];
}

function nodeFinding({ node }: Machine): Finding {
  const [major = 0, minor = 0] = node.split(".").map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  if (!isOld) return ok("Node.js", node);
  return trouble("Node.js", `${node} is too old`, `Install ${OLDEST.join(".")} or newer.`);
}

function coresFinding({ cores, usable, cpuLimit }: Machine): Finding {
  const found = `${counted(cores, "processor")}, of which ${usable} may be used${cpuLimit === null ? "" : `, for the time of ${cpuLimit.toFixed(1)} (cpu.max)`}`;
  if (cpuLimit !== null && cpuLimit < usable) {
    const threads = Math.max(1, Math.floor(cpuLimit));
    return warning(
      "cores",
      found,
      `More threads than the control group has time for hold each other up: --set threads=${threads}, shared out among the groups here.`,
    );
  }
  if (usable === 1 && cores > 1)
    return warning(
      "cores",
      found,
      "A launcher may have bound this process to one core: mpirun --bind-to none, srun --cpu-bind=none.",
    );
  return ok("cores", `${found}; so many threads by default`);
}

function memoryFinding({ freeBytes, totalBytes, limitBytes }: Machine): Finding {
  const limit = limitBytes === null ? "" : `; the control group allows ${bytes(limitBytes)} (memory.max)`;
  const found = `${bytes(freeBytes)} free of ${bytes(totalBytes)}${limit}`;
  const usable = Math.min(freeBytes, limitBytes ?? freeBytes);
  if (usable >= 1e9) return ok("memory", found);
  return warning("memory", found, "A group takes half a gigabyte and more: end other programs, or raise the limit.");
}

function pagesFinding({ hugePages }: Machine): Finding {
  if (hugePages === null) return ok("huge pages", "this system says nothing of them");
  const chosen = /\[(\w+)\]/.exec(hugePages)?.[1] ?? "unknown";
  if (chosen !== "never") return ok("huge pages", chosen);
  return warning(
    "huge pages",
    "never",
    "First accesses to large tensors cost five times as much: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, as root.",
  );
}

/** What processes of MPI on one machine need; empty where they have it. */
export function sharedMemoryFindings({ sharedBytes }: Machine): Finding[] {
  if (sharedBytes === null || sharedBytes >= LEAST_SHARED_BYTES) return [];
  return [
    warning(
      "/dev/shm",
      `${bytes(sharedBytes)}, by which processes of MPI share memory`,
      "Containers have 64 MB by default: docker run --shm-size=4g, or a volume of medium Memory in Kubernetes.",
    ),
  ];
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}

function sizeOf(path: string): number | null {
  try {
    const { blocks, bsize } = statfsSync(path);
    return blocks * bsize;
  } catch {
    return null;
  }
}
