import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { DataError } from "../../src/errors.js";
import type { Chart, Point, Series } from "./chart.js";
import { lineChart, renderChart } from "./render.js";
import { NUM_STEPS, schedulesChart, thinned } from "./schedules.js";

const line = (name: string, ...ys: readonly number[]): Series => ({ name, points: ys.map((y, x) => ({ x, y })) });
const banded: Series = {
  name: "codistilled <2 groups>",
  points: [
    { x: 0, y: 2, low: 1, high: 4 },
    { x: 10, y: 3, low: 2, high: 3 },
  ],
};
const axes = { title: "Loss & steps", x: { title: "optimizer step" }, y: { title: "validation loss (nats)" } };

/** The paths of the marks of a kind. */
function pathsOf(svg: string, kind: "line" | "area"): string[] {
  const marks = svg.matchAll(new RegExp(`class="mark-${kind} role-mark[^"]*"[^>]*><path[^>]* d="([^"]*)"`, "g"));
  return [...marks].map(([, path = ""]) => path);
}

test("a chart shows its titles, names and colours", async () => {
  const svg = await lineChart({ ...axes, series: [line("baseline", 4, 2, 1), banded] });
  for (const text of [
    "Loss &amp; steps",
    "optimizer step",
    "validation loss (nats)",
    "baseline",
    "codistilled &lt;2 groups&gt;",
  ])
    assert.ok(svg.includes(`>${text}</text>`), text);
  for (const colour of ["#0072b2", "#d55e00"]) assert.ok(svg.includes(`stroke="${colour}"`), colour);
  assert.match(svg, /^<svg /);
  assert.ok(svg.endsWith("</svg>\n"));
});

test("lines and bands go through their points", async () => {
  const svg = await lineChart({
    ...axes,
    width: 100,
    height: 50,
    series: [line("a", 0, 5, 10), { ...banded, name: "b" }],
  });
  assert.deepEqual(pathsOf(svg, "line"), ["M0,50L10,25L20,0", "M0,40L100,35"]);
  // Above, and back below.
  assert.deepEqual(pathsOf(svg, "area"), ["M0,45L100,40L100,35L0,30Z"]);
});

test("on logarithmic axes equal ratios are equal distances", async () => {
  const points = [1, 10, 100].map((x) => ({ x, y: 1 / x }));
  const logs = { title: "logs", x: { title: "step", isLog: true }, y: { title: "loss", isLog: true } };
  const svg = await lineChart({ ...logs, width: 100, height: 50, series: [{ name: "a", points }] });
  assert.deepEqual(pathsOf(svg, "line"), ["M0,0L50,25L100,50"]);
});

