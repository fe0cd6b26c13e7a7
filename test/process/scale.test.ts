/** Searches for the limit as processes: killed and gone on with they train no run twice, and wrong ones are refused. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { curveOf } from "../../src/node/launch/outcome.js";
import { runFolder } from "../../src/node/runs/run-folder.js";
import { allGone, workplace } from "./fixture.js";
import { eventually } from "./processes.js";

const place = workplace();
const onlyFolderIn = (runs: string) => {
  const [name] = existsSync(runs) ? readdirSync(runs) : [];
  return name === undefined ? null : join(runs, name);
};
const runsIn = (folder: string) => readdirSync(folder).filter((name) => name.startsWith("workers-"));
const losses = (curve: readonly { readonly step: number; readonly loss: number }[]) =>
  curve.map(({ step, loss }) => [step, loss]);

test("a search that is killed goes on as one that was not, trains no run twice, and says what it advises", async () => {
  const config = await place.config("config.json", { numSteps: 120, validationInterval: 10 });
  const runs = place.path("searched");
  const args = ["scale", config, "--workers", "2", "--worker-batch", "32", "--seeds", "1", "--runs", runs];
  const begun = place.codistill(args);
  const reached = () => {
    const folder = onlyFolderIn(runs);
    const second = folder && runsIn(folder).find((name) => !name.includes("rate-0.01-"));
    const log = second && runFolder(join(folder, second)).group(0).log;
    return log && existsSync(log) && /"event":"validation"/.test(readFileSync(log, "utf8")) ? { folder, second } : null;
  };
  const { folder, second } = await eventually("a validation of the second run", reached, begun.output);
  const other = await place.command(["scale", "--resume", folder]);
  assert.equal(other.code, 2, other.shown);
  assert.match(other.stderr, /process \d+ on .* is at work in/, other.shown);
  process.kill(begun.pid, "SIGKILL");
  await begun.ended;
  await allGone(runFolder(join(folder, second)), begun.output);
  const first = runFolder(join(folder, "workers-1-rate-0.01-seed-1")).group(0).log;
  const before = statSync(first).mtimeMs;

  const ended = await place.codistill(["scale", "--resume", folder, "--check", "--json"]).ended;
  assert.equal(ended.code, 0, ended.shown);
  assert.equal(statSync(first).mtimeMs, before, "a run that was done was done again");
  const { advice, figures, isCut } = JSON.parse(ended.stdout);
  assert.equal(isCut, false);
  assert.match(advice.join(" "), /Checked: the codistilled pair is .* The sign was (right|wrong)/);
  const { outcomes, target, numParams } = JSON.parse(readFileSync(join(folder, "scale-measured.json"), "utf8"));
  assert.equal(outcomes.length, runsIn(folder).length);
  assert.ok(numParams > 100);
  // The target is what the first run had by half of its steps, and the others ended there.
  const own = outcomes[0].curve.filter(({ step }: { step: number }) => step <= 60);
  assert.equal(target, Math.min(...own.map(({ loss }: { loss: number }) => loss)));
  for (const { curve } of outcomes.slice(1))
    assert.ok(curve.slice(0, -1).every(({ loss }: { loss: number }) => loss > target));
  const [one, two] = figures.all;
  assert.deepEqual([one.workers, two.workers, two.batch], [1, 2, 64]);
  assert.ok(figures.noise[0].whole.value > 0, JSON.stringify(figures.noise));
  assert.equal(figures.times[0].isMeasured, true);

  // The run that was killed has come to the losses of one that was not.
  const killed = runFolder(join(folder, second));
  const alone = place.train([killed.config]);
  assert.equal((await alone.ended).code, 0, alone.output());
  assert.deepEqual(losses(curveOf(killed.group(0).log)), losses(curveOf((await alone.folder()).group(0).log)));

  const written = await place.command(["report", folder, "--json"]);
  assert.equal(written.code, 0, written.shown);
  const { html, markdown } = JSON.parse(written.stdout);
  const page = readFileSync(html, "utf8");
  assert.ok(page.length < 1e6);
  assert.doesNotMatch(page, /https?:\/\//);
  for (const words of ["Steps to the target against workers", "Time to the target against workers", "--resume"])
    assert.ok(page.includes(words), words);
  assert.match(readFileSync(markdown, "utf8"), /^## What this does not show$/m);
});

test("a budget that the first run does not fit into is refused, with the time that it takes", async () => {
  const config = await place.config("long.json", { numSteps: 2_000_000 });
  const args = ["scale", config, "--runs", place.path("long"), "--time-budget", "20s"];
  const refused = await place.codistill(args).ended;
  assert.equal(refused.code, 2, refused.shown);
  assert.match(refused.stderr, /--time-budget: the first run alone takes about \d+:\d\d(:\d\d)? here/, refused.shown);
});

test("what cannot be searched is refused, with its sentence, before anything is trained", async () => {
  const config = await place.config("wrong.json");
  const runs = place.path("refused");
  for (const [args, pattern] of [
    [[], /a search for the limit is of data or of a configuration, and neither is given/],
    [[config, "--workers", "4,2"], /must be a number of workers from 1 to 65536, or a list of them that ascends/],
    [[config, "--workers", "0"], /got "0"/],
    [[config, "--worker-batch", "0"], /must be a whole number, 1 or more, got "0"/],
    [[config, "--target", "low"], /must be a validation loss, as 0\.46, got "low"/],
    [[config, "--bandwidth", "0"], /must be more than 0, got "0"/],
    [[config, "--spread", "much"], /must be a share from 0 to 1/],
    [[config, "--seeds", "2,2"], /a list of different whole numbers/],
    [[config, "--set", "numStep=3"], /numStep: unknown name/],
    [[config, "--set", "algorithm.distillShare=0.3"], /algorithm\.distillShare: must leave a whole number/],
    [["--resume", place.path()], /is not the folder of a search for the limit: it has no scale\.json/],
    [
      ["--resume", place.path(), "--workers", "4"],
      /--resume goes on with the configuration, the workers and the target/,
    ],
    [[config, "--data", "rows.csv", "--label", "late"], /--data and what goes with it make a new configuration/],
  ] as const) {
    const refused = await place.command(["scale", ...args, "--runs", runs]);
    assert.equal(refused.code, 2, refused.shown);
    assert.match(refused.stderr, pattern, refused.shown);
    assert.doesNotMatch(refused.stderr, /\n\s+at /, refused.shown);
  }
  assert.ok(!existsSync(runs), "nothing was made");
});
