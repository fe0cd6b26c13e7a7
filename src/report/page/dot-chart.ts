/** Values with their intervals, one below the other, as SVG. */
import { shortened } from "../format.js";
import type { DotChart } from "./blocks.js";
import { element, escapeMarkup, type Look, label, line, scaleOf } from "./svg.js";

const WIDTH = 720;
const ROW = 34;
const EDGE = { top: 10, bottom: 50, right: 230 };
const LETTER = 7.2;
const LONGEST_NAME = 28;
/** Intervals of few seeds can be far wider than all else: of one that reaches farther than this many times the values, the end is cut. */
const MOST_ROOM = 2;

/** The drawing; `id` is that of the chart on its page, `lookOf` the look of a row by its name. */
export function dotChart(chart: DotChart, id: string, lookOf: (name: string) => Look): string {
  const names = chart.rows.map(({ name }) => shortened(name, LONGEST_NAME));
  const left = 16 + LETTER * Math.max(6, ...names.map(({ length }) => length));
  const height = EDGE.top + ROW * chart.rows.length + EDGE.bottom;
  const bottom = height - EDGE.bottom;
  const x = scaleOf(rangeOf(chart), [left, WIDTH - EDGE.right], { about: 5, around: true });
  const [first, last] = [left, WIDTH - EDGE.right];
  const rows = chart.rows.map((row, i) => {
    const y = EDGE.top + ROW * (i + 0.5);
    const look = lookOf(row.name);
    const hasInterval = Number.isFinite(row.low) && Number.isFinite(row.high);
    const [low, high] = [x.at(row.low ?? Number.NaN), x.at(row.high ?? Number.NaN)];
    const ends = hasInterval
      ? line(Math.max(first, low), y, Math.min(last, high), y, { class: `${look.colour} interval` }) +
        (low < first ? arrow(first, y, -1, look) : cap(low, y, look)) +
        (high > last ? arrow(last, y, 1, look) : cap(high, y, look))
      : "";
    const seeds = row.values.map((value) =>
      element("circle", { class: `${look.colour} seed`, cx: Math.round(10 * x.at(value)) / 10, cy: y + 9, r: 2.2 }),
    );
    return [
      label(names[i] ?? "", 4, y + 4),
      ...seeds,
      ends,
      Number.isFinite(row.value) ? look.marker(x.at(row.value), y, 4.5) : "",
      label(row.shown, last + 12, y + 4),
    ].join("");
  });
  const ticks = x.ticks.map(
    (tick) =>
      line(x.at(tick), EDGE.top, x.at(tick), bottom, { class: "grid" }) +
      label(x.show(tick), x.at(tick), bottom + 18, { "text-anchor": "middle" }),
  );
  const reference = chart.reference;
  const zero =
    reference === undefined ? "" : line(x.at(reference), EDGE.top, x.at(reference), bottom, { class: "reference" });
  return element(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-labelledby": `${id}-title ${id}-desc` },
    element("title", { id: `${id}-title` }, escapeMarkup(chart.title)) +
      element("desc", { id: `${id}-desc` }, escapeMarkup(chart.alt)) +
      ticks.join("") +
      zero +
      rows.join("") +
      label(chart.x, (first + last) / 2, height - 8, { "text-anchor": "middle", class: "name" }),
  );
}

/** The values, and the intervals as far as there is room for them. */
function rangeOf({ rows, reference }: DotChart): readonly [number, number] {
  const values = rows.flatMap(({ value, values: own }) => [value, ...own]).filter(Number.isFinite);
  const all = reference === undefined ? values : [...values, reference];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const room = MOST_ROOM * (most - least || Math.abs(most) || 1);
  const ends = rows.flatMap(({ low, high }) => [low, high]).filter((end): end is number => Number.isFinite(end));
  return [Math.max(least - room, Math.min(least, ...ends)), Math.min(most + room, Math.max(most, ...ends))];
}

const cap = (x: number, y: number, { colour }: Look) => line(x, y - 4, x, y + 4, { class: `${colour} whisker` });

/** The end of an interval that goes on outside: its tip is at the edge. */
const arrow = (x: number, y: number, way: 1 | -1, { colour }: Look) =>
  element("path", { class: `${colour} point`, d: `M${x - 6 * way} ${y - 4}L${x} ${y}L${x - 6 * way} ${y + 4}Z` });
