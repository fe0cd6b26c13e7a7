/** The batch script, run by the shell that Slurm runs it with. In place of Slurm's programs are such as write down what they get. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { NASTY, nastyPlan, programsIn } from "../../../../test/fixtures/launch-plan.js";
import { eventually, start } from "../../../../test/process/processes.js";
import { groupCommand } from "../plan.js";
import { slurm } from "./slurm.js";

const root = mkdtempSync(join(tmpdir(), "codistill-slurm-"));
after(() => rmSync(root, { recursive: true }));
const bin = join(root, "bin");
const plan = nastyPlan(root);
mkdirSync(plan.folder, { recursive: true });
const { files, lines } = slurm(plan);
const script = join(root, "rides.slurm.sh");
writeFileSync(script, files[0]?.text ?? "");

const said = (name: string): string => {
  try {
    return readFileSync(join(root, name), "utf8");
  } catch {
    return "";
  }
};

/** How often a step was started. */
const numSteps = () => said("srun").split("--kill-on-bad-exit").length - 1;

interface Job {
  /** As Slurm says of it. */
  readonly state?: string;
  /** Whose environment says more than Slurm's does. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The script of group 1, with a step that does this. */
function started(step: string, { state = "RUNNING", env: more = {} }: Job = {}) {
  for (const name of ["srun", "scontrol", "squeue", "sleeps", "ready", "saved", "sent"])
    rmSync(join(root, name), { force: true });
  const record = (name: string) => `printf '%s\\0' "$@" >> "${root}/${name}"`;
  programsIn(bin, {
    srun: `${record("srun")}\n${step}`,
    scontrol: record("scontrol"),
    squeue: `${record("squeue")}; echo ${state}`,
    sleep: `echo "$1" >> "${root}/sleeps"; [ "$1" != 5 ] || exec /bin/sleep 0.05`,
  });
  const env = { PATH: `${bin}:${process.env.PATH}`, SLURM_ARRAY_JOB_ID: "7", SLURM_ARRAY_TASK_ID: "1", ...more };
  return start("bash", [script], { cwd: root, env });
}

test("the directives come first, one a line, and what sbatch gets on its line is quoted by the shell", () => {
  const directives = (files[0]?.text ?? "").split("\n").filter((line) => line.startsWith("#SBATCH"));
  assert.deepEqual(
    directives.map((line) => line.slice("#SBATCH --".length)),
    [
      "job-name=rides",
      "array=0-1",
      "nodes=1",
      "ntasks=2",
      "cpus-per-task=1",
      "requeue",
      "open-mode=append",
      "signal=B:TERM@60",
    ],
  );
  assert.deepEqual(lines[0]?.words, ["sbatch", "--comment", NASTY, "rides.slurm.sh"]);
  const wide = slurm(nastyPlan(root, { threads: 9, workers: 2 })).files[0]?.text ?? "";
  assert.match(wide, /--cpus-per-task=4\n/);
  assert.match(wide, / --set threads=8 /);
});

test("a step gets the words of its group's command, in the folder of the run; finished is finished", async () => {
  const { code, shown } = await started(`pwd > "${root}/pwd"`).ended;
  assert.equal(code, 0, shown);
  const flags = ["--mpi=pmix", "--cpu-bind=none", "--kill-on-bad-exit=1"];
  assert.deepEqual(said("srun").split("\0").slice(0, -1), [...flags, ...groupCommand(plan, 1, { threads: 2 })], shown);
  assert.equal(said("pwd").trimEnd(), plan.folder);
  assert.equal(said("scontrol"), "", shown);
});

test("a group that dies is started again after longer waits, so often; one that is refused is not", async () => {
  const dead = await started("exit 9").ended;
  assert.equal(dead.code, 9, dead.shown);
  assert.equal(numSteps(), 3, dead.shown);
  assert.equal(said("sleeps"), "1\n2\n4\n");
  const refused = await started("exit 2").ended;
  assert.equal(refused.code, 2, refused.shown);
  assert.equal(numSteps(), 1, refused.shown);
  assert.equal(said("scontrol"), "", refused.shown);
});

/** A step that saves when it is told. The first signal is lost on it, as on one that is being started. */
const saves = (code: number) =>
  `n=0; trap '[ $((n++)) -eq 0 ] || { echo > "${root}/saved"; exit ${code}; }' USR1; echo > "${root}/ready"; for i in {1..1500}; do /bin/sleep 0.02; done; exit 99`;

test("SIGTERM lets the step save, and puts the job back in the queue; unless it is refused or the job is cancelled", async () => {
  for (const [code, state, requeued] of [
    [0, "RUNNING", "requeue\x007_1\0"],
    [1, "RUNNING", "requeue\x007_1\0"],
    [2, "RUNNING", ""],
    [0, "COMPLETING", ""],
  ] as const) {
    const job = started(saves(code), { state });
    await eventually("the step", () => said("ready") || null, job.output);
    process.kill(job.pid, "SIGTERM");
    const ended = await job.ended;
    assert.equal(ended.code, code, ended.shown);
    assert.equal(said("saved"), "\n", ended.shown);
    assert.equal(said("scontrol"), requeued, ended.shown);
    assert.equal(numSteps(), 1, ended.shown);
  }
});

test("SIGTERM is not lost before the step has its number or is waited for, nor between two starts", async () => {
  for (const [command, step, code, saved] of [
    ["step=$!", saves(1), 1, "\n"],
    ['wait "$step"', saves(1), 1, "\n"],
    ["wait $!", `echo > "${root}/ready"; exit 9`, 9, ""],
  ] as const) {
    // The shell sends it to itself, before this command and once the step is ready, and only once.
    const sent = `{ until [ -e "${root}/ready" ]; do :; done; : > "${root}/sent"; kill -TERM $$; }`;
    const isTime = `[[ $BASH_COMMAND == "$AT" && ! -e "${root}/sent" ]]`;
    writeFileSync(join(root, "environment"), `trap '! ${isTime} || ${sent}' DEBUG\n`);
    const ended = await started(step, { env: { BASH_ENV: join(root, "environment"), AT: command } }).ended;
    assert.equal(ended.code, code, ended.shown);
    assert.equal(said("saved"), saved, ended.shown);
    assert.equal(said("scontrol"), "requeue\x007_1\0", ended.shown);
    assert.equal(numSteps(), 1, ended.shown);
  }
});
