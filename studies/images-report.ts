/** The report of the study of images: what was expected, with what came, and the report of `codistill compare` below it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, isAbsolute, join } from "node:path";
import { renderChart } from "../scripts/charts/render.js";
import { rowsOf } from "../src/node/launch/comparison-report.js";
import { hasFinished } from "../src/node/launch/finish.js";
import { openComparison, trialFolder } from "../src/node/runs/comparison.js";
import { readMeasured } from "../src/node/runs/measured.js";
import { duration } from "../src/report/format.js";
import { type Block, heading, type LinePoint, list, text } from "../src/report/page/blocks.js";
import { markdownOf } from "../src/report/page/markdown.js";
import { comparisonFigures, comparisonPage } from "../src/study/comparison-page.js";
import { answersOf, answerText } from "./images-claims.js";
import { aboutStudy, headOf, writeBoth } from "./report.js";

/** Write the report from what was measured; gives the paths. */
export async function writeImageReport(folder: string, out: string): Promise<string[]> {
  const about = aboutStudy("images");
  const comparison = openComparison(folder);
  const { measured } = readMeasured(comparison);
  const machine = `${about.machine.cpu}, ${about.machine.cores} cores, Node.js ${about.versions.node}.`;
  const named = withFileNames(comparison);
  const open = named.seeds.flatMap((seed) =>
    named.arms
      .filter(({ name, config }) => config !== null && !hasFinished(trialFolder(comparison, name, seed)))
      .map(({ name }) => `${name}, seed ${seed}`),
  );
  const rows = rowsOf(comparison);
  const facts = { ...named, commands: [about.command], open, rows, machine, made: headOf(about)[0] as string };
  const figures = comparisonFigures(facts, measured);
  const answers = answersOf(figures, measured.apart);
  const page = comparisonPage(facts, measured);
  const charts = page.blocks.filter((block) => block.kind === "lines");
  mkdirSync(out, { recursive: true });
  const plots = await Promise.all(
    charts.map(async (chart, i) => {
      const file = `images-${["steps", "passes"][i] ?? i}.svg`;
      const series = chart.series.map(({ name, points }) => ({ name, points: points.slice(1).map(pointOf) }));
      const panels = [{ title: "", subtitle: "mean over seeds, and one standard deviation to either side", series }];
      writeFileSync(
        join(out, file),
        await renderChart({ title: chart.title, x: { title: chart.x }, y: { title: chart.y }, panels }),
      );
      return { file, title: chart.title };
    }),
  );
  const seconds = measured.outcomes.reduce((sum, outcome) => sum + outcome.seconds, 0);
  const asked: Block[] = [
    heading("What was expected before the runs, and what came"),
    list(answers.map(answerText)),
    text(
      "A difference is that of test losses, paired by seed; steps and churn are ratios. Yes and no: the whole interval of 95 % lies on one side. " +
        `All runs together took ${duration(Math.round(seconds))} on this machine.`,
    ),
  ];
  const markdown = markdownOf({
    ...page,
    title: "Codistillation of image classifiers, on Fashion-MNIST",
    blocks: [...asked, ...page.blocks],
  });
  const images = plots.flatMap(({ file, title }) => ["", `![${title}](${file})`]);
  const lines = [...markdown.trimEnd().split("\n"), ...images];
  const { base, seeds, target, reference } = named;
  const json = {
    config: base,
    seeds,
    reference,
    target,
    answers,
    figures,
    outcomes: measured.outcomes,
    apart: measured.apart,
  };
  return [...writeBoth(out, about, json, lines), ...plots.map(({ file }) => join(out, file))];
}

function pointOf({ x, y, low, high }: LinePoint) {
  return low === undefined || high === undefined ? { x, y } : { x, y, low, high };
}

/** The same with paths of this machine as the names of their files. */
function withFileNames<T>(value: T): T {
  if (typeof value === "string") return (isAbsolute(value) ? basename(value) : value) as T;
  if (Array.isArray(value)) return value.map(withFileNames) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withFileNames(part)])) as T;
}
