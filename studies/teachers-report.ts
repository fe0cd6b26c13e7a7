/** The report of the study of teachers: JSON, Markdown, and a plot of what students gain by how good their teachers are. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderChart } from "../scripts/charts/render.js";
import { type Interval, studentInterval } from "../src/study/intervals.js";
import { mean } from "../src/study/statistics.js";
import { auc, logLoss } from "../src/train/metrics.js";
import { aboutStudy, fixed, headOf, mdTable, range, signed, writeBoth } from "./report.js";
import type { TeacherKind } from "./teachers.js";
import { readOutcome, readPredictions } from "./trial.js";

/** A student, and its teacher where that is a model: the folders of their runs. */
export interface Taught {
  readonly kind: TeacherKind;
  readonly seed: number;
  readonly teacher: string | null;
  readonly student: string;
}

/** What the students of a kind of teacher came to; each list has a value for each seed. */
interface Figures {
  readonly kind: string;
  readonly what: string;
  readonly line: string | null;
  readonly seeds: readonly number[];
  /** Of the teacher on June, by its true labels; null where it is no model. */
  readonly teacherLoss: readonly number[] | null;
  readonly teacherAuc: readonly number[] | null;
  readonly loss: readonly number[];
  readonly auc: readonly number[];
  /** What students gain over those without a teacher, paired by seed. */
  readonly lossGain: Interval;
  readonly aucGain: Interval;
}

/** Write all of it; gives the paths. */
export async function writeTeachers(taught: readonly Taught[], out: string): Promise<string[]> {
  const about = aboutStudy("teachers");
  const figures = figuresOf(taught);
  const [nobody] = figures as [Figures, ...Figures[]];
  const meanOf = (values: readonly number[] | null) => (values ? fixed(mean(values)) : "");
  const rows = figures.map((one) => [
    one.kind,
    meanOf(one.teacherLoss),
    meanOf(one.teacherAuc),
    meanOf(one.loss),
    one === nobody ? "" : range(one.lossGain, signed),
    meanOf(one.auc),
    one === nobody ? "" : range(one.aucGain, signed),
  ]);
  const files = writeBoth(out, about, { figures }, [
    "# What makes a good teacher, on the flights",
    "",
    ...headOf(about),
    "",
    "The recipe's network learns for 3,660 steps from one half of the training days, with half of its label loss against a finished teacher,",
    "which has learned from the other half unless the list says otherwise. June is the test, by its true labels. Values are means over seeds,",
    "which redraw the halves, params and order; gains over students without a teacher are paired by seed, with Student's 95 % interval.",
    "",
    ...figures.map(({ kind, what }) => `- \`${kind}\`: ${what}`),
    "",
    `Seeds: ${nobody.seeds.join(", ")}.`,
    "",
    ...mdTable(
      ["teacher", "its log loss", "its AUC", "student's log loss", "gain in log loss", "student's AUC", "gain in AUC"],
      rows,
    ),
    "",
    "![Students gain more from better teachers](teachers.svg)",
  ]);
  const plot = join(out, "teachers.svg");
  writeFileSync(plot, await gainsChart(figures));
  return [...files, plot];
}

function figuresOf(taught: readonly Taught[]): Figures[] {
  const measured = taught.map(({ kind, seed, teacher, student }) => {
    const labels = readPredictions(student, "labels");
    const [outcome] = readOutcome(student).groups;
    const probs = teacher === null ? null : readPredictions(teacher, 0);
    return {
      kind,
      seed,
      // A teacher of wrong labels is held against the true ones as well.
      teacherLoss: probs && logLoss(probs, labels),
      teacherAuc: probs && auc(probs, labels),
      loss: outcome?.testLoss ?? Number.NaN,
      auc: outcome?.testAuc ?? Number.NaN,
    };
  });
  const alone = new Map(measured.filter(({ kind }) => kind.name === "nobody").map((one) => [one.seed, one] as const));
  const names = [...new Set(measured.map(({ kind }) => kind.name))];
  return names.map((name) => {
    const own = measured.filter(({ kind, seed }) => kind.name === name && alone.has(seed));
    const { what = "", line = null } = own[0]?.kind ?? {};
    const values = (of: "teacherLoss" | "teacherAuc") =>
      own.every((one) => one[of] !== null) ? own.map((one) => one[of] as number) : null;
    const gains = (of: "loss" | "auc", sign: number) =>
      studentInterval(own.map((one) => sign * (one[of] - (alone.get(one.seed)?.[of] ?? Number.NaN))));
    return {
      ...{ kind: name, what, line, seeds: own.map(({ seed }) => seed) },
      teacherLoss: values("teacherLoss"),
      teacherAuc: values("teacherAuc"),
      loss: own.map(({ loss }) => loss),
      auc: own.map((one) => one.auc),
      lossGain: gains("loss", -1),
      aucGain: gains("auc", 1),
    };
  });
}

/** A panel for each gain; each line leads from the usual teacher to worse ones of a kind. */
function gainsChart(figures: readonly Figures[]): Promise<string> {
  const usual = figures.find(({ kind }) => kind === "alike");
  const lines = [...new Set(figures.flatMap(({ line }) => line ?? []))];
  const seriesOf = (gain: "lossGain" | "aucGain") =>
    lines.map((name) => ({
      name,
      points: [...(usual ? [usual] : []), ...figures.filter(({ line }) => line === name)]
        .flatMap((one) => (one.teacherLoss ? [{ x: mean(one.teacherLoss), y: one[gain].value }] : []))
        .sort((a, b) => a.x - b.x),
    }));
  return renderChart({
    title: "What students gain, by how good their teachers are",
    x: { title: "log loss of the teacher on June (nats)" },
    y: { title: "gain of the student over no teacher" },
    panels: [
      { title: "in log loss (nats)", series: seriesOf("lossGain") },
      { title: "in AUC", series: seriesOf("aucGain") },
    ],
  });
}
