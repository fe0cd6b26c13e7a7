/** Jobs that this process starts: it keeps their output, starts those that died again, and tells them to stop. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { dirname, relative } from "node:path";
import { setTimeout } from "node:timers/promises";
import { messageOf } from "../../errors.js";
import { duration } from "../../report/format.js";
import { endOf, lineReader } from "../files/log-lines.js";
import { makeFolder, openOwn } from "../files/plain-files.js";
import { systemCodeOf } from "../files/system-errors.js";
import { REFUSED } from "../launch/exit-codes.js";
import type { Job } from "./plan.js";

/** Seconds before a job is started again for the first time; doubled each time, up to a minute. */
const [FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS] = [1, 60];
/** The exit code of ssh that could not connect, or has lost its connection. */
const NO_CONNECTION = 255;

/** What became of a job. */
export interface JobEnd {
  readonly job: Job;
  readonly how: "finished" | "refused" | "failed" | "stopped";
  readonly starts: number;
  readonly seconds: number;
}

interface SuperviseOptions {
  /** How often a job that died is started again. */
  readonly restarts: number;
  /** Aborted to let all jobs save and end. */
  readonly stop: AbortSignal;
  /** Called with a line for each event. */
  readonly say: (line: string) => void;
}

/** The file with the output of a job, of all its starts. */
export const outputOf = ({ runFolder }: Job) => `${runFolder}.log`;

/** How a job is named in lines for people. */
export const nameOf = ({ group }: Job) => (group === null ? "the run" : `group ${group}`);

/**
 * Start all jobs and wait until they have ended. One that ends with another code than 0 and 2 is started again, `restarts` times
 * and after a longer wait each time. When this process ends before them, they are ended.
 */
export async function supervise(jobs: readonly Job[], options: SuperviseOptions): Promise<JobEnd[]> {
  const children = new Map<Job, ChildProcess>();
  const askToStop = () => {
    for (const [job, child] of children) askedToStop(job, child);
  };
  const leaveNobody = () => {
    for (const child of children.values()) child.kill("SIGTERM");
  };
  options.stop.addEventListener("abort", askToStop, { once: true });
  process.once("exit", leaveNobody);
  try {
    return await Promise.all(jobs.map((job) => superviseOne(job, children, options)));
  } finally {
    options.stop.removeEventListener("abort", askToStop);
    process.removeListener("exit", leaveNobody);
  }
}

async function superviseOne(
  job: Job,
  children: Map<Job, ChildProcess>,
  { restarts, stop, say }: SuperviseOptions,
): Promise<JobEnd> {
  const began = performance.now();
  const name = nameOf(job);
  const end = (how: JobEnd["how"], starts: number): JobEnd => ({
    job,
    how,
    starts,
    seconds: (performance.now() - began) / 1000,
  });
  let wasCutOff = false;
  for (let starts = 1; ; starts++) {
    if (stop.aborted) return end("stopped", starts - 1);
    const from = endOf(outputOf(job))?.size ?? 0;
    const ended = await once(job, children, () =>
      say(`${name} started; its output is in ${relative("", outputOf(job))}`),
    );
    const took = duration((performance.now() - began) / 1000);
    if (ended.code === 0 && !stop.aborted) {
      say(`${name} finished after ${took}`);
      return end("finished", starts);
    }
    // After its notice, 0 says that all is saved.
    if (ended.code === 0) {
      say(`${name} stopped after ${took}`);
      return end("stopped", starts);
    }
    const why = `${ended.how}${saidAtLast(job, from)}`;
    // A run folder is held until the process at the other end of a lost connection has ended.
    if (ended.isFinal || (ended.code === REFUSED && !wasCutOff)) {
      say(`${name} was refused, and is not started again: ${why}`);
      return end("refused", starts);
    }
    wasCutOff = ended.code === NO_CONNECTION;
    if (starts > restarts || stop.aborted) {
      say(`${name} failed for good: ${why}`);
      return end("failed", starts);
    }
    const delay = Math.min(FIRST_DELAY_SECONDS * 2 ** (starts - 1), LONGEST_DELAY_SECONDS);
    say(`${name} died, and is started again in ${delay} s (${starts} of ${restarts}): ${why}`);
    await setTimeout(1000 * delay, undefined, { signal: stop }).catch(() => {});
  }
}

/** How a process ended. */
interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** As the beginning of a sentence. */
  readonly how: string;
  /** Whether it would end so again. */
  readonly isFinal?: boolean;
}

/** Start a job and wait for its end. */
async function once(job: Job, children: Map<Job, ChildProcess>, onStart: () => void): Promise<Ended> {
  const [program = "", ...args] = job.command;
  try {
    makeFolder(dirname(job.runFolder));
    const output = openOwn(outputOf(job), "append");
    const input = job.stop === "end of input" ? "pipe" : "ignore";
    try {
      // Detached, so that Ctrl-C comes to this process alone, which passes it on in the way that the job understands.
      const child = spawn(program, args, { stdio: [input, output, output], detached: true });
      children.set(job, child);
      child.once("spawn", onStart);
      // A job that has ended reads nothing more.
      child.stdin?.on("error", () => {});
      return await new Promise<Ended>((resolve, reject) => {
        child.once("error", reject);
        child.once("exit", (code, signal) => {
          resolve({ code, signal, how: signal ? `it was killed by ${signal}` : `it ended with code ${code}` });
        });
      });
    } finally {
      closeSync(output);
      children.delete(job);
    }
  } catch (error) {
    const isMissing = systemCodeOf(error) === "ENOENT";
    return {
      code: null,
      signal: null,
      how: isMissing ? `there is no program ${program} here` : `it cannot be started (${messageOf(error)})`,
      isFinal: isMissing,
    };
  }
}

function askedToStop({ stop }: Job, child: ChildProcess): void {
  if (stop === "end of input") child.stdin?.end();
  else child.kill(stop);
}

/**
 * The line that tells best why a job ended, of those that it has said since a place in its output: what codistill said of an
 * error, else the first line of what a launcher framed by dashes, else the last line.
 */
function saidAtLast(job: Job, from: number): string {
  let last = "";
  let said = "";
  let isFramed = false;
  try {
    for (const line of lineReader(outputOf(job), from).added()) {
      const text = line instanceof Buffer ? line.toString("utf8").trim() : "";
      if (/^-{20,}$/.test(text)) {
        isFramed = !isFramed;
        if (isFramed) last = "";
      } else if (text !== "" && (!isFramed || last === "")) last = text;
      if (text.startsWith("codistill: ")) said = text.slice("codistill: ".length);
    }
  } catch {
    // What cannot be read is not shown.
  }
  const shown = said || last;
  return shown === "" ? "" : `: ${shown.slice(0, 300)}`;
}
