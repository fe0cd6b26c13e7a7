/** Charts to SVG, drawn by Vega. */

import type { Axis as AxisSpec, Mark, Scale, Spec } from "vega";
import * as vega from "vega";
import { type Axis, type Chart, checkChart, isBanded, type Panel, type Series, seriesNames, styles } from "./chart.js";

/** Between panels, in pixels: to the right, and below, with room for the titles of the next. */
const GAP = { x: 40, y: 64 };

const INK = "#222222";

/** Fonts that are there, and letters that can be read where a page is 700 pixels wide. */
const config = {
  font: "Helvetica, Arial, 'Liberation Sans', sans-serif",
  title: { fontSize: 16, color: INK, anchor: "start", offset: 10, limit: 0 },
  axis: {
    labelFontSize: 12,
    titleFontSize: 13,
    titleFontWeight: "normal",
    titlePadding: 8,
    labelColor: INK,
    titleColor: INK,
    domainColor: "#888888",
    tickColor: "#888888",
    gridColor: "#e4e4e4",
    labelLimit: 0,
    titleLimit: 0,
  },
  legend: {
    labelFontSize: 13,
    labelColor: INK,
    symbolSize: 500,
    columnPadding: 16,
    symbolStrokeWidth: 2,
    offset: 12,
    labelLimit: 0,
  },
} as const;

/** A chart of one panel without a title of its own. */
export function lineChart({
  series,
  ...chart
}: Omit<Chart, "panels" | "columns"> & Pick<Panel, "series">): Promise<string> {
  return renderChart({ ...chart, panels: [{ title: "", series }] });
}

/**
 * A chart as SVG: the same text for the same chart, on any machine.
 *
 * Throws {@link DataError} where {@link checkChart} does.
 */
export async function renderChart(chart: Chart): Promise<string> {
  checkChart(chart);
  const view = new vega.View(vega.parse(specOf(chart)), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}

function specOf(chart: Chart): Spec {
  const { title, x, y, panels, width = 560, height = 320, columns = panels.length } = chart;
  const names = seriesNames(chart);
  const all = panels.flatMap(({ series }) => series.flatMap(({ points }) => points));
  const hasSubtitles = panels.some(({ subtitle }) => subtitle);
  const xs = all.map((point) => point.x);
  const ys = all.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]);
  return {
    description: `${title}. ${x.title} against ${y.title}.`,
    background: "white",
    padding: 12,
    autosize: "pad",
    config,
    title: { text: title },
    scales: [
      scaleOf("x", x, xs, [0, width]),
      scaleOf("y", y, ys, [height, 0]),
      { name: "colour", type: "ordinal", domain: names, range: styles.map(({ colour }) => colour) },
      { name: "dash", type: "ordinal", domain: names, range: styles.map(({ dash }) => [...dash]) },
    ],
    legends: [
      {
        stroke: "colour",
        strokeDash: "dash",
        symbolType: "stroke",
        orient: "top",
        direction: "horizontal",
        columns: Math.max(1, Math.floor((columns * (width + GAP.x)) / legendEntryWidth(names))),
      },
    ],
    marks: panels.map((panel, i) => {
      const isLeft = i % columns === 0;
      // The lowest of its column.
      const isLowest = i + columns >= panels.length;
      const place = { x: (i % columns) * (width + GAP.x), y: Math.floor(i / columns) * (height + GAP.y) };
      return panelOf(panel, { ...place, width, height }, headingsOf(panel, hasSubtitles), [
        ...axesOf("x", x, isLowest, Math.max(3, Math.round(width / 80))),
        ...axesOf("y", y, isLeft, Math.max(3, Math.round(height / 50))),
      ]);
    }),
  };
}

/** Of a letter, as a share of the size of its font: about that of wide fonts, so that nothing is cut or overlaps. */
const LETTER_WIDTH = 0.62;

// Vega would measure letters where a canvas happens to be installed and else take them for wider than any; this is its hook
// for other widths, which its types leave out. It makes a chart the same everywhere.
const { textMetrics } = vega as unknown as { textMetrics: { width: (item: TextItem, text: unknown) => number } };
textMetrics.width = ({ fontSize = 11 }, text) => Math.round(`${text ?? ""}`.length * fontSize * LETTER_WIDTH);

interface TextItem {
  readonly fontSize?: number;
}

