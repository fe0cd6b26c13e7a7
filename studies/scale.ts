/**
 * Where more workers are wasted, and whether the sign of a second group is right: `npm run study:scale -- flights book`;
 * `npm run study:scale -- --help`. Each problem is a call of `codistill scale --check`; what is done is never done again.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Argument, Command } from "commander";
import { messageOf } from "../src/errors.js";
import { writeScaleReport } from "../src/node/launch/scale-report.js";
import { reportsIn } from "../src/node/runs/comparison.js";
import { isScale, openScale, readScaleMeasured } from "../src/node/runs/scale.js";
import { adviceOf, adviceSentences } from "../src/study/scale/advice.js";
import { folderIn, shownCommand } from "./command.js";
import { aboutStudy } from "./report.js";
import { say, wholeNumbers } from "./runner.js";
import { type Problem, problems } from "./scale-problems.js";
import { type Kept, signLines } from "./scale-signs.js";

interface Options {
  readonly seeds: number;
  readonly timeBudget?: string;
  readonly out: string;
  readonly reportOnly?: boolean;
}

new Command("npm run study:scale --")
  .description(
    `Search the limit of a group on some problems, compare a second group there, and report:\n${problems.map(({ name, what }) => `  ${name.padEnd(14)} ${what}`).join("\n")}`,
  )
  .addArgument(
    new Argument("[names...]", "which; flights and book by default").choices(problems.map(({ name }) => name)),
  )
  .option("--seeds <number>", "how many; a search that is there goes on with more", (text) => wholeNumbers(text)[0], 3)
  .option(
    "--time-budget <duration>",
    "for each problem, as in 20m; what is then open is done by the same command again",
  )
  .option("--out <folder>", "where the runs and reports go", "bench/results")
  .option("--report-only", "report what there is")
  .showHelpAfterError("(npm run study:scale -- --help tells more)")
  .action(study)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

async function study(names: readonly string[], options: Options): Promise<void> {
  const wanted = names.length > 0 ? names : ["flights", "book"];
  const { out } = options;
  for (const name of wanted) {
    const problem = problems.find((one) => one.name === name);
    if (!problem) continue;
    const runs = join(out, "runs", `scale-${name}`);
    if (!options.reportOnly) {
      say(`\n=== ${name}: ${problem.what}`);
      const code = await search(problem, runs, options);
      if (code !== 0) {
        process.exitCode = code;
        return;
      }
    }
    keep(problem, runs, join(out, "scale"));
  }
  writeSigns(join(out, "scale"));
}

/** Begin the search, or go on with it. */
async function search(problem: Problem, runs: string, { seeds, timeBudget, out }: Options): Promise<number> {
  const folder = folderIn(runs, isScale);
  const begun =
    folder === null
      ? [...(await problem.argsOf(join(out, "runs", "scale-work"))), "--runs", runs]
      : ["--resume", folder];
  const more = [
    "--seeds",
    String(seeds),
    "--check",
    ...(timeBudget === undefined ? [] : ["--time-budget", timeBudget]),
  ];
  return shownCommand(["scale", ...begun, ...more]);
}

/** Put the report and the figures of a problem beside those of the others, without paths of this machine. */
function keep({ name, what }: Problem, runs: string, to: string): void {
  const folder = folderIn(runs, isScale);
  if (folder === null || readScaleMeasured(openScale(folder)) === null) return;
  const { figures } = writeScaleReport(folder);
  const { html, markdown } = reportsIn(folder);
  mkdirSync(to, { recursive: true });
  const kept: Kept & object = {
    ...aboutStudy("scale"),
    name,
    what,
    advice: adviceSentences(adviceOf(figures)),
    figures,
  };
  const files = {
    html: readFileSync(html, "utf8"),
    md: readFileSync(markdown, "utf8"),
    json: `${JSON.stringify(kept, null, 1)}\n`,
  };
  for (const [ending, text] of Object.entries(files)) {
    const file = join(to, `${name}.${ending}`);
    writeFileSync(file, text.replaceAll(process.cwd(), "."));
    say(`wrote ${file}`);
  }
}

/** How often the sign was right, over all problems that have been searched, whenever that was. */
function writeSigns(to: string): void {
  if (!existsSync(to)) return;
  const all = problems
    .map(({ name }) => join(to, `${name}.json`))
    .filter((file) => existsSync(file))
    .map((file): Kept => JSON.parse(readFileSync(file, "utf8")));
  const file = join(to, "signs.md");
  writeFileSync(file, `${signLines(all).join("\n")}\n`);
  say(`wrote ${file}`);
}
