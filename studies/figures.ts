/**
 * The paper's comparisons on the flights as calls of `codistill compare`, `churn` and `sweep`: `npm run study:figure -- churn`;
 * `npm run study:figure -- --help`. The table below says each call; what is done is never done again.
 */
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Argument, Command, InvalidArgumentError } from "commander";
import { messageOf } from "../src/errors.js";
import { isComparison, measuredOf, reportsIn } from "../src/node/runs/comparison.js";
import { readMeasured } from "../src/node/runs/measured.js";
import { lowest } from "../src/study/curves.js";
import { mean } from "../src/study/statistics.js";
import { folderIn, shownCommand } from "./command.js";
import { say, wholeNumbers } from "./runner.js";
import { oneBook } from "./scale-problems.js";

const FLIGHTS = ["recipes/flights.config.ts"];

interface Size {
  readonly seeds: number;
  readonly steps: number;
}

/** A comparison by whose validation losses the best of some arms is chosen, on seeds that the figure does not have. */
interface Tuning {
  readonly seeds: readonly number[];
  /** The name of each arm that is tuned to its candidates, as options. */
  readonly arms: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

interface Figure {
  readonly what: string;
  /** What it takes about 25 minutes of CPU time with, or less. */
  readonly size: Size;
  /** The command, and how many seeds it is given. */
  readonly command: "churn" | "compare" | "sweep";
  readonly args: readonly string[];
  /** The configuration and its changes; the recipe of the flights where none are given. */
  readonly problem?: readonly string[];
  /** Options of the recipe that it changes, beside what all figures change. */
  readonly set?: (steps: number) => readonly string[];
  readonly tuning?: Tuning;
}

/** One group that trains alone on all data: the baseline of the paper. */
const BASELINE = ["numGroups=1", "data.regime=all", 'algorithm={"kind":"plain"}'];
const AMOUNTS = [0.01, 0.03, 0.1, 0.2];

/** The baseline with each amount of label smoothing. */
function smoothed(prior: "uniform" | "unigram", kind?: "binary"): Readonly<Record<string, readonly string[]>> {
  const task = (amount: number) => JSON.stringify({ kind, labelSmoothing: { amount, prior } });
  return Object.fromEntries(AMOUNTS.map((amount) => [String(amount), [...BASELINE, `task=${task(amount)}`]]));
}

/** What figure 2a compares. With a rate that falls to 0 no arm is near its best loss before its last steps, however many it has. */
function atTheLimit(kind?: "binary") {
  return {
    command: "compare",
    args: ["--arms", "single-all,twice-the-batch,codistilled,single,ensemble", "--reference", "single-all"],
    set: (steps: number) => [
      "optimizer.schedule=constant",
      "algorithm.burnInSteps=25%",
      ...exchangedEvery(Math.max(1, Math.round(steps / 50))),
    ],
    tuning: {
      seeds: [101, 102],
      arms: {
        "uniform-smoothing-tuned": smoothed("uniform", kind),
        "unigram-smoothing-tuned": smoothed("unigram", kind),
      },
    },
  } as const;
}

const figures = {
  churn: {
    what: "how far retrainings of four procedures are apart: alone, an ensemble, codistilled, anchored",
    size: { seeds: 5, steps: 3660 },
    command: "churn",
    args: ["--arms", "single,ensemble,codistilled,anchored"],
  },
  staleness: {
    what: "teachers that are exactly 0 to 500 steps old",
    size: { seeds: 5, steps: 1830 },
    command: "sweep",
    args: ["--over", "staleness=0,50,100,250,500"],
  },
  "2a": {
    what: "figure 2a: one group on all data, with twice the batch, with tuned label smoothing; codistilled; an ensemble",
    size: { seeds: 5, steps: 2440 },
    ...atTheLimit("binary"),
  },
  "2a-book": {
    what: "figure 2a of a language model of one book",
    size: { seeds: 3, steps: 400 },
    problem: oneBook,
    ...atTheLimit(),
  },
  "2b": {
    what: "figure 2b: groups that codistil on disjoint parts, on the same part, on all data; one group on all data",
    size: { seeds: 5, steps: 3660 },
    command: "compare",
    args: ["--arms", "single-all,codistilled,same-data,codistilled-all", "--reference", "single-all"],
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
  .option(
    "--batch <rows>",
    "of each group, as the limit that codistill scale found; that of the recipe by default",
    (given) => wholeNumbers(given)[0],
  )
  .option(
    "--rate <rate>",
    "the learning rate, as codistill scale found it for the batch; that of the recipe by default",
    positive,
  )
  .option("--out <folder>", "where the runs and reports go", "bench/results")
  .showHelpAfterError("(npm run study:figure -- --help tells more)")
  .action(study)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

interface Options extends Partial<Size> {
  readonly batch?: number;
  readonly rate?: number;
  readonly out: string;
}

async function study(name: Name, { out, batch, rate, ...given }: Options): Promise<void> {
  const figure: Figure = figures[name];
  const { problem = FLIGHTS } = figure;
  const { seeds = figure.size.seeds, steps = figure.size.steps } = given;
  const own = [name, steps, ...(batch ? ["batch", batch] : []), ...(rate ? ["rate", rate] : [])].join("-");
  const runs = join(out, "runs", `figure-${own}`);
  const set = [
    `numSteps=${steps}`,
    ...shares(steps),
    ...(figure.set?.(steps) ?? []),
    ...(batch === undefined ? [] : [`globalBatchSize=${batch}`]),
    ...(rate === undefined ? [] : [`optimizer.learningRate=${rate}`]),
  ];
  const tuned = figure.tuning ? await tune(figure.tuning, problem, set, `${runs}-tuning`) : [];
  const count = [figure.command === "churn" ? "--retrains" : "--seeds", String(seeds)];
  const code =
    tuned === null ? 1 : await codistill(figure.command, [...problem, ...figure.args, ...tuned], set, count, runs);
  if (code !== 0) {
    process.exitCode = code;
    return;
  }
  const folder = folderIn(runs, isComparison);
  if (folder === null || !existsSync(measuredOf({ folder }))) return;
  const to = join(out, "figures");
  mkdirSync(to, { recursive: true });
  const { html, markdown } = reportsIn(folder);
  for (const [from, kind] of [
    [html, "html"],
    [markdown, "md"],
    [measuredOf({ folder }), "json"],
  ] as const) {
    const file = join(to, `${own}.${kind}`);
    copyFileSync(from, file);
    say(`wrote ${file}`);
  }
}

/** Begin a study, or go on with it. */
async function codistill(
  command: Figure["command"],
  args: readonly string[],
  set: readonly string[],
  count: readonly string[],
  runs: string,
): Promise<number> {
  const folder = folderIn(runs, isComparison);
  const fresh = [...args, ...set.flatMap((option) => ["--set", option]), "--runs", runs];
  const begun = folder === null ? fresh : ["--resume", folder];
  return shownCommand([command, ...begun, ...count]);
}

/** Train the candidates of each tuned arm; gives the arms with the lowest validation loss, and a note. Null where that was stopped. */
async function tune(
  { seeds, arms }: Tuning,
  problem: readonly string[],
  set: readonly string[],
  runs: string,
): Promise<string[] | null> {
  const candidates = Object.entries(arms).flatMap(([name, values]) =>
    Object.entries(values).map(([value, options], i) => ({ name, value, options, arm: `${name}-${i + 1}` })),
  );
  const own = (name: string, options: readonly string[]) => [
    "--arm",
    `${name}:${options.map((option) => `--set ${option}`).join(" ")}`,
  ];
  const args = candidates.flatMap(({ arm, options }) => own(arm, options));
  const code = await codistill("compare", [...problem, ...args], set, ["--seeds", seeds.join(",")], runs);
  const folder = folderIn(runs, isComparison);
  if (code !== 0 || folder === null) return null;
  const { outcomes } = readMeasured({ folder }).measured;
  const lossOf = (arm: string) => mean(outcomes.filter((one) => one.arm === arm).map(({ curve }) => lowest(curve)));
  if (candidates.some(({ arm }) => outcomes.filter((one) => one.arm === arm).length < seeds.length)) return null;
  const chosen = Object.keys(arms).map((name) => {
    const all = candidates.filter((one) => one.name === name);
    return all.reduce((best, one) => (lossOf(one.arm) < lossOf(best.arm) ? one : best));
  });
  const notes = chosen.map(({ name, value }) => {
    const tried = Object.keys(arms[name] ?? {}).join(", ");
    return `${name} was tuned: of the amounts ${tried} it has ${value}, that of the lowest validation loss on seeds ${seeds.join(" and ")}, which are not of this comparison.`;
  });
  return [...chosen.flatMap(({ name, options }) => own(name, options)), ...notes.flatMap((note) => ["--note", note])];
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError(`must be a number above 0, got "${text}"`);
  return value;
}

function exchangedEvery(steps: number): string[] {
  return [`algorithm.publishInterval=${steps}`, `algorithm.exchangeInterval=${steps}`];
}

/** Burn-in and validations at the same shares of the steps, whatever these are. */
function shares(steps: number): string[] {
  return ["algorithm.burnInSteps=50%", `validationInterval=${Math.max(1, Math.round(steps / 20))}`];
}
