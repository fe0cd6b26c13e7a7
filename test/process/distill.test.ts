/** Distillation over generations as processes: stopped, gone on with, and each generation what it says. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runFolder } from "../../src/node/runs/run-folder.js";
import { workplace } from "./fixture.js";
import { eventually } from "./processes.js";
import { resultOf, weightsOf } from "./results.js";

const place = workplace();

test("two generations, stopped in the second and gone on with, are the runs that their configurations describe", async () => {
  const runs = place.path("distilled");
  const config = await place.config("distilled.json");
  const begun = place.codistill([
    "distill",
    config,
    "--runs",
    runs,
    "--set",
    "numSteps=400",
    "--distill-weight",
    "0.8",
  ]);
  const at = (...names: string[]) => {
    const [name = ""] = existsSync(runs) ? readdirSync(runs) : [];
    return existsSync(join(runs, name, ...names)) ? join(runs, name) : null;
  };
  const folder = await eventually("the second generation", () => at("generation-2", "log.jsonl"), begun.output);
  process.kill(begun.pid, "SIGINT");
  const stopped = await begun.ended;
  assert.equal(stopped.code, 130, stopped.shown);
  assert.ok(stopped.stdout.includes(`codistill distill --resume ${folder}`), stopped.shown);
  const scored = join(folder, "generation-1", "result.json");
  const before = statSync(scored).mtimeMs;
  const ended = await place.codistill(["distill", "--resume", folder, "--json"]).ended;
  assert.equal(ended.code, 0, ended.shown);
  assert.equal(statSync(scored).mtimeMs, before, "the first generation was not scored again");
  const result = JSON.parse(ended.stdout);
  const { version: _, ...written } = JSON.parse(readFileSync(join(folder, "result.json"), "utf8"));
  assert.deepEqual(written, result);
  const [teachers, student] = [1, 2].map((number) => runFolder(join(folder, `generation-${number}`)));
  assert.ok(teachers && student);
  const configOf = (one: typeof teachers) => JSON.parse(readFileSync(one.config, "utf8"));
  const [of, by] = [configOf(teachers), configOf(student)];
  assert.deepEqual([of.numGroups, of.numSteps, of.algorithm.kind, of.teachers], [2, 200, "plain", undefined]);
  assert.deepEqual([by.numGroups, by.numSteps, by.algorithm.kind, by.teachers.length], [1, 200, "plain", 1]);
  assert.notEqual(of.seed, by.seed);
  assert.equal(by.teacherWeight, 0.8);
  const [alone, taught] = [resultOf(teachers), resultOf(student)];
  const mean = alone.groups.reduce((sum, { testLoss }) => sum + testLoss, 0) / 2;
  const gain = mean - (alone.ensemble?.testLoss ?? Number.NaN);
  assert.ok(Math.abs(result.kept - (mean - (taught.groups[0]?.testLoss ?? Number.NaN)) / gain) < 1e-9);
  // The teacher is the mean of the groups, as their run has scored it.
  assert.ok(Math.abs((taught.teachers?.testLoss ?? 0) - (alone.ensemble?.testLoss ?? 1)) < 1e-5, ended.shown);
  assert.match(ended.stderr, /^generation 1, ensemble +0\.\d{4}/m, ended.shown);
  assert.match(
    ended.stderr,
    /the student keeps (none|all|[\d.]+ %) of the gain.*: in test loss, the first\s+generation's ensemble is 0\.\d{4} (below|above)/,
    ended.shown,
  );

  // The same student, trained by hand from the files that lie there.
  const own = { ...by, teachers: [{ model: join(folder, "generation-1", "ensemble.onnx") }] };
  delete own.version;
  const path = await place.write("student.json", JSON.stringify(own));
  const again = place.train([path]);
  assert.equal((await again.ended).code, 0, (await again.ended).shown);
  assert.equal(await weightsOf(await again.folder()), await weightsOf(student));
});

test("a single group teaches by its own model, and what cannot be distilled is refused", async () => {
  const config = await place.config("alone.json", { numGroups: 1 });
  const { code, shown, stdout } = await place.codistill(["distill", config, "--runs", place.path("alone")]).ended;
  assert.equal(code, 0, shown);
  assert.doesNotMatch(stdout, /the student keeps/);
  await place.write("story.txt", "once upon a time ".repeat(50));
  for (const [args, pattern] of [
    [[config, "--generations", "1"], /--generations must be from 2 to 20, got 1/],
    [[], /a distillation is of data or of a configuration, and neither is given/],
    [["--resume", place.path()], /is not the folder of a distillation: it has no generations\.json/],
    [["--resume", place.path(), "--generations", "3"], /--resume goes on with the configuration and the generations/],
    [[config, "--set", "numSteps=1", "--set", "algorithm.burnInSteps=0"], /1 are fewer than 2 generations/],
    [[config, "--set", 'data.filters=["true"]'], /data\.filters: give each group rows of its own/],
  ] as const) {
    const refused = await place.command(["distill", ...args, "--runs", place.path("refused")]);
    assert.equal(refused.code, 2, refused.shown);
    assert.match(refused.stderr, pattern, refused.shown);
    assert.doesNotMatch(refused.stderr, /\n\s+at /, refused.shown);
  }
});
