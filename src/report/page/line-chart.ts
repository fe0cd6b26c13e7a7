/** Lines over a common axis, as SVG. */
import { shortened } from "../format.js";
import type { LineChart, LinePoint } from "./blocks.js";
import { element, escapeMarkup, type Look, label, line, logScaleOf, round, type Scale, scaleOf } from "./svg.js";

const WIDTH = 720;
const HEIGHT = 360;
const EDGE = { left: 70, right: 26, top: 12, bottom: 50 };

/** The first validations lie far above the others, and would flatten what is to be seen: the height is that of points from here on. */
const SHOWN_FROM = 0.2;
/** Of a line so many points have a whisker, at steps of their own for each line: bands would cover one another. */
const WHISKERS = 4;
/** Pixels between the whiskers of two lines with the same places. */
const SHIFT = 3;
const LONGEST_PLACE = 16;

/** The drawing; `id` is that of the chart on its page, `lookOf` the look of a line by its name. */
export function lineChart(chart: LineChart, id: string, lookOf: (name: string) => Look): string {
  const inner = { right: WIDTH - EDGE.right, bottom: HEIGHT - EDGE.bottom };
  const points = chart.series.flatMap((one) => one.points);
  const { x, y } = chart.places
    ? scalesOfPlaces(chart.places, points, inner)
    : (chart.isLog ? logScales : scales)(points, inner);
  const hasFewPoints = chart.isLog || chart.places !== undefined;
  const clip = `${id}-clip`;
  const frame = { x: EDGE.left, y: EDGE.top, width: inner.right - EDGE.left + 8, height: inner.bottom - EDGE.top };
  const drawn = chart.series
    .map((one, i) => {
      // Of few points all have their mark, and where they are of the same places, whiskers stand side by side.
      const stride = hasFewPoints ? 1 : Math.max(1, Math.ceil(one.points.length / WHISKERS));
      return seriesOf(one.points, { stride, place: i, shift: hasFewPoints ? SHIFT * i : 0 }, lookOf(one.name), x, y);
    })
    .join("");
  return element(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-labelledby": `${id}-title ${id}-desc` },
    element("title", { id: `${id}-title` }, escapeMarkup(chart.title)) +
      element("desc", { id: `${id}-desc` }, escapeMarkup(chart.alt)) +
      element("clipPath", { id: clip }, element("rect", frame)) +
      axes(chart, x, y, inner) +
      element("g", { "clip-path": `url(#${clip})` }, drawn),
  );
}

type Inner = { readonly right: number; readonly bottom: number };
type Scales = { readonly x: Scale; readonly y: Scale };

function scales(points: readonly LinePoint[], inner: Inner): Scales {
  const xs = points.map(({ x }) => x);
  const [from, to] = [Math.min(...xs), Math.max(...xs)];
  const late = points.filter(({ x }) => x >= SHOWN_FROM * to);
  const ys = late.flatMap(({ y, low = y, high = y }) => [y, low, high]).filter(Number.isFinite);
  return {
    x: scaleOf([Math.min(0, from), to], [EDGE.left, inner.right], { about: 7 }),
    y: scaleOf([Math.min(...ys), Math.max(...ys)], [inner.bottom, EDGE.top], { about: 6, around: true }),
  };
}

/** Whiskers that reach farther than this factor beyond the values are cut: intervals of few seeds do. */
const MOST_ROOM = 2;

function logScales(points: readonly LinePoint[], inner: Inner): Scales {
  const xs = points.map(({ x }) => x);
  const values = points.map(({ y }) => y).filter(Number.isFinite);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const ends = points.flatMap(({ y, low = y, high = y }) => [low, high]).filter((end) => end > 0);
  const low = Math.max(least / MOST_ROOM, Math.min(least, ...ends) / 1.1);
  const high = Math.min(most * MOST_ROOM, Math.max(most, ...ends) * 1.1);
  return {
    x: logScaleOf([Math.min(...xs), Math.max(...xs)], [EDGE.left + 10, inner.right - 10], { base: 2 }),
    y: logScaleOf([low, high], [inner.bottom, EDGE.top], { base: 10 }),
  };
}

/** Places evenly apart, with their names in place of numbers. */
function scalesOfPlaces(places: readonly string[], points: readonly LinePoint[], inner: Inner): Scales {
  const room = (inner.right - EDGE.left) / places.length;
  const ys = points.flatMap(({ y, low = y, high = y }) => [y, low, high]).filter(Number.isFinite);
  return {
    x: {
      at: (value) => EDGE.left + (value + 0.5) * room,
      ticks: places.map((_, i) => i),
      show: (tick) => shortened(places[tick] ?? "", LONGEST_PLACE),
    },
    y: scaleOf([Math.min(...ys), Math.max(...ys)], [inner.bottom, EDGE.top], { about: 6, around: true }),
  };
}

function axes(chart: LineChart, x: Scale, y: Scale, inner: Inner): string {
  const rows = y.ticks.map(
    (tick) =>
      line(EDGE.left, y.at(tick), inner.right, y.at(tick), { class: "grid" }) +
      label(y.show(tick), EDGE.left - 8, y.at(tick) + 4, { "text-anchor": "end" }),
  );
  const columns = x.ticks.map(
    (tick) =>
      line(x.at(tick), inner.bottom, x.at(tick), inner.bottom + 5, { class: "axis" }) +
      label(x.show(tick), x.at(tick), inner.bottom + 19, { "text-anchor": "middle" }),
  );
  const middle = (EDGE.top + inner.bottom) / 2;
  return [
    ...rows,
    ...columns,
    line(EDGE.left, inner.bottom, inner.right, inner.bottom, { class: "axis" }),
    label(chart.x, (EDGE.left + inner.right) / 2, HEIGHT - 8, { "text-anchor": "middle", class: "name" }),
    label(chart.y, 16, middle, {
      "text-anchor": "middle",
      class: "name",
      transform: `rotate(-90 16 ${round(middle)})`,
    }),
  ].join("");
}

function seriesOf(
  points: readonly LinePoint[],
  { stride, place, shift }: { readonly stride: number; readonly place: number; readonly shift: number },
  look: Look,
  x: Scale,
  y: Scale,
): string {
  const shown = points.filter((point) => Number.isFinite(point.y));
  const path = shown
    .map((point, i) => `${i === 0 ? "M" : "L"}${round(x.at(point.x))} ${round(y.at(point.y))}`)
    .join("");
  const marks = shown.flatMap((point, i) => {
    const isLast = i === shown.length - 1;
    if (!isLast && i % stride !== place % stride) return [];
    const at = x.at(point.x);
    const whisker =
      point.low === undefined || point.high === undefined || !(point.high > point.low)
        ? ""
        : line(at + shift, y.at(point.low), at + shift, y.at(point.high), { class: `${look.colour} whisker` });
    return [whisker + look.marker(at, y.at(point.y), 3.5)];
  });
  return element("path", { class: `${look.colour} line`, d: path, "stroke-dasharray": look.dash }) + marks.join("");
}
