/** The claims of codistillation on the flights: `npm run study:flights`; `npm run study:flights -- --help`. */
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { messageOf } from "../src/errors.js";
import { type Arm, flightsArms, type NetworkName, networks, trialsOf, withNetwork } from "./arms.js";
import { flightsStudy } from "./flights-study.js";
import { writeReport } from "./report.js";
import { folderOf, runAll, say, wholeNumbers } from "./runner.js";
import { isDone } from "./trial.js";

interface Options {
  readonly seeds: readonly number[];
  readonly steps: readonly number[];
  readonly arms: readonly Arm[];
  readonly network: NetworkName;
  readonly out: string;
  readonly reportOnly?: boolean;
}

new Command("npm run study:flights --")
  .description("Train every arm with every seed, one run after another, and report. What is done is never done again.")
  .option("--seeds <list>", "as in 1,2,3", wholeNumbers, [1, 2, 3, 4, 5, 6, 7, 8])
  .option("--steps <list>", "numbers of steps", wholeNumbers, [3660, 610])
  .option(
    "--arms <list>",
    `which of ${flightsArms.map(({ name }) => name).join(", ")}; all by default`,
    armList,
    flightsArms,
  )
  .addOption(
    new Option(
      "--network <name>",
      "the recipe's, or that of tables, whose report and runs go into a folder of its name",
    )
      .choices(Object.keys(networks))
      .default("recipe"),
  )
  .option("--out <folder>", "where the report and the runs go", "bench/results")
  .option("--report-only", "report what there is")
  .showHelpAfterError("(npm run study:flights -- --help tells more)")
  .addHelpText(
    "after",
    "\nExamples:\n  npm run study:flights -- --seeds 1,2 --steps 610\n  npm run study:flights -- --report-only",
  )
  .action(study)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

async function study(options: Options): Promise<void> {
  const { seeds, steps, network, reportOnly } = options;
  const arms = withNetwork(options.arms, network);
  const out = network === "recipe" ? options.out : join(options.out, network);
  const trials = trialsOf(arms, seeds, steps);
  if (!reportOnly && !(await runAll(trials, out, flightsStudy))) return;
  const done = trials.filter((trial) => isDone(folderOf(out, trial)));
  if (done.length === 0) throw new Error(`no run is done in ${out}/runs; leave --report-only out to make some`);
  if (done.length < trials.length) say(`note: ${trials.length - done.length} of ${trials.length} runs are not done`);
  const files = await writeReport(
    done.map((trial) => ({ trial, folder: folderOf(out, trial) })),
    arms,
    network,
    out,
  );
  for (const file of files) say(`wrote ${file}`);
}

function armList(text: string): readonly Arm[] {
  return text.split(",").map((name) => {
    const arm = flightsArms.find((one) => one.name === name);
    if (arm) return arm;
    throw new InvalidArgumentError(`must be of ${flightsArms.map((one) => one.name).join(", ")}, got ${name}`);
  });
}