test("an axis of kinds has their names, each at its place, and no numbers", async () => {
  const points = [1, 2, 3].map((x) => ({ x, y: 0.5 }));
  const x = { title: "kinds", labels: ["one's own", "both", 'the "last"'] };
  const svg = await lineChart({ ...axes, x, width: 300, series: [{ name: "a", points }] });
  const axis = svg.slice(svg.indexOf("role-axis-label"), svg.indexOf("role-axis-title"));
  const labels = [...axis.matchAll(/translate\((\d+),[^>]*>([^<]*)<\/text>/g)].map(([, at, text]) => [
    Number(at),
    text,
  ]);
  assert.deepEqual(labels.slice(0, 3), [
    [0, "one's own"],
    [150, "both"],
    [300, 'the "last"'],
  ]);
});

test("a single point, and a line that never changes, are there", async () => {
  const one = await lineChart({ ...axes, series: [line("a", 3)] });
  assert.match(one, /class="mark-symbol role-mark"/);
  const flat = await lineChart({ ...axes, width: 100, height: 50, series: [line("a", 0.001, 0.001)] });
  assert.deepEqual(pathsOf(flat, "line"), ["M0,25L100,25"]);
});

test("panels have their titles, and a series of the same name the same colour", async () => {
  const panels = ["left", "right"].map((title) => ({ title, subtitle: `on the ${title}`, series: [line("a", 1, 2)] }));
  const svg = await renderChart({
    ...axes,
    panels: [...panels, { title: "below", series: [line("b", 2, 1)] }],
    columns: 2,
  });
  for (const text of ["left", "right", "below", "on the left"]) assert.ok(svg.includes(`>${text}</text>`), text);
  const strokes = [...svg.matchAll(/class="mark-line role-mark[^"]*"[^>]*><path[^>]* stroke="([^"]*)"/g)].map(
    ([, c]) => c,
  );
  assert.deepEqual(strokes, ["#0072b2", "#0072b2", "#d55e00"]);
});

test("the same chart is the same text, whatever was drawn before or meanwhile", async () => {
  const chart = { ...axes, series: [line("baseline", 4, 2, 1), banded] };
  const first = await lineChart(chart);
  const [second, , third] = await Promise.all([
    lineChart(chart),
    lineChart({ ...chart, title: "another" }),
    lineChart(chart),
  ]);
  assert.equal(second, first);
  assert.equal(third, first);
});

describe("what cannot be drawn is refused", () => {
  const of = (...points: readonly Point[]): Partial<Chart> => ({
    panels: [{ title: "p", series: [{ name: "s", points }] }],
  });
  const refusals: readonly (readonly [what: string, chart: Partial<Chart>, message: RegExp])[] = [
    ["no panel", { panels: [] }, /there must be a panel, got none; give/],
    ["no series", { panels: [{ title: "p", series: [] }] }, /chart "p": there must be a series, got none; leave/],
    ["no points", of(), /chart "p", series "s": there must be a point, got none; leave out/],
    ["NaN", of({ x: 0, y: 1 }, { x: 1, y: Number.NaN }), /y of point 1 must be a finite number, got NaN; leave out/],
    ["infinity", of({ x: Number.POSITIVE_INFINITY, y: 1 }), /x of point 0 must be a finite number, got Infinity/],
    [
      "a band with NaN",
      of({ x: 0, y: 1, low: Number.NaN, high: 2 }),
      /low of point 0 must be a finite number, got NaN/,
    ],
    ["half a band", of({ x: 0, y: 1, low: 0, high: 2 }, { x: 1, y: 1, low: 0 }), /high of point 1 must be .*, got NaN/],
    ["a band beside its line", of({ x: 0, y: 1, low: 2, high: 3 }), /band of point 0 must be about y = 1, got 2 to 3/],
    [
      "points out of order",
      of({ x: 3, y: 1 }, { x: 3, y: 2 }),
      /x must rise from point to point, got 3 and then 3; sort/,
    ],
    [
      "0 on a logarithmic axis",
      { ...of({ x: 1, y: 0 }), y: { title: "loss", isLog: true } },
      /y of point 0 must be above 0 on a logarithmic axis, got 0; leave it out or/,
    ],
    ["no axis title", { x: { title: " " } }, /x.title must say something, got ""; name what is drawn, with units/],
    ["no series name", { panels: [{ title: "p", series: [line("", 1)] }] }, /series 0 must have a name, got ""/],
    [
      "a name twice",
      { panels: [{ title: "p", series: [line("a", 1), line("a", 2)] }] },
      /two series are named "a"; give/,
    ],
    [
      "more series than colours",
      { panels: [{ title: "p", series: [..."abcdefgh"].map((name) => line(name, 1)) }] },
      /at most 7 series can be told apart, got 8 \(a, b, .*h\); draw fewer/,
    ],
  ];
  for (const [what, chart, message] of refusals) {
    test(what, () =>
      assert.rejects(
        renderChart({ ...axes, panels: [{ title: "p", series: [line("a", 1)] }], ...chart }),
        (error) => error instanceof DataError && message.test(error.message),
      ),
    );
  }
});

describe("the chart of schedules", () => {
  const { panels } = schedulesChart();
  const ends = (title: string) =>
    panels
      .find((panel) => panel.title === title)
      ?.series.map(({ points }) => [points[0], points.at(-1)].map((point) => point?.y ?? Number.NaN)) ?? [];

  test("has the first and last value of each, without and with a warm-up", () => {
    const expected: Readonly<Record<string, readonly [plain: readonly number[], warmed: readonly number[]]>> = {
      constant: [
        [1, 1],
        [0, 1],
      ],
      linear: [
        [1, 0],
        [0, 0],
      ],
      cosine: [
        [1, 0],
        [0, 0],
      ],
      step: [
        [1, 0.01],
        [0, 0.01],
      ],
      exponential: [
        [1, 2 ** -10],
        [0, 2 ** -9],
      ],
      inverseSquareRoot: [
        [1, Math.sqrt(100 / 1001)],
        [0, Math.sqrt(100 / 901)],
      ],
      oneCycle: [
        [0.04, 4e-6],
        [0, 4e-6],
      ],
    };
    assert.deepEqual(
      panels.map(({ title }) => title),
      Object.keys(expected),
    );
    for (const [title, pairs] of Object.entries(expected)) {
      for (const [i, pair] of pairs.entries())
        for (const [j, value] of pair.entries())
          assert.ok(Math.abs((ends(title)[i]?.[j] ?? Number.NaN) - value) < 1e-12, `${title}: ${ends(title)}`);
    }
    for (const { series } of panels) for (const { points } of series) assert.equal(points.at(-1)?.x, NUM_STEPS);
  });

  test("is the one in docs; npm run plot:schedules draws it again", async () => {
    const committed = readFileSync(new URL("../../../docs/schedules.svg", import.meta.url), "utf8");
    assert.equal(await renderChart(schedulesChart()), committed);
  });
});

test("a thinned line passes all points that it leaves out", () => {
  const ys = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(ys, fc.constantFrom(1, 1e-3), (values, scale) => {
      const points = values.map((y, x) => ({ x, y: y * scale }));
      const kept = thinned(points);
      assert.deepEqual([kept[0], kept.at(-1)], [points[0], points.at(-1)]);
      for (const { x, y } of points) {
        const right = kept.find((point) => point.x >= x) as Point;
        const left = kept.findLast((point) => point.x <= x) as Point;
        const share = right.x === left.x ? 0 : (x - left.x) / (right.x - left.x);
        assert.ok(Math.abs(left.y + share * (right.y - left.y) - y) <= 5.0001e-4);
      }
    }),
  );
});
