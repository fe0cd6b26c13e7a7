/** How a number is brought to a scale that a network learns from, by its quantiles. */
import { type NumberFigures, QUANTILES } from "./column.js";
import { inner, numberSql } from "./sql.js";

/** Identity, or sign(x) ln(1 + |x| / scale). */
export type Transform =
  | { readonly kind: "identity" }
  | { readonly kind: "signedLog"; readonly scale: number; readonly isSigned: boolean };

/** The middle 98 % over the middle half: 3.4 for a normal distribution, 4.2 for an exponential one. */
const HEAVY_SPREAD = 6;
/** The whole range over its middle 98 %: about 3 for three million values of an exponential distribution. */
const HEAVY_RANGE = 6;

/**
 * The transform that numbers need before they are scaled: those with heavy tails go through a logarithm, so that their
 * scale is not that of a few which are far away. Monotone functions preserve quantiles, so the figures of the numbers
 * suffice.
 */
export function transformOf(numbers: NumberFigures): Transform {
  if (!isHeavy(numbers)) return { kind: "identity" };
  return { kind: "signedLog", scale: scaleOf(numbers), isSigned: numbers.min < 0 };
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
  }
}

function isHeavy({ quantiles, min, max }: NumberFigures): boolean {
  const at = (share: (typeof QUANTILES)[number]) => quantiles[QUANTILES.indexOf(share)] ?? 0;
  const spread = at(0.99) - at(0.01);
  const middle = at(0.75) - at(0.25);
  if (spread === 0) return max > min;
  return spread > HEAVY_SPREAD * middle || max - min > HEAVY_RANGE * spread;
}

/** A power of ten near the size of a usual value: below it the logarithm is nearly a line. 1 for sizes of 1 to 1,000. */
function scaleOf(numbers: NumberFigures): number {
  const sizes = numbers.quantiles.map(Math.abs).filter((size) => size > 0);
  const usual = sizes.sort((a, b) => a - b)[Math.floor(sizes.length / 2)] ?? 1;
  return usual >= 1 && usual <= 1000 ? 1 : Number(`1e${Math.floor(Math.log10(usual))}`);
}
