/** How a number is brought to a scale that a network learns from, by its quantiles. */
import { type NumberFigures, QUANTILES } from "./column.js";
import { inner, numberSql } from "./sql.js";

/** Identity; sign(x) ln(1 + |x| / scale); or the number of the bin, as a name. */
export type Transform =
  | { readonly kind: "identity" }
  | { readonly kind: "signedLog"; readonly scale: number; readonly isSigned: boolean }
  | { readonly kind: "bins"; readonly edges: readonly number[] };

/** The middle 98 % over the middle half: 3.4 for a normal distribution, 4.2 for an exponential one. */
const HEAVY_SPREAD = 6;
/** The same for logarithms, which may be heavier: their tails are only a few standard deviations away. */
const HEAVY_LOG_SPREAD = 20;
/** The whole range over its middle 98 %: about 3 for three million values of an exponential distribution. */
const HEAVY_RANGE = 6;

const BIN_EDGES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const;

/**
 * The transform that numbers need before they are standardised: (x - mean) / std says nothing of most values when a few
 * are far away. So heavy tails go through a logarithm, and numbers that are heavy even then (values that crowd at two
 * scales) become the number of their decile. Monotone functions preserve quantiles, so the figures of the numbers
 * suffice.
 */
export function transformOf(numbers: NumberFigures): Transform {
  const at = quantilesOf(numbers);
  if (!isHeavy(at, numbers.min, numbers.max, HEAVY_SPREAD)) return { kind: "identity" };
  const scale = scaleOf(numbers);
  const log = (x: number) => Math.sign(x) * Math.log1p(Math.abs(x) / scale);
  const logs = (share: (typeof QUANTILES)[number]) => log(at(share));
  const edges = [...new Set(BIN_EDGES.map((share) => Number(at(share).toPrecision(3))))];
  if (isHeavy(logs, log(numbers.min), log(numbers.max), HEAVY_LOG_SPREAD) && edges.length >= 4)
    return { kind: "bins", edges };
  return { kind: "signedLog", scale, isSigned: numbers.min < 0 };
}

/** The transform of an expression as SQL. A missing value stays missing. */
export function transformSql(transform: Transform, sql: string): string {
  const x = inner(sql);
  switch (transform.kind) {
    case "identity":
      return sql;
    case "signedLog": {
      const size = transform.isSigned ? `abs(${sql})` : x;
      const log = `ln(1 + ${size}${transform.scale === 1 ? "" : ` / ${numberSql(transform.scale)}`})`;
      return transform.isSigned ? `sign(${sql}) * ${log}` : log;
    }
    case "bins": {
      const cases = transform.edges.map((edge, bin) => `when ${x} < ${numberSql(edge)} then ${bin}`);
      return `case ${cases.join(" ")} when ${x} is not null then ${transform.edges.length} end`;
    }
  }
}

function isHeavy(at: (share: (typeof QUANTILES)[number]) => number, min: number, max: number, most: number): boolean {
  const spread = at(0.99) - at(0.01);
  const middle = at(0.75) - at(0.25);
  if (spread === 0) return max > min;
  return spread > most * middle || max - min > HEAVY_RANGE * spread;
}

/** A power of ten near the size of a usual value: below it the logarithm is nearly a line. 1 for sizes of 1 to 1,000. */
function scaleOf(numbers: NumberFigures): number {
  const sizes = numbers.quantiles.map(Math.abs).filter((size) => size > 0);
  const usual = sizes.sort((a, b) => a - b)[Math.floor(sizes.length / 2)] ?? 1;
  return usual >= 1 && usual <= 1000 ? 1 : Number(`1e${Math.floor(Math.log10(usual))}`);
}

function quantilesOf({ quantiles }: NumberFigures): (share: (typeof QUANTILES)[number]) => number {
  return (share) => quantiles[QUANTILES.indexOf(share)] ?? 0;
}
