/** The report of `codistill sweep`: quality over the values of one setting. */
import { bytes as bytesShown, count, duration } from "../report/format.js";
import { type Block, type Cell, code, heading, type LinePoint, list, type Page, text } from "../report/page/blocks.js";
import { cellOf, number, rangeCell, spread } from "./comparison-blocks.js";
import { comparisonFigures } from "./comparison-page.js";
import { type ComparisonFacts, configurationBlocks, openBlocks } from "./facts-blocks.js";
import { type ArmFigures, lossDifferences } from "./figures.js";
import type { Interval } from "./intervals.js";
import type { Measured } from "./outcome.js";
import { mean, std } from "./statistics.js";
import type { SweepStudy } from "./study.js";
import { adviceOf, gainSentences, type SweepLine, sweepLines } from "./sweep-figures.js";
import { taughtSentences } from "./taught.js";
import { rangeOf, seedsSentence, signed } from "./verdicts.js";

/** The study of the facts of a sweep. */
export function sweepIn({ study }: Pick<ComparisonFacts, "study">): SweepStudy {
  if (study.kind === "sweep") return study;
  throw new Error(`internal: a ${study.kind} has no setting`);
}

/** What a sweep shows, in sentences. */
export function sweepSentences(lines: readonly SweepLine[], study: SweepStudy): string[] {
  return lines.flatMap((line) => [...adviceOf(line, study), ...gainSentences(line, study)]);
}

/** The whole report. */
export function sweepPage(facts: ComparisonFacts, measured: Measured): Page {
  const study = sweepIn(facts);
  const figures = comparisonFigures(facts, measured);
  const lines = sweepLines(study, figures, facts.reference);
  const { base, machine, commands, arms, seeds, open, made, reference } = facts;
  const numSeeds = figures.reduce((most, own) => Math.max(most, own.seeds.length), 0);
  const seldom = taughtSentences(arms, measured.outcomes).filter(({ isSeldom }) => isSeldom);
  const names = [...study.lines.map(({ arm }) => arm), ...study.beside];
  return {
    title: `${base.name}: ${study.what}`,
    made,
    coloured: names,
    blocks: [
      heading("What was asked"),
      ...(study.why === "" ? [] : [text(study.why)]),
      text(
        `${study.over} is ${study.values.join(", ")}, and all else stays${study.own === null ? "" : `; the configuration has ${study.own}`}. ${names.join(" and ")} ${names.length === 1 ? "is" : "are"} trained with ${seeds.length === 1 ? "one seed" : `${count(seeds.length)} seeds`} (${seeds.join(", ")}) that all values share. What ships was fixed before: group 0, with its params of the best validation. Differences are paired by seed. The target of the steps, declared before the runs, is the best validation loss of ${reference} with the same seed.`,
      ),
      ...openBlocks(open),
      heading("What it shows"),
      list([seedsSentence(numSeeds), ...sweepSentences(lines, study), ...seldom.map(({ sentence }) => sentence)]),
      heading("Quality over the setting"),
      ...qualityBlocks(lines, study, figures, measured),
      heading("Every value"),
      ...lines.flatMap((line) => valuesTables(line, study, reference)),
      ...besideTable(study, figures),
      heading("What this does not show"),
      list(limits(study, open.length > 0)),
      heading("Configuration and data"),
      ...configurationBlocks(facts),
      heading("Machine and commands"),
      text(machine),
      code(commands.join("\n")),
    ],
  };
}

const pointOf = (x: number, loss: readonly number[]): LinePoint[] => {
  if (loss.length === 0 || !loss.every(Number.isFinite)) return [];
  const y = mean(loss);
  return [loss.length < 2 ? { x, y } : { x, y, low: y - std(loss), high: y + std(loss) }];
};

