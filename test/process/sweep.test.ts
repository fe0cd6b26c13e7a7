/** Sweeps as processes: with teachers of an exact age, gone on with, and refused. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runFolder } from "../../src/node/runs/run-folder.js";
import { eventsOf, ofKind, workplace } from "./fixture.js";
import { killedAndGoneOnWith } from "./study-resume.js";

const place = workplace();

test("a sweep trains each value, with teachers of exactly that age, and goes on with another value", async () => {
  const config = await place.config("config.json", { numSteps: 80, checkpointInterval: 20 });
  const runs = place.path("sweep");
  const set = ["--set", "algorithm.burnInSteps=30"];
  const args = ["sweep", config, "--over", "staleness=0,20", "--arms", "codistilled", ...set, "--seeds", "1"];
  const first = await place.codistill([...args, "--json", "--runs", runs]).ended;
  assert.equal(first.code, 0, first.shown);
  assert.match(first.stderr, /with one seed nothing says how much is chance/);
  const [name = ""] = readdirSync(runs);
  const folder = join(runs, name);
  for (const age of [0, 20]) {
    const run = runFolder(join(folder, `codistilled-${age}-seed-1`));
    for (const group of [0, 1]) {
      const taught = ofKind(eventsOf(run, group), "teachers").map(({ step, teachers }) => [step, teachers[0]?.step]);
      assert.deepEqual(
        taught,
        [30, 40, 50, 60, 70].map((step) => [step, step - age]),
        `age ${age} of group ${group}`,
      );
    }
  }
  const scored = runFolder(join(folder, "codistilled-0-seed-1")).result;
  const before = statSync(scored).mtimeMs;
  const more = await place.codistill(["sweep", "--resume", folder, "--over", "staleness=0,10", "--json"]).ended;
  assert.equal(more.code, 0, more.shown);
  assert.equal(statSync(scored).mtimeMs, before, "a value that was done was done again");
  const [line] = JSON.parse(more.stdout).figures;
  assert.deepEqual(
    line.points.map(({ value, figures }: { value: string; figures: object | null }) => [value, figures !== null]),
    [
      ["0", true],
      ["20", true],
      ["10", true],
    ],
  );
  const text = readFileSync(join(folder, "report.md"), "utf8");
  for (const words of [
    /^## Quality over the setting$/m,
    /^\| 20 \| 1 \| 0\.\d{4} \|/m,
    /That two values are not told apart/,
  ])
    assert.match(text, words);
  const html = readFileSync(join(folder, "report.html"), "utf8");
  assert.match(html, /Test loss over staleness/);
  assert.doesNotMatch(html, /https?:\/\//);
});

test("a sweep that is killed while it compares models and gone on with is as one that was not", async () => {
  const config = await place.config("killed.json", { numSteps: 60 });
  await killedAndGoneOnWith(place, {
    command: "sweep",
    args: [config, "--over", "optimizer.learningRate=0.01,0.02", "--arms", "single-all", "--seeds", "1"],
    ...{ run: "single-all-0-02-seed-1", when: "measuring", done: "single-all-0-01-seed-1" },
  });
});

test("what cannot be swept is refused, with its sentence, before anything is trained", async () => {
  const config = await place.config("wrong.json");
  const runs = place.path("refused");
  for (const [args, pattern] of [
    [[config], /a sweep is over a setting, and --over names none\. Add one of exchangeInterval, staleness/],
    [[config, "--over", "=3"], /must be a setting and its values/],
    [[config, "--over", "wieght=1,2"], /did you mean weight\?/],
    [[config, "--over", "optimizer.learningRate"], /is a path of the configuration, whose values must be given/],
    [[config, "--over", "optimizer.lerningRate=1,2"], /optimizer\.lerningRate: unknown name/],
    [[config, "--over", "weight=1,1"], /1 is there twice/],
    [[config, "--over", "weight", "--arms", "single"], /none of the arms \(single\) codistils/],
    [
      [config, "--over", "staleness=15", "--set", "algorithm.control=own"],
      /algorithm\.control "own" has none of these/,
    ],
    [[config, "--over", "labelNoise=1"], /data\.labelNoise: must be < 1, got 1/],
    [["--over", "weight"], /a sweep is of data or of a configuration, and neither is given/],
    [["--resume", place.path()], /is not the folder of a comparison/],
  ] as const) {
    const refused = await place.command(["sweep", ...args, "--runs", runs]);
    assert.equal(refused.code, 2, refused.shown);
    assert.match(refused.stderr, pattern, refused.shown);
    assert.doesNotMatch(refused.stderr, /\n\s+at /, refused.shown);
  }
  assert.ok(!existsSync(runs), "nothing was made");
});
