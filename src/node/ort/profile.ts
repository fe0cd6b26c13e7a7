/** Where the time of runs went, from the files that ONNX Runtime writes under `EngineOptions.profile`. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { DataError } from "../../errors.js";
import { table } from "../../report/format.js";

/** All runs of one operation of ONNX. */
export interface OpTime {
  readonly op: string;
  /** Times that a node of it ran. */
  readonly count: number;
  readonly milliseconds: number;
  /** Of the time of all operations, 0 to 1. */
  readonly share: number;
}

const eventsSchema = z.array(
  z.object({
    cat: z.string().optional(),
    name: z.string().optional(),
    dur: z.number().optional(),
    args: z.looseObject({ op_name: z.string().optional() }).optional(),
  }),
);

/** The paths of the files of a profile prefix, one for each program. They are whole once the engine is closed. */
export function profileFiles(prefix: string): string[] {
  const names = readdirSync(dirname(prefix)).filter((name) => name.startsWith(basename(prefix)));
  return names
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => join(dirname(prefix), name));
}

/** Times by operation, the longest first. Throws {@link DataError} for a file that is no profile. */
export function opTimes(paths: readonly string[]): OpTime[] {
  const totals = new Map<string, { count: number; milliseconds: number }>();
  for (const path of paths) {
    for (const { op, milliseconds } of kernels(path)) {
      const total = totals.get(op) ?? { count: 0, milliseconds: 0 };
      totals.set(op, { count: total.count + 1, milliseconds: total.milliseconds + milliseconds });
    }
  }
  const all = [...totals.values()].reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return [...totals]
    .map(([op, total]) => ({ op, ...total, share: all === 0 ? 0 : total.milliseconds / all }))
    .sort((a, b) => b.milliseconds - a.milliseconds || (a.op < b.op ? -1 : 1));
}

/** Each run of a node: the events of category "Node" whose name ends so; times are in microseconds. */
function kernels(path: string): { op: string; milliseconds: number }[] {
  const parsed = eventsSchema.safeParse(readJson(path));
  if (!parsed.success) throw new DataError(`${path} must be a profile of ONNX Runtime, and is another file`);
  return parsed.data.flatMap(({ cat, name, dur = 0, args }) => {
    const isKernel = cat === "Node" && name?.endsWith("_kernel_time");
    return isKernel && args?.op_name !== undefined ? [{ op: args.op_name, milliseconds: dur / 1000 }] : [];
  });
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new DataError(`${path} must be a whole profile of ONNX Runtime; close the engine first`, { cause });
  }
}

/** A table of op, count, milliseconds and share, for people. */
export function formatOpTimes(times: readonly OpTime[]): string {
  const rows = times.map(({ op, count, milliseconds, share }) => [
    op,
    String(count),
    milliseconds.toFixed(2),
    `${(100 * share).toFixed(1)} %`,
  ]);
  return table([["op", "count", "ms", "share"], ...rows]).join("\n");
}
