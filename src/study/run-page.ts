/** The report of a run, and of several runs side by side. */
import type { RunResult, TestMetrics } from "../log/events.js";
import { bytes, count, duration } from "../report/format.js";
import { type Block, type Cell, code, heading, type LinePoint, list, type Page, text } from "../report/page/blocks.js";
import { metricViews } from "../report/result.js";
import { differences } from "../run/config-diff.js";
import type { RunConfig } from "../run/schema.js";
import { number } from "./comparison-blocks.js";
import type { TimedPoint } from "./outcome.js";
import { differencesTable, nonDefaults, settingsLines, valueShown } from "./settings.js";

/** What is known of a group of a run. */
export interface GroupFacts {
  readonly group: number;
  readonly curve: readonly TimedPoint[];
  /** How far the group's predictions are from those of its teachers, by step. */
  readonly teacherDistance: readonly { readonly step: number; readonly value: number }[];
}

/** What is known of a run. */
export interface RunFacts {
  /** As its report calls it: the path of its folder. */
  readonly name: string;
  readonly config: RunConfig;
  /** Null of a run that has not been scored. */
  readonly result: RunResult | null;
  readonly groups: readonly GroupFacts[];
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number } | null;
  /** Warnings, deaths, restarts and the like, in order, in sentences. */
  readonly troubles: readonly string[];
  readonly seconds: number;
  readonly machine: string;
  readonly made: string;
}

/** The most groups whose lines can be told apart in a chart, and the most troubles that are listed. */
const MOST_LINES = 8;
const MOST_TROUBLES = 40;

/** The report of one run. */
export function runPage(facts: RunFacts): Page {
  const { config, result, groups, troubles, name } = facts;
  const own = nonDefaults(config);
  const lines = groups.slice(0, MOST_LINES);
  const dropped =
    groups.length > lines.length ? ` The first ${lines.length} of ${groups.length} groups are drawn.` : "";
  return {
    title: `${config.name}: ${result ? "result" : "state"} of a run`,
    made: facts.made,
    coloured: groups.map(({ group }) => `group ${group}`),
    blocks: [
      heading("What was asked"),
      text(
        `${config.numGroups === 1 ? "One group" : `${count(config.numGroups)} groups`} (algorithm "${config.algorithm.kind}") trained ${count(config.numSteps)} steps of ${count(config.globalBatchSize)} examples. What ships was fixed before: group ${result?.shippedGroup ?? 0}, with its params of the best validation. The run took ${duration(facts.seconds)}.`,
      ),
      heading("Result"),
      ...(result ? resultBlocks(result) : [text("The run has not been scored on its test split yet.")]),
      heading("Course"),
      ...curveBlocks(lines, result?.lossName ?? "loss", dropped),
      ...distanceBlocks(lines, dropped),
      heading("What happened on the way"),
      ...(troubles.length === 0
        ? [text("No warning, no step that was left out, no restart, no teacher that was set aside.")]
        : [
            list(troubles.slice(0, MOST_TROUBLES)),
            ...(troubles.length > MOST_TROUBLES
              ? [text(`And ${count(troubles.length - MOST_TROUBLES)} more in the logs.`)]
              : []),
          ]),
      heading("What this does not show"),
      list([
        "One run says nothing of chance: another seed gives other figures. codistill compare trains several seeds, and gives intervals.",
        "The test split was scored once, with params that validation chose. Figures that were looked at before a setting was chosen are too good.",
        ...(config.numGroups > 1
          ? ["Groups of one run are not independent of one another: their spread is no measure of chance."]
          : []),
      ]),
      heading("Configuration and data"),
      ...dataBlocks(facts),
      code(settingsLines(config)),
      ...(own.length === 0
        ? [text("All other options have their defaults.")]
        : [differencesTable("Options that are not the defaults", own, ["default", "here"])]),
      heading("Machine and commands"),
      text(facts.machine),
      code(`codistill train ${name}/config.json\ncodistill report ${name}`),
    ],
  };
}

