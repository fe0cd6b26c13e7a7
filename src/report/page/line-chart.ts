/** Lines over a common axis, as SVG. */
import type { LineChart, LinePoint } from "./blocks.js";
import { element, escapeMarkup, type Look, label, line, round, type Scale, scaleOf } from "./svg.js";

const WIDTH = 720;
const HEIGHT = 360;
const EDGE = { left: 70, right: 16, top: 12, bottom: 50 };

/** The first validations lie far above the others, and would flatten what is to be seen: the height is that of points from here on. */
const SHOWN_FROM = 0.2;
/** Of a line so many points have a whisker, at steps of their own for each line: bands would cover one another. */
const WHISKERS = 4;

/** The drawing; `id` is that of the chart on its page, `lookOf` the look of a line by its name. */
export function lineChart(chart: LineChart, id: string, lookOf: (name: string) => Look): string {
  const points = chart.series.flatMap((one) => one.points);
  const xs = points.map(({ x }) => x);
  const [from, to] = [Math.min(...xs), Math.max(...xs)];
  const late = points.filter(({ x }) => x >= SHOWN_FROM * to);
  const ys = late.flatMap(({ y, low = y, high = y }) => [y, low, high]).filter(Number.isFinite);
  const inner = { right: WIDTH - EDGE.right, bottom: HEIGHT - EDGE.bottom };
  const x = scaleOf([Math.min(0, from), to], [EDGE.left, inner.right], { about: 7 });
  const y = scaleOf([Math.min(...ys), Math.max(...ys)], [inner.bottom, EDGE.top], { about: 6, around: true });
  const clip = `${id}-clip`;
  const frame = { x: EDGE.left, y: EDGE.top, width: inner.right - EDGE.left + 8, height: inner.bottom - EDGE.top };
  const drawn = chart.series.map((one, i) => seriesOf(one.points, i, lookOf(one.name), x, y)).join("");
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

function axes(
  chart: LineChart,
  x: Scale,
  y: Scale,
  inner: { readonly right: number; readonly bottom: number },
): string {
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

function seriesOf(points: readonly LinePoint[], place: number, look: Look, x: Scale, y: Scale): string {
  const shown = points.filter((point) => Number.isFinite(point.y));
  const path = shown
    .map((point, i) => `${i === 0 ? "M" : "L"}${round(x.at(point.x))} ${round(y.at(point.y))}`)
    .join("");
  const stride = Math.max(1, Math.ceil(shown.length / WHISKERS));
  const marks = shown.flatMap((point, i) => {
    const isLast = i === shown.length - 1;
    if (!isLast && i % stride !== place % stride) return [];
    const at = x.at(point.x);
    const whisker =
      point.low === undefined || point.high === undefined || !(point.high > point.low)
        ? ""
        : line(at, y.at(point.low), at, y.at(point.high), { class: `${look.colour} whisker` });
    return [whisker + look.marker(at, y.at(point.y), 3.5)];
  });
  return element("path", { class: `${look.colour} line`, d: path, "stroke-dasharray": look.dash }) + marks.join("");
}