function qualityBlocks(
  lines: readonly SweepLine[],
  study: SweepStudy,
  figures: readonly ArmFigures[],
  { lossName }: Measured,
): Block[] {
  const ofLine = lines.map(({ arm, points }) => ({
    name: arm,
    points: points.flatMap((one, i) => pointOf(i, one.figures?.loss ?? [])),
  }));
  const ofBeside = study.beside.map((name) => {
    const loss = figures.find(({ arm }) => arm === name)?.loss ?? [];
    return { name, points: study.values.flatMap((_, i) => pointOf(i, loss)) };
  });
  const series = [...ofLine, ...ofBeside].filter(({ points }) => points.length > 0);
  if (series.length === 0) return [text("No run is done yet.")];
  const less = lines.flatMap(({ arm, points, reference }) =>
    points.flatMap((one) => (one.less ? [{ arm, reference, ...one, less: one.less }] : [])),
  );
  const isOne = lines.length === 1;
  const name = (arm: string, value: string) => (isOne ? value : `${arm}, ${value}`);
  const reference = lines[0]?.reference ?? "";
  return [
    {
      kind: "lines",
      title: `Test loss over ${study.over}`,
      note: "Means over seeds; whiskers are a standard deviation to either side, which is more than what pairs of one seed differ by. Values stand evenly apart.",
      alt: `${ofLine.map(({ name: arm, points }) => `${arm}: ${points.map(({ x, y }) => `${study.values[x]} ${number(y)}`).join(", ")}`).join("; ")}.`,
      x: study.what,
      y: `test loss (${lossName})`,
      places: study.values,
      series,
    },
    ...(less.length === 0
      ? []
      : [
          {
            kind: "dots" as const,
            title: `Test loss less that at ${reference}`,
            note: "To the left of the dashed line a value is better. The thick line is the paired interval of 95 %, small dots are single seeds.",
            alt: `${less.map((one) => `${name(one.arm, one.value)}: ${rangeOf(one.less, signed)}`).join("; ")}.`,
            x: `difference in test loss (${lossName}) to ${study.over} ${reference}`,
            reference: 0,
            rows: less.map((one) => ({
              name: name(one.arm, one.value),
              value: one.less.value,
              low: one.less.low,
              high: one.less.high,
              values: lossDifferences(
                one.figures,
                lines.find(({ arm }) => arm === one.arm)?.points.find(({ value }) => value === one.reference)
                  ?.figures ?? null,
              ),
              shown: rangeOf(one.less, signed),
            })),
          },
        ]),
  ];
}

const lossCell = (loss: readonly number[]): Cell => (loss.length === 0 ? "" : spread(loss));

/** What each value brings, and what it costs. */
function valuesTables(
  { arm, reference, beside, points }: SweepLine,
  { over }: SweepStudy,
  referenceArm: string,
): Block[] {
  const ratio = (interval: Interval | null) => rangeCell(interval, (value) => value.toFixed(2));
  return [
    {
      kind: "table",
      caption: `${arm} over ${over}; intervals of 95 % are paired by seed`,
      head: [
        over,
        "seeds",
        "test loss",
        `less ${reference}`,
        ...(beside === null ? [] : [`less ${beside}`]),
        "churn between seeds",
      ],
      rows: points.map(({ value, figures, less, gain }): Cell[] => [
        value,
        cellOf(figures?.seeds.length ?? 0, count),
        lossCell(figures?.loss ?? []),
        rangeCell(less, signed),
        ...(beside === null ? [] : [rangeCell(gain, signed)]),
        rangeCell(figures?.distance ?? null, (distance) => distance.toFixed(4)),
      ]),
    },
    {
      kind: "table",
      caption: `What ${arm} takes over ${over}`,
      head: [
        over,
        `steps to the target over ${referenceArm}`,
        "seeds that come to it",
        "sent and fetched",
        "time of a run",
      ],
      rows: points.map(({ value, figures }): Cell[] => [
        value,
        ratio(figures?.toTarget?.ratio ?? null),
        figures?.toTarget ? `${figures.toTarget.numReached} of ${figures.seeds.length}` : "",
        cellOf(figures?.bytes, (bytes) => bytesShown(Math.round(bytes))),
        cellOf(figures?.seconds, duration),
      ]),
    },
  ];
}

function besideTable({ beside }: SweepStudy, figures: readonly ArmFigures[]): Block[] {
  const known = figures.filter(({ arm }) => beside.includes(arm));
  if (known.length === 0) return [];
  return [
    {
      kind: "table",
      caption: "Arms that have no such setting",
      head: ["arm", "seeds", "test loss", "time of a run"],
      rows: known.map(({ arm, seeds, loss, seconds }): Cell[] => [
        arm,
        cellOf(seeds.length, count),
        lossCell(loss),
        cellOf(seconds, duration),
      ]),
    },
  ];
}

function limits({ values, over }: SweepStudy, isCut: boolean): string[] {
  return [
    ...(isCut ? ["Not all of the runs that were planned are done: values have the seeds that their rows name."] : []),
    ...(values.length > 2
      ? [
          `Each interval is of 95 % by itself: of ${values.length - 1} that hold a true value of 0, one in twenty is expected to leave it out. A value that was chosen because it looks best here looks better than it is.`,
        ]
      : []),
    `${over} was varied alone: the best value of it may be another where other settings are, the learning rate above all.`,
    "That two values are not told apart does not make them equal.",
    "A seed draws first params, order of the data and dropout anew. The split, and the parts that groups train on, are the same for all seeds: intervals say nothing of other data.",
    "Time is that of this machine, on which the groups of a run share the cores.",
  ];
}
