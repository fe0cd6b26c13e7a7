/** Comparisons as processes: killed and gone on with they are what they would have been, and wrong ones are refused. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runFolder } from "../../src/node/runs/run-folder.js";
import { workplace } from "./fixture.js";
import { killedAndGoneOnWith } from "./study-resume.js";

const place = workplace();
// Groups that train alone do not depend on when others publish: their runs have the same bits each time.
const alone = ["--arms", "ensemble,twice-the-batch", "--set", "numSteps=100"];

test("a comparison that is killed and gone on with is as one that was not, and belongs to one program at a time", async () => {
  const config = await place.config("config.json");
  const { whole, cut, assertKept } = await killedAndGoneOnWith(place, {
    command: "compare",
    args: [config, ...alone, "--seeds", "3,5"],
    ...{ run: "single-seed-5", when: "training", done: "twice-the-batch-seed-3" },
  });
  const { folder, ended } = whole;
  const own = cut.folder;
  const { figures, open, reference } = JSON.parse(ended.stdout);
  assert.deepEqual([open, reference], [[], "single"]);
  assert.deepEqual(
    figures.map(({ arm, seeds }: { arm: string; seeds: number[] }) => [arm, seeds]),
    ["single", "ensemble", "twice-the-batch"].map((arm) => [arm, [3, 5]]),
  );
  // The mean of the groups and the losses are those that the runs say by themselves.
  const resultOf = (name: string) => JSON.parse(readFileSync(runFolder(join(folder, name)).result, "utf8"));
  assert.equal(figures[1].loss[1], resultOf("single-seed-5").ensemble.testLoss);
  assert.equal(figures[0].loss[0], resultOf("single-seed-3").groups[0].testLoss);
  assert.match(ended.stderr, /two seeds.*say next to nothing/s, ended.shown);

  // Arms come to it later, and nothing is trained twice.
  const short = ["--arm", "short:--set numGroups=1 --set data.regime=all --set numSteps=60", "--arms", "single"];
  const more = await place.codistill(["compare", "--resume", own, ...short, "--json"]).ended;
  assert.equal(more.code, 0, more.shown);
  assertKept();
  const { figures: all } = JSON.parse(more.stdout);
  assert.deepEqual(
    all.map(({ arm, seeds }: { arm: string; seeds: number[] }) => [arm, seeds]),
    ["single", "ensemble", "twice-the-batch", "short"].map((arm) => [arm, [3, 5]]),
  );
  const { given } = JSON.parse(readFileSync(join(own, "comparison.json"), "utf8"));
  assert.deepEqual([given.config.numSteps, given.config.algorithm.kind], [100, undefined], "as it was written");
  const changed = await place.command(["compare", "--resume", own, "--arm", "short:--set numSteps=3"]);
  assert.equal(changed.code, 2, changed.shown);
  assert.match(changed.stderr, /short is an arm of the comparison with numGroups=1, .*, got numSteps=3\. Name yours/);

  // The report is one file, and says what was asked and what it does not show.
  const html = readFileSync(join(own, "report.html"), "utf8");
  assert.ok(html.length < 1e6);
  for (const words of ["What was asked", "What this does not show", "codistill compare --resume", "twice-the-batch"])
    assert.ok(html.includes(words), words);
  assert.doesNotMatch(html, /https?:\/\//);
  assert.match(readFileSync(join(own, "report.md"), "utf8"), /^## Calibration and refinement$/m);
});

test("a budget of time says what fits before it trains on, and refuses what cannot", async () => {
  const config = await place.config("budget.json", { numGroups: 2 });
  const runs = place.path("budget");
  const args = ["compare", config, "--arms", "single,codistilled", "--seeds", "1", "--runs", runs];
  const fits = await place.codistill([...args, "--time-budget", "30m"]).ended;
  assert.equal(fits.code, 0, fits.shown);
  assert.match(
    fits.stdout,
    /begins, to see how long runs take[\s\S]*all that is open takes about \d+:\d\d and fits into 30:00[\s\S]*run 2 of 2/,
    fits.shown,
  );
  const longer = await place.codistill([
    ...["compare", config, "--arms", "single,codistilled", "--seeds", "1", "--runs", place.path("long")],
    ...["--set", "numSteps=2000000", "--time-budget", "20s"],
  ]).ended;
  assert.equal(longer.code, 2, longer.shown);
  assert.match(
    longer.stderr,
    /--time-budget: a comparison needs every arm with one seed at least, which takes about \d+:\d\d(:\d\d)? here, and 20 s are given/,
    longer.shown,
  );
});

test("what cannot be compared is refused, with its sentence, before anything is trained", async () => {
  const config = await place.config("wrong.json");
  const runs = place.path("refused");
  const two = ["--arms", "single,codistilled"];
  for (const [args, pattern] of [
    [[], /a comparison is of data or of a configuration, and neither is given/],
    [[config, "--arms", "sngle,codistilled"], /--arms: must be of single, .*did you mean single\?/],
    [[config, "--arms", "single"], /two arms or more, got single/],
    // Before data is looked for.
    [["--data", place.path("none.csv"), "--label", "late", "--arms", "single,bogus"], /got "bogus"\. One of your own/],
    [["--data", place.path("none.csv"), "--label", "late", "--arm", "slow"], /--arm is a name and what it sets/],
    [[config, ...two, "--arm", "slow"], /--arm is a name and what it sets/],
    [
      [config, ...two, "--arm", "slow:--set numStep=3"],
      /arm slow: the configuration has 1 problem:\s+numStep: unknown name/,
    ],
    [[config, ...two, "--seeds", "0"], /must be a number from 1 to 100/],
    [[config, "--arms", "single,anchored", "--seeds", "0,1"], /--seeds: seed 0 is that of the arm in-use alone/],
    [[config, ...two, "--seeds", "2,2"], /a list of different whole numbers/],
    [[config, ...two, "--reference", "ensemble"], /--reference must be one of the arms \(single, codistilled\)/],
    [[config, "--arms", "single,ensemble", "--reference", "ensemble"], /must be an arm that is validated/],
    [[config, ...two, "--target", "low"], /must be a validation loss, as 0\.46, got "low"/],
    [["--resume", place.path()], /is not the folder of a comparison: it has no comparison\.json/],
    [
      ["--resume", place.path(), "--target", "0.5"],
      /--resume goes on with the configuration, the reference and the tar/,
    ],
    [[config, "--data", "rows.csv", "--label", "late"], /--data and what goes with it make a new configuration/],
  ] as const) {
    const refused = await place.command(["compare", ...args, "--runs", runs]);
    assert.equal(refused.code, 2, refused.shown);
    assert.match(refused.stderr, pattern, refused.shown);
    assert.doesNotMatch(refused.stderr, /\n\s+at /, refused.shown);
  }
  assert.ok(!existsSync(runs), "nothing was made");
});
