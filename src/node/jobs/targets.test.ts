/** What targets make of a run, held against what a shell and a launcher make of it: no name in it runs, splits or vanishes. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { NASTY, nastyPlan, programsIn } from "../../../test/fixtures/launch-plan.js";
import { ConfigError } from "../../errors.js";
import { groupCommand, type Plan } from "./plan.js";
import { shellLine } from "./shell.js";
import { targetFor, targets } from "./targets.js";

const root = mkdtempSync(join(tmpdir(), "codistill-launch-"));
after(() => rmSync(root, { recursive: true }));
const bin = join(root, "bin");
/** Programs that write down what they were started with; ssh also does, as a host does, what it was told. */
const record = (name: string) => `printf '%s\\0' "$0" "$@" >> "${root}/${name}"`;
programsIn(bin, {
  mpirun: record("mpirun"),
  ssh: `${record("ssh")}\nexec sh -c "\${!#}"`,
  srun: record("srun"),
  sbatch: record("sbatch"),
});

const home = (plan: Plan) => {
  mkdirSync(plan.folder, { recursive: true });
  return plan;
};
const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };

/** Run shell text in the nasty folder; the words that a program was started with. */
function recorded(name: string, text: string, more: Readonly<Record<string, string>> = {}): string[] {
  rmSync(join(root, name), { force: true });
  const { stderr, status } = spawnSync("bash", ["-c", text], { encoding: "utf8", cwd: root, env: { ...env, ...more } });
  assert.equal(status, 0, stderr);
  assert.deepEqual(findPwned(root), []);
  return readFileSync(join(root, name), "utf8").split("\0").slice(1, -1);
}

function findPwned(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => /(^|\/)pwned$/.test(path));
}

test("the lines of mpirun give each group its own launcher, with the words of its command", () => {
  const plan = home(nastyPlan(root));
  const { lines, jobs } = targets.mpirun.launch(plan);
  assert.equal(lines.length, 2);
  for (const [group, { words }] of lines.entries()) {
    const expected = ["--bind-to", "none", "-n", "2", "--comment", NASTY, ...groupCommand(plan, group, { threads: 4 })];
    assert.deepEqual(recorded("mpirun", shellLine(words)), expected);
    assert.deepEqual(jobs[group]?.command, ["mpirun", ...expected]);
    assert.equal(jobs[group]?.stop, "SIGUSR1");
  }
  const [own] = targets.mpirun.launch(nastyPlan(root, { workers: 1, configured: { workers: 4, threads: 4 } })).jobs;
  assert.deepEqual(
    [own?.command[0], own?.command.includes("workers=1"), own?.stop],
    [plan.program[0], true, "SIGTERM"],
  );
});

test("hosts are dealt out to groups, by the flag of each family, and what does not divide is refused", () => {
  const spread = (changes: Partial<Plan>) =>
    targets.mpirun.launch(nastyPlan(root, { workers: 4, ...changes })).jobs.map(({ command }) => {
      const at = command.findIndex((word) => word === "-H" || word === "-hosts");
      return command.slice(at, at + 2).join(" ");
    });
  assert.deepEqual(spread({ hosts: ["a", "b", "c", "d"] }), ["-H a:2,b:2", "-H c:2,d:2"]);
  assert.deepEqual(spread({ hosts: ["a"], mpirun: { command: "mpirun", family: "mpich" } }), [
    "-hosts a:4",
    "-hosts a:4",
  ]);
  assert.throws(() => spread({ hosts: ["a", "b", "c"] }), /3 hosts for 2 groups/);
  assert.throws(
    () => spread({ hosts: ["a", "b", "c", "d"], workers: 3 }),
    /3 workers are not a multiple of its 2 hosts \(a, b\)/,
  );
  assert.throws(() => spread({ hosts: ["a"], workers: 1 }), /--target ssh/);
});

test("a process that does nothing but lead is one more than the workers, for MPI and for Slurm", () => {
  const plan = nastyPlan(root, { workers: 2, processes: 3 });
  const [job] = targets.mpirun.launch(plan).jobs;
  assert.equal(job?.command[(job?.command.indexOf("-n") ?? 0) + 1], "3");
  assert.match(targets.slurm.launch(plan).files[0]?.text ?? "", /--ntasks=3\n#SBATCH --cpus-per-task=1\n/);
  assert.throws(
    () => targets.mpirun.launch({ ...plan, hosts: ["a", "b", "c", "d"] }),
    /3 processes \(workers and their leader\) are not a multiple of its 2 hosts/,
  );
});

test("more workers than processors are allowed to Open MPI, and told", () => {
  const { jobs, notes } = targets.mpirun.launch(nastyPlan(root, { cores: 1 }));
  assert.ok(jobs[0]?.command.includes("--oversubscribe"));
  assert.match(notes.join(), /4 workers share the 1 processors/);
});

test("ssh takes a host a group, whose shell gets the words of the command, in the folder of the run", () => {
  const plan = home(nastyPlan(root, { hosts: ["a", "b"], options: ["-p", "2222"] }));
  programsIn(plan.folder, { node: `${record("node")}; pwd > "${root}/pwd"` });
  const { lines, jobs } = targets.ssh.launch(plan);
  assert.deepEqual(
    lines.map(({ words }) => words.slice(0, 5)),
    [
      ["ssh", "-t", "-p", "2222", "a"],
      ["ssh", "-t", "-p", "2222", "b"],
    ],
  );
  for (const [group, job] of jobs.entries()) {
    const command = groupCommand(plan, group, { workers: 2 });
    assert.equal(job.command.at(-2), ["a", "b"][group]);
    for (const words of [lines[group]?.words ?? [], job.command]) {
      assert.deepEqual(
        recorded("node", `mkfifo open; exec 9<>open; rm open; { ${shellLine(words)}; } <&9`),
        command.slice(1),
      );
      assert.equal(readFileSync(join(root, "pwd"), "utf8").trimEnd(), plan.folder);
    }
  }
});

test("flags are refused where a target can do nothing with them, or cannot do without", () => {
  assert.throws(() => targetFor("cloud", []), /one of local, mpirun, slurm, ssh, k8s, got "cloud"/);
  assert.throws(() => targetFor("toString", []), ConfigError);
  assert.throws(() => targetFor("slurm", ["run"]), /--run goes with local, mpirun, ssh, and the target is slurm/);
  assert.throws(() => targetFor("local", ["store"]), /--store goes with/);
  assert.throws(() => targetFor("ssh", ["store"]), /--target ssh needs --hosts/);
  assert.equal(targetFor("ssh", ["hosts", "run"]), targets.ssh);
});

test("on this machine one command trains all groups, in a folder that it goes on with", () => {
  const plan = nastyPlan(root);
  const { jobs } = targets.local.launch(plan);
  assert.deepEqual(
    jobs.map(({ command }) => command.slice(2)),
    [
      [
        "train",
        plan.config,
        "--set",
        plan.overrides[0],
        "--set",
        "workers=2",
        "--folder",
        join(plan.runs, "rides"),
        "--cache",
        plan.cache,
      ],
    ],
  );
  assert.equal(existsSync(join(root, "pwned")), false);
});
