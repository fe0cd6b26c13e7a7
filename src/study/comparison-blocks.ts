/** Parts of the report of a comparison: quality, and the views at equal steps and at equal machines. */
import type { TestMetrics } from "../log/events.js";
import { bytes as bytesShown, count, duration, times } from "../report/format.js";
import { type Block, type Cell, type LinePoint, text } from "../report/page/blocks.js";
import { metricViews } from "../report/result.js";
import type { Cost } from "./cost.js";
import type { ArmFigures, Target } from "./figures.js";
import type { Interval } from "./intervals.js";
import type { Measured } from "./outcome.js";
import { mean, std } from "./statistics.js";
import { meanShown, rangeOf, signed } from "./verdicts.js";

export const number = (value: number) => (Math.abs(value) >= 1000 ? value.toPrecision(6) : value.toFixed(4));

/** A value, by which a column sorts; nothing where there is none. */
export const cellOf = (value: number | null | undefined, show: (value: number) => string): Cell =>
  value === null || value === undefined || Number.isNaN(value) ? "" : { text: show(value), value };

/** An interval, by whose value a column sorts. */
export const rangeCell = (interval: Interval | null, show: (value: number) => string): Cell =>
  interval === null ? "" : { text: rangeOf(interval, show), value: interval.value };

/** The mean, and the standard deviation where there are several values. */
export const spread = (values: readonly number[], show = number): Cell => {
  const centre = mean(values);
  return Number.isNaN(centre) ? "not a number" : { text: meanShown(values, show), value: centre };
};

/** Test losses and other metrics of each arm, and how they are to the reference. */
export function lossBlocks(figures: readonly ArmFigures[], reference: string, { lossName }: Measured): Block[] {
  if (figures.length === 0) return [];
  const shown = figures.filter(({ less }) => less !== null);
  const numSeeds = Math.max(...figures.map(({ seeds }) => seeds.length));
  const whiskers = numSeeds > 1 ? " The thick line is the paired interval of 95 %, small dots are single seeds." : "";
  return [
    ...(shown.length === 0
      ? []
      : [
          {
            kind: "dots" as const,
            title: `Test loss less that of ${reference}`,
            note: `To the left of the dashed line an arm is better than ${reference}.${whiskers}`,
            alt: `${shown.map((one) => `${one.arm}: ${rangeOf(one.less, signed)}`).join("; ")}.`,
            x: `difference in test loss (${lossName}) to ${reference}`,
            reference: 0,
            rows: shown.map((one) => ({
              name: one.arm,
              value: one.less?.value ?? Number.NaN,
              low: one.less?.low,
              high: one.less?.high,
              values: differencesOf(
                one,
                figures.find(({ arm }) => arm === reference),
              ),
              shown: rangeOf(one.less, signed),
            })),
          },
        ]),
    {
      kind: "table",
      caption: `Of the group that ships, mean and standard deviation over seeds; ${lossName} as loss`,
      head: [
        "arm",
        "seeds",
        "test loss",
        `less ${reference}`,
        "mean of its groups",
        ...metricsOf(figures).map(({ title }) => title),
      ],
      rows: figures.map((one) => [
        one.arm,
        { text: String(one.seeds.length), value: one.seeds.length },
        spread(one.loss),
        rangeCell(one.less, signed),
        spread(one.meanTestLoss),
        ...metricsOf(figures).map(({ name, show }) => {
          const values = one.test.flatMap((test) => test[name] ?? []);
          return values.length === one.test.length ? spread(values, show) : "";
        }),
      ]),
    },
  ];
}

function differencesOf(own: ArmFigures, reference: ArmFigures | undefined): number[] {
  return own.seeds.flatMap((seed, i) => {
    const at = reference?.seeds.indexOf(seed) ?? -1;
    return at < 0 ? [] : [(own.loss[i] ?? Number.NaN) - (reference?.loss[at] ?? Number.NaN)];
  });
}

/** The metrics that some arm has, as they are called and shown. */
function metricsOf(figures: readonly ArmFigures[]) {
  return Object.entries(metricViews).flatMap(([metric, { title, show }]) => {
    const name = `test${metric.slice(0, 1).toUpperCase()}${metric.slice(1)}` as keyof TestMetrics;
    return figures.some(({ test }) => test.some((one) => one[name] !== undefined)) ? [{ name, title, show }] : [];
  });
}

/** Means over seeds of the validation losses of an arm, with a standard deviation to either side, by `x` of the step. */
function pointsOf(arm: string, { outcomes }: Measured, x: (step: number) => number): LinePoint[] {
  const bySteps = new Map<number, number[]>();
  const own = outcomes.filter((one) => one.arm === arm);
  for (const { curve } of own)
    for (const { step, loss } of curve) bySteps.set(step, [...(bySteps.get(step) ?? []), loss]);
  return [...bySteps]
    .filter(([, losses]) => losses.length === own.length && losses.every(Number.isFinite))
    .sort(([a], [b]) => a - b)
    .map(([step, losses]) => {
      const y = mean(losses);
      return losses.length < 2 ? { x: x(step), y } : { x: x(step), y, low: y - std(losses), high: y + std(losses) };
    });
}

