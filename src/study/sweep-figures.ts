/** What a sweep came to: for each value its quality, and how it is to the value that the configuration has. */
import { type ArmFigures, lossLess } from "./figures.js";
import type { Interval } from "./intervals.js";
import type { SweepStudy } from "./study.js";
import { rangeOf, signed } from "./verdicts.js";

/** A value of a line. */
export interface SweepPoint {
  readonly value: string;
  /** Null where no run of it is done. */
  readonly figures: ArmFigures | null;
  /** Its test loss less that of the line's reference value with the same seed; null of that itself. */
  readonly less: Interval | null;
  /** Its test loss less that of the arm beside with the same seed, at the same value where that has values; null without one. */
  readonly gain: Interval | null;
}

export interface SweepLine {
  readonly arm: string;
  /** The value that others are compared with: that of the configuration, else the first. */
  readonly reference: string;
  /** The arm of `gain`. */
  readonly beside: string | null;
  readonly points: readonly SweepPoint[];
}

/** The lines of a sweep. `reference` is its reference arm. */
export function sweepLines(study: SweepStudy, figures: readonly ArmFigures[], reference: string): SweepLine[] {
  const of = (arm: string | undefined) => figures.find((one) => one.arm === arm) ?? null;
  const main = study.lines.find(({ arm }) => arm === study.main);
  const at = Math.max(0, main?.arms.indexOf(reference) ?? 0);
  return study.lines.map(({ arm, arms }) => {
    const other = study.lines.find((line) => line.arm !== arm);
    const beside = study.beside[0] ?? (arm === study.main ? (other?.arm ?? null) : null);
    return {
      arm,
      reference: study.values[at] ?? "",
      beside,
      points: study.values.map((value, i) => {
        const own = of(arms[i]);
        const besides = study.beside[0] !== undefined ? of(study.beside[0]) : of(other?.arms[i]);
        return {
          value,
          figures: own,
          less: i === at ? null : lossLess(own, of(arms[at])),
          gain: beside === null ? null : lossLess(own, besides),
        };
      }),
    };
  });
}

/** What to do, where intervals are apart; and that there is nothing to say, where they are not. */
export function adviceOf(line: SweepLine, study: SweepStudy): string[] {
  const { reference, arm, points } = line;
  const of = (value: string) => `${study.over} ${value}`;
  const known = points.filter(({ less }) => less !== null && !Number.isNaN(less.low));
  if (known.length === 0) return [`${arm}: with one seed nothing says how much is chance, and nothing is advised.`];
  const better = known.filter(({ less }) => (less?.high ?? 0) < 0);
  const worse = known.filter(({ less }) => (less?.low ?? 0) > 0);
  const same = known.filter((one) => !better.includes(one) && !worse.includes(one));
  const each = (some: readonly SweepPoint[]) =>
    some.map(({ value, less }) => `${value} by ${rangeOf(less, signed)}`).join("; ");
  const sentences: string[] = [];
  if (better.length > 0) {
    const lossOf = (one: SweepPoint) => one.less?.value ?? 0;
    const best = better.reduce((least, one) => (lossOf(one) < lossOf(least) ? one : least));
    const rivals = better.filter((one) => one !== best && !isApart(lossLess(one.figures, best.figures)));
    const beside =
      rivals.length > 0 ? ` It is not told apart from ${rivals.map(({ value }) => value).join(", ")}.` : "";
    sentences.push(
      `${arm}: take ${of(best.value)}. These are better in test loss than ${of(reference)}: ${each(better)}.${beside}`,
    );
  }
  if (worse.length > 0) sentences.push(`${arm}: these are worse in test loss than ${of(reference)}: ${each(worse)}.`);
  if (same.length > 0) {
    const nothing =
      better.length + worse.length === 0
        ? " No value is apart from it, so that nothing here is a reason to change it."
        : "";
    sentences.push(`${arm}: these are not told apart from ${of(reference)}: ${each(same)}.${nothing}`);
  }
  return sentences;
}

const isApart = (interval: Interval | null) => interval !== null && (interval.low > 0 || interval.high < 0);

/** What each arm gains over the one beside it. */
export function gainSentences({ arm, beside, points }: SweepLine, { over }: SweepStudy): string[] {
  if (beside === null) return [];
  const known = points.flatMap(({ value, gain }) => (gain && !Number.isNaN(gain.low) ? [{ value, gain }] : []));
  const [better, worse] = [known.filter(({ gain }) => gain.high < 0), known.filter(({ gain }) => gain.low > 0)];
  const list = (some: typeof known) => some.map(({ value, gain }) => `${value} (${rangeOf(gain, signed)})`).join(", ");
  if (known.length === 0) return [];
  const chance = `Of ${known.length} intervals one in twenty leaves out 0 by chance alone.`;
  return [
    ...(better.length > 0 ? [`${arm} is better than ${beside} at ${over} ${list(better)}.`] : []),
    ...(worse.length > 0 ? [`${arm} is worse than ${beside} at ${over} ${list(worse)}.`] : []),
    ...(better.length + worse.length > 0 && known.length > 2 ? [chance] : []),
    ...(better.length + worse.length === 0 ? [`${arm} is told apart from ${beside} at no value of ${over}.`] : []),
  ];
}