function dataBlocks({ rows }: Pick<RunFacts, "rows">): Block[] {
  if (rows === null) return [];
  const { train, validation, test } = rows;
  return [
    text(`Rows or documents: ${count(train)} of training, ${count(validation)} of validation, ${count(test)} of test.`),
  ];
}

/** The test metrics of some records that any of them has. */
function metricColumns(all: readonly TestMetrics[]) {
  return Object.entries(metricViews).flatMap(([metric, { title, show }]) => {
    const key = `test${metric.slice(0, 1).toUpperCase()}${metric.slice(1)}` as keyof TestMetrics;
    return all.some((one) => typeof one[key] === "number") ? [{ key, title, show }] : [];
  });
}

const cellOf = (value: unknown, show: (value: number) => string): Cell =>
  typeof value === "number" ? { text: show(value), value } : "";

function resultBlocks(result: RunResult): Block[] {
  const { groups, ensemble, yardsticks = [], remarks = [], lossName = "log loss" } = result;
  const columns = metricColumns([...groups, ...yardsticks, ...(ensemble ? [ensemble] : [])]);
  const metrics = (of: TestMetrics) => columns.map(({ key, show }) => cellOf(of[key], show));
  const empty = ["", "", "", ""];
  const rows: Cell[][] = [
    ...groups.map((one) => [
      `group ${one.group}${one.group === result.shippedGroup ? ", ships" : ""}`,
      cellOf(one.testLoss, number),
      ...metrics(one),
      cellOf(one.step, count),
      cellOf(one.stepsPerSecond, (value) => value.toFixed(1)),
      cellOf(one.bytesPublished + one.bytesFetched, bytes),
      one.ended,
    ]),
    ...(ensemble
      ? [["ensemble of the groups", cellOf(ensemble.testLoss, number), ...metrics(ensemble), ...empty]]
      : []),
    ...yardsticks.map((one) => [one.name, cellOf(one.testLoss, number), ...metrics(one), ...empty]),
  ];
  return [
    {
      kind: "table",
      caption: `On the test split, ${count(result.testRows)} rows or documents; ${lossName} as loss`,
      head: [
        "",
        `test ${lossName}`,
        ...columns.map(({ title }) => title),
        "at step",
        "steps/s",
        "sent and fetched",
        "ended",
      ],
      rows,
    },
    ...(remarks.length > 0 ? [list(remarks)] : []),
  ];
}

const finite = (points: readonly LinePoint[]) => points.filter(({ y }) => Number.isFinite(y));