/** Of a name in the legend with its line, in pixels. */
function legendEntryWidth(names: readonly string[]): number {
  return Math.max(...names.map(({ length }) => length)) * config.legend.labelFontSize * LETTER_WIDTH + 55;
}

function scaleOf(name: "x" | "y", { isLog = false }: Axis, values: readonly number[], range: [number, number]): Scale {
  // Not spread into arguments, of which there may only be so many.
  const [least, most] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
  // What never changes is drawn in the middle of an axis of some length.
  const room = isLog ? least / 2 : Math.abs(least) / 2 || 0.5;
  const [from, to] = least < most ? [least, most] : [least - room, most + room];
  const ends = { name, domain: [from, to], range, nice: name === "y" };
  return isLog ? { ...ends, type: "log" } : { ...ends, type: "linear", zero: false };
}

/** The grid, and over it the line, with labels where nothing stands between it and the edge of the chart. */
function axesOf(
  scale: "x" | "y",
  { title, isLog = false, labels }: Axis,
  isLabelled: boolean,
  tickCount: number,
): AxisSpec[] {
  const shared = {
    scale,
    orient: scale === "x" ? "bottom" : "left",
    tickCount,
    ...(labels && { values: labels.map((_, i) => i + 1) }),
  } as const;
  return [
    { ...shared, grid: true, domain: false, labels: false, ticks: false },
    {
      ...shared,
      labels: isLabelled,
      ticks: isLabelled,
      labelOverlap: true,
      ...(isLabelled && { title }),
      ...(isLog && { format: ",~g" }),
      ...(labels && {
        encode: { labels: { update: { text: { signal: `${JSON.stringify(labels)}[datum.value - 1]` } } } },
      }),
    },
  ];
}

function panelOf(
  { series }: Panel,
  box: Readonly<Record<"x" | "y" | "width" | "height", number>>,
  headings: readonly Mark[],
  axes: AxisSpec[],
): Mark {
  const place = Object.fromEntries(Object.entries(box).map(([name, value]) => [name, { value }]));
  return {
    type: "group",
    encode: { update: place },
    // By these names an axis knows how long its grid lines are.
    signals: [
      { name: "width", value: box.width },
      { name: "height", value: box.height },
    ],
    axes,
    data: series.map(({ points }, i) => ({ name: `points ${i}`, values: points.map((point) => ({ ...point })) })),
    // Lines after all bands, which would cover them.
    marks: [
      ...headings,
      ...series.flatMap((one, i) => bandOf(one, `points ${i}`)),
      ...series.map((one, i) => lineOf(one, `points ${i}`)),
    ],
  };
}

function lineOf({ name, points }: Series, data: string): Mark {
  const [x, y] = [at("x", "x"), at("y", "y")];
  const colour = { scale: "colour", value: name };
  // A line through one point is none.
  if (points.length === 1)
    return { type: "symbol", from: { data }, encode: { update: { x, y, fill: colour, size: { value: 40 } } } };
  const strokes = { stroke: colour, strokeDash: { scale: "dash", value: name }, strokeWidth: { value: 2 } };
  return { type: "line", from: { data }, encode: { update: { x, y, ...strokes } } };
}

function bandOf({ name, points }: Series, data: string): Mark[] {
  if (!isBanded(points)) return [];
  const ends = { x: at("x", "x"), y: at("y", "low"), y2: at("y", "high") };
  const fill = { fill: { scale: "colour", value: name }, fillOpacity: { value: 0.18 } };
  return [{ type: "area", from: { data }, encode: { update: { ...ends, ...fill } } }];
}

/** The title of a panel, and below it the subtitle, for which there is room in all panels where one has it. */
function headingsOf({ title, subtitle = "" }: Panel, hasSubtitles: boolean): Mark[] {
  const line = (text: string, y: number, style: object): Mark => ({
    type: "text",
    encode: { enter: { text: { value: text }, y: { value: y }, ...style } },
  });
  return [
    line(title, hasSubtitles ? -24 : -8, {
      fontSize: { value: 13 },
      fontWeight: { value: "bold" },
      fill: { value: INK },
    }),
    line(subtitle, -8, { fontSize: { value: 12 }, fill: { value: "#555555" } }),
  ].filter((_, i) => [title, subtitle][i]);
}

const at = (scale: "x" | "y", field: string) => ({ scale, field });
