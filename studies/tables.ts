/**
 * Tables of every shape by one command without any override, against a linear model on the same features and a constant:
 * `npm run study:tables`; `npm run study:tables -- --help`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { mean } from "../bench/statistics.js";
import { messageOf } from "../src/errors.js";
import { bytes, count, duration } from "../src/report/format.js";
import { type Outcome, trainByCommand } from "./command.js";
import { aboutStudy, fixed, headOf, mdTable, shown, writeBoth } from "./report.js";
import { say, wholeNumbers } from "./runner.js";

interface Table {
  readonly name: string;
  /** In the package vega-datasets. */
  readonly file: string;
  readonly label: string;
  readonly what: string;
}

const tables: readonly Table[] = [
  { name: "flights", file: "flights-3m.parquet", label: "delay >= 15", what: "3,000,000 rows, times, many names" },
  {
    name: "bird strikes",
    file: "birdstrikes.csv",
    label: "\"Effect Amount of damage\" != 'None'",
    what: "10,000 rows, mostly names, missing values, one in ten is yes",
  },
  { name: "penguins", file: "penguins.json", label: "Species", what: "344 rows, 3 classes, missing values" },
  {
    name: "movies",
    file: "movies.json",
    label: '"IMDB Rating"',
    what: "3,201 rows, a number, long tails, half of many columns missing",
  },
  { name: "zip codes", file: "zipcodes.csv", label: "state", what: "42,049 rows, 53 classes, 19,000 cities" },
  { name: "weather", file: "seattle-weather.csv", label: "weather", what: "1,461 days, 5 classes, times" },
];

new Command("npm run study:tables --")
  .description("Train each table by one command, and a linear model on the same features, and report.")
  .option("--seeds <list>", "as in 1,2,3", wholeNumbers, [1, 2, 3])
  .option("--out <folder>", "where the report goes", "bench/results")
  .action(study)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

async function study({ seeds, out }: { readonly seeds: readonly number[]; readonly out: string }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "codistill-tables-"));
  try {
    const outcomes = [];
    for (const table of tables) {
      const own: { codistilled: Outcome; linear: Outcome }[] = [];
      for (const seed of seeds) {
        const source = fileURLToPath(new URL(`../data/${table.file}`, import.meta.resolve("vega-datasets")));
        const codistilled = await train(folder, ["--data", source, "--label", table.label], seed);
        const linear = await train(
          folder,
          [codistilled.config, "--set", "model.hidden=[]", "--set", "numGroups=1"],
          seed,
        );
        own.push({ codistilled, linear });
        const losses = [...yardsticksOf(codistilled), lossOf(linear), lossOf(codistilled)].map(fixed).join(", ");
        say(
          `${table.name}, seed ${seed}: constant, best feature, linear, codistilled ${losses} in ${duration(codistilled.seconds)}`,
        );
      }
      outcomes.push({ table, seeds: own });
    }
    report(outcomes, seeds, out);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Run the command in a folder of its own, as a user would. */
async function train(folder: string, args: readonly string[], seed: number): Promise<Outcome & { config: string }> {
  const cwd = mkdtempSync(join(folder, "run-"));
  const outcome = await trainByCommand([...args, "--set", `seed=${seed}`], cwd, join(cwd, "runs"));
  return { ...outcome, config: args[0] === "--data" ? join(cwd, "codistill.config.ts") : "" };
}

function lossOf({ result }: Outcome): number {
  return result.groups[result.shippedGroup]?.testLoss ?? Number.NaN;
}

/** The losses of the constant, and of the best of what one feature alone tells. */
function yardsticksOf({ result: { yardsticks = [] } }: Outcome): readonly [number, number] {
  const [constant, alone] = yardsticks.map(({ testLoss }) => testLoss);
  return [constant ?? Number.NaN, alone ?? Number.NaN];
}

function report(
  outcomes: readonly { table: Table; seeds: readonly { codistilled: Outcome; linear: Outcome }[] }[],
  seeds: readonly number[],
  out: string,
): void {
  const about = aboutStudy("tables");
  const rows = outcomes.map(({ table, seeds: own }) => {
    const spread = (of: (one: (typeof own)[number]) => number) => shown(own.map(of));
    const [first] = own as [(typeof own)[number]];
    const { testRows, lossName = "log loss" } = first.codistilled.result;
    return [
      table.name,
      count(testRows),
      lossName,
      spread(({ codistilled }) => yardsticksOf(codistilled)[0]),
      spread(({ codistilled }) => yardsticksOf(codistilled)[1]),
      spread(({ linear }) => lossOf(linear)),
      spread(({ codistilled }) => lossOf(codistilled)),
      duration(mean(own.map(({ codistilled }) => codistilled.seconds))),
      bytes(Math.max(...own.map(({ codistilled }) => codistilled.peakBytes))),
    ];
  });
  const lines = [
    "# Six tables by one command",
    "",
    ...headOf(about),
    "",
    "`codistill train --data <file> --label <label>` with no override, on files of the package vega-datasets; the loss of the",
    `shipped model on the test split, mean and standard deviation over seeds ${seeds.join(", ")} (the split is the same). The linear model is`,
    "a logistic or linear regression on the same features, trained by the same steps: `--set model.hidden=[] --set numGroups=1`.",
    "The constant is the share of each class, or the mean, of the training rows; the best feature is the histogram of one feature",
    "alone that is best on the validation rows. Time is that of the whole command, memory the peaks of its processes added up.",
    "",
    ...mdTable(
      ["table", "test rows", "loss", "constant", "best feature", "linear", "codistilled", "time", "memory"],
      rows,
    ),
    "",
    ...outcomes.map(({ table }) => `- ${table.name}: \`--data ${table.file} --label '${table.label}'\`; ${table.what}`),
  ];
  const figures = outcomes.map(({ table, seeds: own }) => ({
    ...table,
    seeds: own.map(({ codistilled, linear }) => ({
      constant: yardsticksOf(codistilled)[0],
      bestFeature: yardsticksOf(codistilled)[1],
      linear: lossOf(linear),
      codistilled: lossOf(codistilled),
      seconds: codistilled.seconds,
      peakBytes: codistilled.peakBytes,
      result: codistilled.result,
    })),
  }));
  for (const file of writeBoth(out, about, { seeds, tables: figures }, lines)) say(`wrote ${file}`);
}