function curveBlocks(groups: readonly GroupFacts[], lossName: string, dropped: string): Block[] {
  const series = groups
    .map(({ group, curve }) => ({
      name: `group ${group}`,
      points: finite(curve.map(({ step, loss }) => ({ x: step, y: loss }))),
    }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return [text("No group has come to a validation yet.")];
  const ends = series.map(({ name, points }) => `${name} ends at ${number(points.at(-1)?.y ?? Number.NaN)}`);
  return [
    {
      kind: "lines",
      title: "Validation loss over steps",
      note: `One line for each group; a single run has no spread to show.${dropped}`,
      alt: `${ends.join("; ")}.`,
      x: "optimizer step",
      y: `validation loss (${lossName})`,
      series,
    },
  ];
}

function distanceBlocks(groups: readonly GroupFacts[], dropped: string): Block[] {
  const series = groups
    .map(({ group, teacherDistance }) => ({
      name: `group ${group}`,
      points: finite(teacherDistance.map(({ step, value }) => ({ x: step, y: value }))),
    }))
    .filter(({ points }) => points.length > 1);
  if (series.length === 0) return [];
  return [
    {
      kind: "lines",
      title: "Distance from the teachers",
      note: `Mean absolute difference between the predictions of a group and those of its teachers, on its own batches: it falls as groups grow alike.${dropped}`,
      alt: `${series.map(({ name, points }) => `${name} ends at ${number(points.at(-1)?.y ?? Number.NaN)}`).join("; ")}.`,
      x: "optimizer step",
      y: "mean absolute difference",
      series,
    },
  ];
}

/** The report of several runs, with what their configurations differ in. */
export function runsPage(runs: readonly RunFacts[], made: string, machine: string): Page {
  const scored = runs.flatMap(({ name, result }) => {
    const shipped = result?.groups.find(({ group }) => group === result.shippedGroup);
    return result && shipped ? [{ name, result, shipped }] : [];
  });
  const columns = metricColumns(scored.map(({ shipped }) => shipped));
  const series = runs
    .map(({ name, groups, result }) => {
      const shipped = groups.find(({ group }) => group === (result?.shippedGroup ?? 0)) ?? groups[0];
      return { name, points: finite((shipped?.curve ?? []).map(({ step, loss }) => ({ x: step, y: loss }))) };
    })
    .filter(({ points }) => points.length > 0);
  const names = [...new Set(scored.map(({ result }) => result.lossName ?? "log loss"))];
  return {
    title: `${count(runs.length)} runs side by side`,
    made,
    coloured: runs.map(({ name }) => name),
    blocks: [
      heading("Result"),
      {
        kind: "table",
        caption: `On the test split, by the group that ships; losses are ${names.join(", ") || "not known"}`,
        head: [
          "run",
          "test loss",
          ...columns.map(({ title }) => title),
          "test rows",
          "at step",
          "steps",
          "groups",
          "time",
        ],
        rows: runs.map(({ name, config, seconds }) => {
          const own = scored.find((one) => one.name === name);
          return [
            name,
            cellOf(own?.shipped.testLoss, number),
            ...columns.map(({ key, show }) => cellOf(own?.shipped[key], show)),
            cellOf(own?.result.testRows, count),
            cellOf(own?.shipped.step, count),
            cellOf(config.numSteps, count),
            cellOf(config.numGroups, count),
            cellOf(seconds, duration),
          ];
        }),
      },
      ...(series.length === 0
        ? []
        : [
            {
              kind: "lines" as const,
              title: "Validation loss over steps",
              note: "Of the group that ships of each run; single runs have no spread to show.",
              alt: `${series.map(({ name, points }) => `${name} ends at ${number(points.at(-1)?.y ?? Number.NaN)}`).join("; ")}.`,
              x: "optimizer step",
              y: `validation loss${names.length === 1 ? ` (${names[0]})` : ""}`,
              series: series.slice(0, MOST_LINES),
            },
          ]),
      heading("What their configurations differ in"),
      ...configurationBlocks(runs),
      heading("What this does not show"),
      list([
        "Single runs say nothing of chance: a difference may be one of seeds. codistill compare trains both over several seeds, and gives intervals.",
        "Runs on other data, or with another split, have other test rows: their losses cannot be compared.",
        "Runs that were chosen for this page because of their test figures look better than they are.",
      ]),
      heading("Machine and commands"),
      text(machine),
      code(`codistill report ${runs.map(({ name }) => name).join(" ")}`),
    ],
  };
}

function configurationBlocks(runs: readonly RunFacts[]): Block[] {
  const [first] = runs;
  if (!first) return [];
  const found = runs.map(({ config }) => differences(first.config, config));
  const paths = [...new Set(found.flat().map(({ path }) => path))];
  if (paths.length === 0) return [text("In nothing.")];
  const values = (path: string) => {
    const before = found.flat().find((one) => one.path === path)?.before;
    return found.map((own) => valueShown((own.find((one) => one.path === path) ?? { now: before }).now));
  };
  return [
    {
      kind: "table",
      caption: "Options that are not the same in all runs",
      head: ["option", ...runs.map(({ name }) => name)],
      rows: paths.map((path) => [path, ...values(path)]),
    },
  ];
}
