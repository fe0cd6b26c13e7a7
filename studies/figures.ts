/**
 * The paper's comparisons on the flights as calls of `codistill compare`, `churn` and `sweep`: `npm run study:figure -- churn`;
 * `npm run study:figure -- --help`. The table below says each call; what is done is never done again.
 */
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Argument, Command } from "commander";
import { messageOf } from "../src/errors.js";
import { isComparison, measuredOf, reportsIn } from "../src/node/runs/comparison.js";
import { say, wholeNumbers } from "./runner.js";

const MAIN = fileURLToPath(new URL("../src/node/main.js", import.meta.url));
const RECIPE = "recipes/flights.config.ts";

interface Size {
  readonly seeds: number;
  readonly steps: number;
}

interface Figure {
  readonly what: string;
  /** What it takes about 25 minutes of CPU time with, or less. */
  readonly size: Size;
  /** The command, and how many seeds it is given. */
  readonly command: "churn" | "compare" | "sweep";
  readonly args: readonly string[];
}

const figures = {
  churn: {
    what: "how far retrainings of four procedures are apart: alone, an ensemble, codistilled, anchored",
    size: { seeds: 5, steps: 3660 },
    command: "churn",
    args: ["--arms", "single,ensemble,codistilled,anchored"],
  },
} as const satisfies Readonly<Record<string, Figure>>;
type Name = keyof typeof figures;

const sizes = Object.entries(figures).map(
  ([name, { what, size }]) => `  ${name.padEnd(10)} ${what}; ${size.seeds} seeds of ${size.steps} steps by default`,
);

new Command("npm run study:figure --")
  .description(
    `Train the flights by one of these studies, and put its report and figures into bench/results/figures/:\n${sizes.join("\n")}`,
  )
  .addArgument(new Argument("<name>", "which").choices(Object.keys(figures)))
  .option("--seeds <number>", "how many; a study that is there goes on with more", (given) => wholeNumbers(given)[0])
  .option("--steps <number>", "of each group; another number is another study", (given) => wholeNumbers(given)[0])
  .option("--out <folder>", "where the runs and reports go", "bench/results")
  .showHelpAfterError("(npm run study:figure -- --help tells more)")
  .action(study)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

async function study(name: Name, { out, ...given }: { readonly out: string } & Partial<Size>): Promise<void> {
  const figure: Figure = figures[name];
  const { seeds = figure.size.seeds, steps = figure.size.steps } = given;
  const runs = join(out, "runs", `figure-${name}-${steps}`);
  const code = await runFigure(figure, { seeds, steps }, runs);
  if (code !== 0) {
    process.exitCode = code;
    return;
  }
  const folder = studyIn(runs);
  if (folder === null || !existsSync(measuredOf({ folder }))) return;
  const to = join(out, "figures");
  mkdirSync(to, { recursive: true });
  const { html, markdown } = reportsIn(folder);
  for (const [from, kind] of [
    [html, "html"],
    [markdown, "md"],
    [measuredOf({ folder }), "json"],
  ] as const) {
    const file = join(to, `${name}-${steps}.${kind}`);
    copyFileSync(from, file);
    say(`wrote ${file}`);
  }
}

/** Begin the study, or go on with it. */
async function runFigure({ command, args }: Figure, { seeds, steps }: Size, runs: string): Promise<number> {
  const count = [command === "churn" ? "--retrains" : "--seeds", String(seeds)];
  const folder = studyIn(runs);
  const fresh = [RECIPE, ...args, "--set", `numSteps=${steps}`, ...shares(steps), "--runs", runs];
  const child = spawn(
    process.execPath,
    [MAIN, command, ...(folder === null ? fresh : ["--resume", folder]), ...count],
    // Ctrl-C reaches the child by itself.
    { stdio: "inherit" },
  );
  process.on("SIGINT", () => {});
  return new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
}

/** Burn-in and validations at the same shares of the steps as in the recipe. */
function shares(steps: number): string[] {
  return [
    ...["--set", "algorithm.burnInSteps=50%"],
    ...["--set", `validationInterval=${Math.max(1, Math.round(steps / 30))}`],
  ];
}

/** The study that lies in a folder of runs; null where there is none. */
function studyIn(runs: string): string | null {
  const folders = existsSync(runs) ? readdirSync(runs).map((name) => join(runs, name)) : [];
  return folders.find(isComparison) ?? null;
}
