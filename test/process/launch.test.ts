/** The command that starts a run on a target: what it prints, what it writes, what it refuses. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { workplace } from "./fixture.js";

const place = workplace();

test("files are written and named in the lines; a file that was changed by hand stays", async () => {
  const config = await place.config("rides of 'may'.json");
  const jobs = place.path("jobs");
  const args = ["launch", config, "--target", "slurm", "--workers", "2", "--groups", "4", "--out", jobs];
  const written = await place.codistill(args).ended;
  assert.equal(written.code, 0, written.shown);
  const file = `${jobs}/tiny.slurm.sh`;
  assert.ok(written.stdout.split("\n").includes(`sbatch ${file}`), written.shown);
  // What is no command is a comment: the whole can be given to a shell.
  for (const line of written.stdout.split("\n")) assert.match(line, /^(#|sbatch |$)/);
  const text = readFileSync(file, "utf8");
  assert.match(text, /^#SBATCH --array=0-3$/m);
  assert.match(text, / --set numGroups=4 /);
  writeFileSync(file, `${text}# mine\n`);
  const again = await place.command(args);
  assert.equal(again.code, 2, again.shown);
  assert.match(again.stderr, /tiny\.slurm\.sh is there and differs/);
  assert.equal(readFileSync(file, "utf8"), `${text}# mine\n`);
});

test("what no target can do is refused before anything is made, with the cure", async () => {
  const config = await place.config("config.json");
  const refusals: readonly [args: readonly string[], cure: RegExp][] = [
    [["--target", "cloud"], /--target must be one of local, mpirun, slurm, ssh, k8s, got "cloud"/],
    [["--target", "slurm", "--run"], /--run goes with local, mpirun, ssh/],
    [
      ["--target", "ssh", "--hosts", "a,-oProxyCommand=touch pwned"],
      /a host is a name, .*got "-oProxyCommand=touch pwned"/,
    ],
    [["--target", "local", "--workers", "3"], /workers/],
    [["--target", "mpirun", "--runs", "a\nb"], /no control characters/],
    [["--target", "local", "--run", "--json"], /give one of them/],
  ];
  const ends = await Promise.all(refusals.map(([args]) => place.command(["launch", config, ...args])));
  for (const [i, { code, stderr, shown }] of ends.entries()) {
    assert.equal(code, 2, shown);
    assert.match(stderr, refusals[i]?.[1] ?? /^$/, shown);
  }
  assert.equal(existsSync(place.path("runs")), false);
});

test("--run starts the groups, which finish in folders that the same command goes on with", async () => {
  const config = await place.config("run.json", { numSteps: 60 });
  const args = ["launch", config, "--target", "mpirun", "--runs", place.path("launched"), "--run"];
  const first = await place.codistill(args).ended;
  assert.equal(first.code, 0, first.shown);
  assert.match(first.stdout, /all have finished/);
  for (const group of [0, 1]) assert.ok(existsSync(place.path("launched", `tiny-${group}`, "model.onnx")), first.shown);
  const second = await place.codistill(args).ended;
  assert.equal(second.code, 0, second.shown);
  assert.match(
    readFileSync(place.path("launched", "tiny-0.log"), "utf8"),
    /have finished, so that it is only scored once more/,
  );
});
