/** The report of the flights study: JSON, Markdown, and plots of the validation loss. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sourceCommit, thisMachine } from "../bench/machine.js";
import { renderChart } from "../scripts/charts/render.js";
import { duration } from "../src/report/format.js";
import type { Interval } from "../src/study/intervals.js";
import { mean, std } from "../src/study/statistics.js";
import type { Arm, NetworkName } from "./arms.js";
import {
  type ArmFigures,
  type DoneTrial,
  type FlightsFigures,
  flightsFigures,
  SINGLE,
  spread,
  TWICE,
} from "./flights-figures.js";
import { type TrialOutcome, validationCurve } from "./trial.js";

/** Write all of it; gives the paths. */
export async function writeReport(
  done: readonly DoneTrial[],
  arms: readonly Arm[],
  network: NetworkName,
  out: string,
): Promise<string[]> {
  const figures = flightsFigures(done);
  const about = aboutStudy("flights");
  const files = writeBoth(out, about, figures, markdown(figures, arms, network, about));
  for (const steps of new Set(figures.outcomes.map((outcome) => outcome.steps))) {
    const file = join(out, `flights-${steps}.svg`);
    const svg = await validationChart({
      title: `Validation loss, ${steps.toLocaleString("en-US")} steps`,
      loss: "validation log loss (nats)",
      outcomes: figures.outcomes.filter((outcome) => outcome.steps === steps),
      arms: arms.map(({ name }) => name),
    });
    writeFileSync(file, svg);
    files.push(file);
  }
  return files;
}

/** When, how and where a study was reported. */
export interface About {
  readonly study: string;
  readonly date: string;
  readonly command: string;
  readonly machine: ReturnType<typeof thisMachine>;
  readonly versions: { readonly node: string; readonly commit: string | null };
}

export function aboutStudy(study: string): About {
  // Folders are of this machine, and change nothing of what is written.
  const isFolder = (word: string | undefined) => word === "--out" || word === "--work";
  const given = process.argv.slice(2).filter((word, i, words) => !isFolder(word) && !isFolder(words[i - 1]));
  return {
    study,
    date: new Date().toISOString(),
    command: [`npm run study:${study}`, ...(given.length > 0 ? ["--", ...given] : [])].join(" "),
    machine: thisMachine(),
    versions: { node: process.version, commit: sourceCommit() },
  };
}

/** Write a study's figures as JSON and its report as Markdown; gives the paths. */
export function writeBoth(out: string, about: About, figures: object, lines: readonly string[]): string[] {
  const [json, markdown] = ["json", "md"].map((ending) => join(out, `${about.study}.${ending}`)) as [string, string];
  mkdirSync(out, { recursive: true });
  writeFileSync(json, `${JSON.stringify({ ...about, ...figures }, null, 1)}\n`);
  writeFileSync(markdown, `${lines.join("\n")}\n`);
  return [json, markdown];
}

/** The same as the first lines of a report. */
export function headOf({ date, machine, versions, command }: About): string[] {
  const where = `${machine.cpu}, ${machine.cores} cores, Node.js ${versions.node}, commit ${versions.commit}`;
  return [`${date}, ${where}`, "", `    ${command}`];
}

export const fixed = (value: number) => value.toFixed(4);
export const signed = (value: number) => `${value < 0 ? "" : "+"}${fixed(value)}`;
/** An interval; of one seed, which has none, its value. */
export const range = (interval: Interval | null | undefined, show = fixed) =>
  interval && Number.isNaN(interval.low)
    ? show(interval.value)
    : interval
      ? `${show(interval.value)} (${show(interval.low)} to ${show(interval.high)})`
      : "";

/** The mean over seeds, and the standard deviation where there are several. */
export function shown(values: readonly number[]): string {
  const { mean: centre, std: width } = spread(values);
  return values.length < 2 ? fixed(centre) : `${fixed(centre)} ± ${fixed(width)}`;
}

export function mdTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}

