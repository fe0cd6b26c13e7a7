import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command } from "commander";
import { checkPaths, flagOf, level, probability, someDuration, wholeFrom } from "./flags.js";

test("durations are numbers with a unit, more than nothing and no longer than a timer", () => {
  assert.deepEqual(["90s", "20m", "1.5h", " 2d "].map(someDuration), [90, 1200, 5400, 172_800]);
  for (const wrong of ["", "20", "m", "-5s", "0s", "1 h", "1e3s", "25d", "2w"])
    assert.throws(
      () => someDuration(wrong),
      /must be a duration such as 90s, 20m or 1.5h, 24 days at most, got "/,
      wrong,
    );
});

test("levels are shares or percents, probabilities may be 0 and 1, and counts begin at their least", () => {
  assert.deepEqual(["90%", "0.9", ".9", " 99.5 % "].map(level), [0.9, 0.9, 0.9, 0.995]);
  for (const wrong of ["", "90", "0", "1", "100%", "0%", "-5%", "1e-3", "NaN"])
    assert.throws(() => level(wrong), /as 90% or 0\.9/, wrong);
  assert.deepEqual(["0", "1", "0.25"].map(probability), [0, 1, 0.25]);
  for (const wrong of ["", "-0.1", "1.1", "half"]) assert.throws(() => probability(wrong), /from 0 to 1, got/, wrong);
  assert.equal(wholeFrom(2)("2"), 2);
  for (const wrong of ["", "1", "2.5", "1e20", "x"]) assert.throws(() => wholeFrom(2)(wrong), /2 or more, got/, wrong);
});

test("an option is named as it is typed", () => {
  assert.deepEqual(["by", "maxBadRows"].map(flagOf), ["--by", "--max-bad-rows"]);
});

describe("paths that flags and arguments give", () => {
  function parse(...words: readonly string[]): void {
    const program = new Command().exitOverride().hook("preAction", (_, command) => checkPaths(command));
    program
      .command("train")
      .argument("[config]")
      .option("--store <store>")
      .option("--runs <folder>")
      .option("--out <file>")
      .option("--data <paths...>")
      .option("--prompt <text>")
      .action(() => {});
    program.parse(["train", ...words], { from: "user" });
  }

  test("are not empty, which would be the current folder", () => {
    for (const words of [["--store", ""], ["--out", ""], ["--data", "a.csv", ""], [""]]) {
      assert.throws(() => parse(...words), /must name a file or a folder, got an empty name/, words.join());
    }
    parse("config.ts", "--store", ".", "--data", "a.csv", "--prompt", "");
  });

  test("are paths of this machine but for data, and stores of a known kind", () => {
    for (const address of ["s3://bucket/runs", "file:///shared/runs", "FILE:/shared"])
      assert.throws(() => parse("--runs", address), /--runs must be a path of this machine, got the address \w/);
    assert.throws(() => parse("--out", "file:///a.csv"), /--out must be a path of this machine, got the address file:/);
    assert.throws(() => parse("--store", "s3://bucket/run"), /a store must be a path or file:.*no store of kind "s3:"/);
    parse("--data", "s3://bucket/rides.csv", "--store", "file:///shared/flights", "--runs", "a/b:c");
  });

  test("are not in the words of a shell", () => {
    for (const words of [["--runs=~/runs"], ["--store=~"], ["--out=~/a.csv"], ["~/config.ts"]])
      assert.throws(() => parse(...words), / got ~.*, and ~ is written out by a shell alone/, words.join());
    parse("--runs", "./~", "--out", "~backup.csv", "--prompt", "~/x");
  });
});
