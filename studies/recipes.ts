/**
 * The recipes of language models, each trained by its command and held against n-grams and compressors: `npm run study:recipes`;
 * `npm run study:recipes -- --help`.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { messageOf } from "../src/errors.js";
import type { RunResult, TestMetrics } from "../src/log/events.js";
import { runFolder } from "../src/node/runs/run-folder.js";
import { bytes, count } from "../src/report/format.js";
import { type Baselines, textBaselines } from "./baselines.js";
import { trainByCommand } from "./command.js";
import { aboutStudy, headOf, mdTable, writeBoth } from "./report.js";
import { say } from "./runner.js";

const RECIPES = ["gutenberg", "rfc-lstm", "rfc-transformer"] as const;
type Recipe = (typeof RECIPES)[number];

/** What a recipe came to. */
interface Outcome extends Baselines {
  readonly recipe: Recipe;
  readonly result: RunResult;
}

new Command("npm run study:recipes --")
  .description("Train the recipes of language models as their commands do, and report what they came to.")
  .option("--only <recipes>", `of ${RECIPES.join(", ")}, parted by commas`, namesOf, RECIPES)
  .option("--out <folder>", "where the report goes", "bench/results")
  .action(study)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

function namesOf(list: string): readonly Recipe[] {
  return list.split(",").map((name) => {
    const known = RECIPES.find((one) => one === name.trim());
    if (!known) throw new Error(`--only must be of ${RECIPES.join(", ")}, got ${name}`);
    return known;
  });
}

async function study({ only, out }: { readonly only: readonly Recipe[]; readonly out: string }): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const recipe of only) {
    say(`${recipe}: training`);
    const result = await train(recipe, resolve(out, "runs", "recipes"));
    say(`${recipe}: ${testBits(result.groups[result.shippedGroup])} bits per byte; baselines`);
    outcomes.push({ recipe, result, ...(await textBaselines(configOf(recipe))) });
  }
  report(outcomes, out);
}

function configOf(recipe: Recipe): string {
  return `recipes/${recipe}.config.ts`;
}

/** The result of a recipe's run: of one that is done, or by the recipe's command, but for the folder of the run. */
async function train(recipe: Recipe, runs: string): Promise<RunResult> {
  mkdirSync(runs, { recursive: true });
  const done = readdirSync(runs)
    .filter((name) => name.startsWith(`${recipe}-2`))
    .map((name) => runFolder(join(runs, name)).result)
    .find((file) => existsSync(file));
  if (done !== undefined) return JSON.parse(readFileSync(done, "utf8"));
  return (await trainByCommand([configOf(recipe), "--runs", runs], process.cwd(), runs)).result;
}

function testBits(tested: TestMetrics | null | undefined): string {
  return tested?.testBitsPerByte?.toFixed(3) ?? "";
}

function report(outcomes: readonly Outcome[], out: string): void {
  const about = aboutStudy("recipes");
  const rows = outcomes.map(({ recipe, result, baselines, testBytes, trainBytes }) => {
    const { groups, ensemble, yardsticks = [] } = result;
    const ngrams = baselines.filter(({ name }) => name.startsWith("n-gram"));
    const compressors = baselines.filter(({ name }) => !name.startsWith("n-gram"));
    const least = (of: Baselines["baselines"]) => Math.min(...of.map(({ bitsPerByte }) => bitsPerByte)).toFixed(3);
    return [
      recipe,
      `${bytes(trainBytes)}, ${bytes(testBytes)}`,
      groups.map(testBits).join(", "),
      testBits(ensemble),
      testBits(yardsticks.at(-1)),
      least(ngrams),
      least(compressors),
      count(Math.max(...groups.map(({ step }) => step))),
    ];
  });
  const lines = [
    "# Recipes of language models",
    "",
    ...headOf(about),
    "",
    "Bits per byte of the test text: of each group's best checkpoint, the ensemble of the groups, the n-gram that a run holds itself against",
    "(a million tokens of the training text), the best n-gram of all training bytes, and the best of gzip, brotli and xz.",
    "",
    ...mdTable(
      [
        "recipe",
        "training and test text",
        "groups",
        "ensemble",
        "n-gram of the run",
        "best n-gram",
        "best compressor",
        "step",
      ],
      rows,
    ),
  ];
  for (const file of writeBoth(out, about, { recipes: outcomes }, lines)) say(`wrote ${file}`);
}