const WHISKERS =
  "Lines are means over seeds; whiskers, at a few of the points, are a standard deviation to either side.";

/** The validation loss over steps, and how fast each arm comes to the target. */
export function equalStepsBlocks(
  figures: readonly ArmFigures[],
  measured: Measured,
  { reference, target }: { readonly reference: string; readonly target: Target },
): Block[] {
  const series = figures
    .map(({ arm }) => ({ name: arm, points: pointsOf(arm, measured, (step) => step) }))
    .filter(({ points }) => points.length > 0);
  const known = figures.filter(({ toTarget }) => toTarget !== null);
  const ends = series.map(({ name, points }) => `${name} ends at ${number(points.at(-1)?.y ?? Number.NaN)}`);
  const over = (values: readonly (number | null)[]) => values.filter((value) => value !== null);
  const aim = target.kind === "loss" ? String(target.value) : `the best of ${reference}`;
  return [
    ...(series.length === 0
      ? []
      : [
          {
            kind: "lines" as const,
            title: "Validation loss over steps",
            note: WHISKERS,
            alt: `${ends.join("; ")}.`,
            x: "optimizer step",
            y: `validation loss (${measured.lossName})`,
            series,
          },
        ]),
    {
      kind: "table",
      caption: `Steps and time to a validation loss of ${aim}, means over the seeds that come to it`,
      head: [
        "arm",
        "seeds that come to it",
        "steps",
        `steps over those of ${reference}`,
        "time",
        "time of a whole run",
      ],
      rows: known.map(({ arm, toTarget, seeds, seconds }) => [
        arm,
        `${toTarget?.numReached} of ${seeds.length}`,
        cellOf(mean(over(toTarget?.steps ?? [])), (value) => count(Math.round(value))),
        rangeCell(toTarget?.ratio ?? null, (value) => value.toFixed(2)),
        cellOf(mean(over(toTarget?.seconds ?? [])), duration),
        cellOf(seconds, duration),
      ]),
    },
  ];
}

/** The validation loss over what it cost, and at equal cost. */
export function equalMachinesBlocks(
  figures: readonly ArmFigures[],
  measured: Measured,
  { reference, costs }: { readonly reference: string; readonly costs: ReadonlyMap<string, Cost> },
): Block[] {
  /** As a mean over its runs, each with the teachers that it had. */
  const passesOf = (arm: string, cost: Cost, step: number) =>
    mean(measured.outcomes.filter((one) => one.arm === arm).map(({ taught }) => cost.passes(step, taught)));
  const millions = (passes: number) => passes / 1e6;
  const series = figures.flatMap(({ arm }) => {
    const cost = costs.get(arm);
    const points = cost ? pointsOf(arm, measured, (step) => millions(passesOf(arm, cost, step))) : [];
    return points.length === 0 ? [] : [{ name: arm, points }];
  });
  const lastStep = (arm: string) =>
    Math.max(0, ...measured.outcomes.filter((one) => one.arm === arm).map(({ curve }) => curve.at(-1)?.step ?? 0));
  const sourceSteps = Math.max(0, ...figures.map(({ arm }) => lastStep(arm)));
  return [
    text(
      "At equal steps arms use machines differently: one with several groups, or with a larger batch, reads more examples in a step. Here is what the model that ships has cost, with all groups that taught it, and the validation loss of each arm where it has taken as many forward passes as the cheapest arm in all of its steps. A learning rate that falls to the end of a run has not fallen yet where an arm is cut: the cut figures are pessimistic for the dearer arms.",
    ),
    ...(series.length === 0
      ? []
      : [
          {
            kind: "lines" as const,
            title: "Validation loss over forward passes",
            note: `${WHISKERS} An arm whose line is lower at the same place does better with the same machines.`,
            alt: `${series.map(({ name, points }) => `${name} takes ${number(points.at(-1)?.x ?? 0)} million`).join("; ")}.`,
            x: "forward passes of an example through the network (millions)",
            y: `validation loss (${measured.lossName})`,
            series,
          },
        ]),
    {
      kind: "table",
      caption: "What a model costs: machines are groups with the batch of the configuration",
      head: [
        "arm",
        "machines",
        "examples read",
        "forward passes",
        "sent and fetched",
        "validation loss at equal passes",
        `less ${reference}`,
        "by step",
      ],
      rows: figures.map(({ arm, atEqualPasses, bytes }) => {
        const cost = costs.get(arm);
        const steps = lastStep(arm) || sourceSteps;
        return [
          arm,
          cellOf(cost?.machines ?? null, times),
          cellOf(cost?.examples(steps) ?? null, (value) => count(Math.round(value))),
          cellOf(cost ? passesOf(arm, cost, steps) : null, (value) => count(Math.round(value))),
          cellOf(cost?.exchanges ? bytes : null, (value) => bytesShown(Math.round(value))),
          atEqualPasses ? spread(atEqualPasses.loss) : "",
          rangeCell(atEqualPasses?.less ?? null, signed),
          atEqualPasses ? { text: count(atEqualPasses.steps), value: atEqualPasses.steps } : "",
        ];
      }),
    },
  ];
}