const networkWords: Readonly<Record<NetworkName, string>> = {
  recipe: "The recipe's network and data",
  table:
    "The network of `codistill train --data`, with its optimizer, averaged params and temperature, on the recipe's data",
};

function markdown(
  { arms: figures, targets, outcomes }: FlightsFigures,
  arms: readonly Arm[],
  network: NetworkName,
  about: About,
): string[] {
  const steps = [...new Set(figures.map((one) => one.steps))];
  return [
    "# Codistillation on the flights",
    "",
    ...headOf(about),
    "",
    `${networkWords[network]}; log loss in nats on June 2001, of the params that are best on the last week of May. The mean`,
    "and the standard deviation are over seeds, each of which redraws params, order and halves; a seed's value is the mean of its groups.",
    "Differences are paired by seed, with Student's 95 % interval. Churn is the mean absolute difference of June probabilities",
    "between group 0's models of two seeds, over all pairs, with a jackknife interval.",
    "",
    ...arms.map(({ name, what }) => `- \`${name}\`: ${what}`),
    ...steps.flatMap((count) => [
      "",
      `## ${count.toLocaleString("en-US")} steps`,
      "",
      ...armTable(figures.filter((one) => one.steps === count)),
    ]),
    ...(targets.length === 0 ? [] : ["", "## Targets", ""]),
    ...targets.map(
      ({ what, value, isReached }) => `- ${what}: ${fixed(value)}, ${isReached ? "reached" : "not reached"}`,
    ),
    "",
    `${outcomes.length} runs, ${duration(outcomes.reduce((sum, { seconds }) => sum + seconds, 0))} of training.`,
  ];
}

function armTable(figures: readonly ArmFigures[]): string[] {
  const head = [
    "arm",
    "seeds",
    "log loss",
    "validation",
    `less ${SINGLE}`,
    `less ${TWICE}`,
    "AUC",
    "ECE",
    "churn",
    `over ${SINGLE}`,
    "time",
  ];
  const rows = figures.map((one) => [
    one.arm,
    String(one.seeds.length),
    shown(one.loss),
    one.validationLoss ? shown(one.validationLoss) : "",
    range(one.lossLess[SINGLE], signed),
    range(one.lossLess[TWICE], signed),
    shown(one.auc),
    shown(one.calibrationError),
    range(one.churn),
    range(one.churnRatio, (value) => value.toFixed(3)),
    one.seconds === null ? "" : duration(one.seconds),
  ]);
  return mdTable(head, rows);
}

/** The validation loss of every arm against the step: the mean over seeds and groups, with a standard deviation to either side. */
export function validationChart({
  title,
  loss,
  outcomes,
  arms,
}: {
  readonly title: string;
  /** What it measures, with its unit. */
  readonly loss: string;
  readonly outcomes: readonly TrialOutcome[];
  readonly arms: readonly string[];
}): Promise<string> {
  return renderChart({
    title,
    x: { title: "optimizer step" },
    y: { title: loss },
    panels: [
      {
        title: "",
        subtitle: "mean over seeds, and one standard deviation to either side",
        series: arms.flatMap((name) => {
          const own = outcomes.filter((outcome) => outcome.arm === name);
          return own.length === 0 ? [] : [{ name, points: pointsOf(own) }];
        }),
      },
    ],
  });
}

/** The first validations lie far above the others, and would flatten what is to be seen. */
const SHOWN_FROM = 0.2;

function pointsOf(outcomes: readonly TrialOutcome[]) {
  const bySteps = new Map<number, number[]>();
  for (const outcome of outcomes) {
    for (const { step, loss } of validationCurve(outcome)) {
      if (step < SHOWN_FROM * outcome.steps) continue;
      bySteps.set(step, [...(bySteps.get(step) ?? []), loss]);
    }
  }
  return [...bySteps].map(([step, losses]) => {
    const y = mean(losses);
    const width = losses.length < 2 ? 0 : std(losses);
    return { x: step, y, low: y - width, high: y + width };
  });
}
