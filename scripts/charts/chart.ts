/** What a chart shows, as data: lines, with bands where a spread is known. */
import { DataError } from "../../src/errors.js";

export interface Point {
  readonly x: number;
  readonly y: number;
  /** The ends of the band here, low <= y <= high; of a series, every point has both or none has any. */
  readonly low?: number;
  readonly high?: number;
}

/** A line through points from left to right. */
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Axis {
  /** What it measures, and the unit in brackets where there is one, as "validation loss (nats)". */
  readonly title: string;
  /** Equal distances for equal ratios; everything on it must be above 0. */
  readonly isLog?: boolean;
  /** What stands at 1, 2, 3, ... in place of numbers: the kinds of something, on an axis that has no others. */
  readonly labels?: readonly string[];
}

export interface Panel {
  readonly title: string;
  /** A line below the title, in smaller letters. */
  readonly subtitle?: string;
  readonly series: readonly Series[];
}

/** Panels of equal size on common axes, in which a series of the same name has the same colour. */
export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly panels: readonly Panel[];
  /** How many panels stand in a row; all by default. */
  readonly columns?: number;
  /** Of a panel, in pixels; 560 by 320 by default. */
  readonly width?: number;
  readonly height?: number;
}

/**
 * Colours that people with any kind of colour vision can tell apart (Okabe and Ito 2008), without the yellow, which is too
 * light for a line on white; each with a dash of its own, as lines also differ in print. The first series has the first.
 */
export const styles: readonly { readonly colour: string; readonly dash: readonly number[] }[] = [
  { colour: "#0072b2", dash: [] },
  { colour: "#d55e00", dash: [7, 3] },
  { colour: "#009e73", dash: [2, 2] },
  { colour: "#cc79a7", dash: [7, 3, 2, 3] },
  { colour: "#56b4e9", dash: [11, 3] },
  { colour: "#e69f00", dash: [4, 2] },
  { colour: "#000000", dash: [1, 3] },
];

/** The names of all series, in the order in which they come up. */
export function seriesNames({ panels }: Chart): string[] {
  return [...new Set(panels.flatMap(({ series }) => series.map(({ name }) => name)))];
}

/**
 * Check that a chart can be drawn and read.
 *
 * Throws {@link DataError} without a panel, series, point, name or title, for more series than there are colours, for numbers
 * that are not finite or, on a logarithmic axis, not above 0, for points out of order, and for a band that is not about its
 * line.
 */
export function checkChart(chart: Chart): void {
  const texts = { title: chart.title, "x.title": chart.x.title, "y.title": chart.y.title };
  for (const [what, text] of Object.entries(texts))
    if (text.trim() === "")
      throw new DataError(`chart: ${what} must say something, got ""; name what is drawn, with units`);
  if (chart.panels.length === 0) throw new DataError("chart: there must be a panel, got none; give it what to draw");
  const names = seriesNames(chart);
  if (names.length > styles.length) {
    throw new DataError(
      `chart: at most ${styles.length} series can be told apart, got ${names.length} (${names.join(", ")}); ` +
        "draw fewer, or more charts",
    );
  }
  for (const panel of chart.panels) checkPanel(chart, panel);
}

function checkPanel(chart: Chart, { title, series }: Panel): void {
  const where = title ? `chart "${title}"` : "chart";
  if (series.length === 0) throw new DataError(`${where}: there must be a series, got none; leave the panel out`);
  for (const [i, { name, points }] of series.entries()) {
    if (name.trim() === "") throw new DataError(`${where}: series ${i} must have a name, got ""; the legend shows it`);
    if (series.findIndex((other) => other.name === name) !== i)
      throw new DataError(`${where}: two series are named "${name}"; give each its own name`);
    checkPoints(chart, `${where}, series "${name}"`, points);
  }
}

function checkPoints({ x, y }: Chart, where: string, points: readonly Point[]): void {
  if (points.length === 0)
    throw new DataError(`${where}: there must be a point, got none; leave out a series that was not measured`);
  const hasBand = isBanded(points);
  for (const [i, point] of points.entries()) {
    const values = { x: point.x, y: point.y, ...(hasBand && { low: point.low, high: point.high }) };
    for (const [name, value = Number.NaN] of Object.entries(values)) {
      const at = `${where}: ${name} of point ${i}`;
      if (!Number.isFinite(value))
        throw new DataError(`${at} must be a finite number, got ${value}; leave out what was not measured or diverged`);
      if ((name === "x" ? x : y).isLog && value <= 0)
        throw new DataError(
          `${at} must be above 0 on a logarithmic axis, got ${value}; leave it out or take a linear axis`,
        );
    }
    const before = points[i - 1];
    if (before && before.x >= point.x)
      throw new DataError(
        `${where}: x must rise from point to point, got ${before.x} and then ${point.x}; sort the points`,
      );
    const { y: middle, low = middle, high = middle } = point;
    if (low > middle || high < middle)
      throw new DataError(`${where}: the band of point ${i} must be about y = ${middle}, got ${low} to ${high}`);
  }
}

/** Whether a band is drawn: as soon as one point has an end of it, all must have both. */
export function isBanded(points: readonly Point[]): boolean {
  return points.some(({ low, high }) => low !== undefined || high !== undefined);
}
