import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { eventually } from "../../../test/process/processes.js";
import type { Job } from "./plan.js";
import { outputOf, supervise } from "./supervise.js";

const root = mkdtempSync(join(tmpdir(), "codistill-supervise-"));
after(() => rmSync(root, { recursive: true }));

const never = new AbortController().signal;
let numJobs = 0;

/** A job of a shell, in a place of its own. */
function job(script: string, stop: Job["stop"] = "SIGTERM"): Job {
  const group = numJobs++;
  return { group, command: ["sh", "-c", script], runFolder: join(root, `run-${group}`), stop };
}

/** Supervise jobs that end by themselves. */
async function ends(jobs: readonly Job[], restarts = 0) {
  const lines: string[] = [];
  const all = await supervise(jobs, { restarts, stop: never, say: (line) => lines.push(line) });
  return { hows: all.map(({ how }) => how), starts: all.map(({ starts }) => starts), lines };
}

test("a group that finished, one that was refused and one that failed: each by itself, with its reason", async () => {
  const jobs = [
    job("echo fine"),
    job("echo 'codistill: numSteps must be more'; echo later; exit 2"),
    job("echo broken; exit 7"),
    job("kill -9 $$"),
    { ...job(""), command: [join(root, "nothing")] },
    job(
      "for i in 1 2; do echo --------------------; echo first $i; echo more; echo --------------------; done; exit 1",
    ),
  ];
  const { hows, starts, lines } = await ends(jobs);
  assert.deepEqual(hows, ["finished", "refused", "failed", "failed", "refused", "failed"]);
  assert.deepEqual(starts, [1, 1, 1, 1, 1, 1]);
  const of = (i: number) => lines.filter((line) => line.startsWith(`group ${jobs[i]?.group} `)).at(-1) ?? "";
  assert.match(of(0), /finished after/);
  assert.match(of(1), /refused, .* code 2: numSteps must be more$/);
  assert.match(of(2), /code 7: broken$/);
  assert.match(of(3), /killed by SIGKILL$/);
  assert.match(of(5), /code 1: first 2$/);
  assert.match(of(4), /there is no program .*nothing here/);
  assert.equal(readFileSync(outputOf(jobs[0] as Job), "utf8"), "fine\n");
});

test("a group that died is started again, and its output goes on; what an earlier start said is not its reason", async () => {
  const mark = join(root, "mark");
  const one = job(`[ -e ${mark} ] && exit 4; touch ${mark}; echo 'codistill: first'; exit 3`);
  const { hows, starts, lines } = await ends([one], 1);
  assert.deepEqual([hows, starts], [["failed"], [2]]);
  assert.match(lines[1] ?? "", /died, and is started again in 1 s \(1 of 1\): it ended with code 3: first$/);
  assert.match(lines.at(-1) ?? "", /failed for good: it ended with code 4$/);
});

test("after a lost connection a refusal is not final: the run folder may still be held", async () => {
  const mark = join(root, "lost");
  const { hows, starts } = await ends([job(`[ -e ${mark} ] && exit 2; touch ${mark}; exit 255`)], 1);
  assert.deepEqual([hows, starts], [["failed"], [2]]);
});

test("asked to stop, each job is told in its own way; one that does not save has failed", async () => {
  const stop = new AbortController();
  const waits = (signal: string, code: number) =>
    `trap 'exit ${code}' ${signal}; echo ready; while :; do sleep 0.02; done`;
  const jobs = [
    job(waits("TERM", 0)),
    job(waits("USR1", 0), "SIGUSR1"),
    job("echo ready; cat", "end of input"),
    job(waits("TERM", 1)),
  ];
  const lines: string[] = [];
  const supervised = supervise(jobs, { restarts: 3, stop: stop.signal, say: (line) => lines.push(line) });
  const isReady = (one: Job) => {
    try {
      return readFileSync(outputOf(one), "utf8") === "ready\n";
    } catch {
      return false;
    }
  };
  await eventually(
    "all jobs",
    () => jobs.every(isReady) || null,
    () => lines.join("\n"),
  );
  stop.abort();
  const all = await supervised;
  assert.deepEqual(
    all.map(({ how, starts }) => [how, starts]),
    [
      ["stopped", 1],
      ["stopped", 1],
      ["stopped", 1],
      ["failed", 1],
    ],
  );
});
