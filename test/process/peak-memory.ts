/** The most memory that a process and those that it started have held, as Linux tells it. */
import { existsSync, readFileSync } from "node:fs";

/** Whether it can be told here. */
export const isPeakKnown = existsSync("/proc/self/status");

export interface PeakWatch {
  /** By process, in bytes: of those that have ended, the last that was seen. */
  readonly peaks: ReadonlyMap<number, number>;
  stop(): void;
}

/** The system keeps the peak of a process for as long as it runs, so looking now and then is enough. */
export function watchPeaks(pid: number): PeakWatch {
  const peaks = new Map<number, number>();
  const look = () => {
    for (const one of [pid, ...childrenOf(pid)]) peaks.set(one, Math.max(peaks.get(one) ?? 0, peakOf(one)));
  };
  look();
  const timer = setInterval(look, 20);
  timer.unref();
  return { peaks, stop: () => clearInterval(timer) };
}

/** 0 of a process that is gone. */
function peakOf(pid: number): number {
  return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0);
}

function childrenOf(pid: number): number[] {
  return textOf(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
