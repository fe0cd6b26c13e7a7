/** Labels that are numbers: which rows have one, and the scale in which they are learned. */
import { ConfigError } from "../errors.js";
import { count, counted, percent, short } from "../report/format.js";
import {
  type LabelDescription,
  type LabelFigures,
  type NumberFigures,
  numPresent,
  QUANTILES,
  type TargetScale,
} from "./column.js";
import { whole } from "./sql.js";

/** Share of values that must read as numbers for a label to be one. */
export const READS_AS = 0.98;

/** Skew from which on a tail is long, and the quantiles that it is measured by. */
const LONG_TAIL = 0.65;
const SKEW_AT = [0.01, 0.5, 0.99] as const;
/** Larger labels are not counts or prices, and are not learned as logarithms. */
const LARGEST_LOG = 1e30;

/**
 * A label that is a number. Throws {@link ConfigError} when fewer than {@link READS_AS} of the values are finite
 * numbers, and for a scale that does not fit.
 */
export function describeNumbers({ sql, figures }: LabelFigures, reason: string, scale?: TargetScale): LabelDescription {
  const { kind, numbers, numRows } = figures;
  const present = numPresent(figures);
  const numFinite = (numbers?.count ?? 0) - (numbers?.numInfinite ?? 0);
  if (numbers === null || numFinite / present < READS_AS) {
    throw new ConfigError(
      `--task regression: a label is a finite number, and ${percent(numFinite / present)} of ${sql} are, not ${JSON.stringify(figures.example)}. Leave --task out, or write an expression that gives numbers.`,
    );
  }
  const number = kind === "text" ? `try_cast(${whole(sql)} as double)` : sql;
  const isFloat = /^(FLOAT|DOUBLE)$/.test(figures.type) || kind === "text";
  const numLeftOut = numRows - numFinite;
  const { options, hints } = targetOf(sql, numbers, scale);
  return {
    task: "regression",
    sql: number,
    reason,
    classes: [],
    positive: null,
    condition: numLeftOut === 0 ? null : isFloat ? `isfinite${whole(number)}` : `${whole(number)} is not null`,
    ...(options && { options }),
    hints: [
      ...(numLeftOut === 0
        ? []
        : [
            {
              kind: "left-out" as const,
              text: `${counted(numLeftOut, "row has", "rows have")} no number as ${numLeftOut === 1 ? "its" : "their"} label${numbers.numInfinite > 0 ? ` (${count(numbers.numInfinite)} of them an infinite one)` : ""} and ${numLeftOut === 1 ? "is" : "are"} left out`,
            },
          ]),
      ...hints,
    ],
  };
}

/**
 * How numbers are learned. Labels that are never negative are never predicted below 0. They are learned as logarithms,
 * ln(1 + y / unit), when they have a long tail and the logarithm at least halves their skew,
 * (q99 + q1 - 2 q50) / (q99 - q1), which is 0.7 for an exponential distribution and 0.8 for a log-normal one. Throws
 * {@link ConfigError} when a logarithm of negative labels is asked for.
 */
function targetOf(sql: string, { min, max, quantiles }: NumberFigures, given?: TargetScale) {
  if (min < 0) {
    if (given === "log") {
      throw new ConfigError(
        `--target-scale log: it is for labels of 0 and more, and ${sql} goes down to ${short(min)}. Leave it out.`,
      );
    }
    return { options: undefined, hints: [] };
  }
  const [low = 0, middle = 0, high = 0] = SKEW_AT.map((share) => quantiles[QUANTILES.indexOf(share)]);
  const unit = quantiles.find((value) => value > 0) ?? 1;
  const log = (y: number) => Math.log1p(y / unit);
  const skew = skewOf(low, middle, high);
  const isSkewed = skew >= LONG_TAIL && max <= LARGEST_LOG && skewOf(log(low), log(middle), log(high)) <= skew / 2;
  if (given === "log" || (given === undefined && isSkewed)) {
    const why = given
      ? "as given with --target-scale"
      : `it has a long tail (half of the values are below ${short(middle)}, 1 % above ${short(high)}, the largest is ${short(max)}); --target-scale linear learns it as it is`;
    return {
      options: { scale: "log" as const },
      hints: [
        {
          kind: "label" as const,
          text: `the label is learned as a logarithm, so predictions are never below 0: ${why}`,
        },
      ],
    };
  }
  return {
    options: { least: 0 },
    hints: [
      {
        kind: "label" as const,
        text: "the label is never negative, so predictions are not either: where it can be, set task.least in the configuration",
      },
    ],
  };
}

function skewOf(low: number, middle: number, high: number): number {
  return high > low ? (high + low - 2 * middle) / (high - low) : 0;
}
