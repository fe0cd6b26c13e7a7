/** How far retrainings of procedures are apart: the figures of the report of `codistill churn`. */
import { type ArmFigures, LEAST_FOR_JACKKNIFE, meanOverPairs, notBelow0 } from "./figures.js";
import { type Interval, jackknifeInterval, studentInterval } from "./intervals.js";
import type { Apart, Measured } from "./outcome.js";

/** From the model in use to the retrainings of a procedure, with Student's intervals over the retrainings. */
export interface FromInUse {
  readonly distance: Interval;
  readonly changed: Interval;
  /** Null where nothing is decided. */
  readonly good: Interval | null;
  readonly bad: Interval | null;
}

export interface ChurnFigures extends ArmFigures {
  /**
   * The mean difference between its retrainings over that of the reference, with the jackknife over retrainings, which share
   * their seeds: leaving out a retraining leaves out all of its pairs in both. Null of the reference, and of fewer than three.
   */
  readonly ratio: Interval | null;
  /** The mean difference of each pair of retrainings. */
  readonly pairs: readonly Apart[];
  /** Null where there is no model in use, or it is of another network. */
  readonly fromInUse: FromInUse | null;
}

/** The figures of each procedure; `inUse` is the arm of the model in use, which is none. */
export function churnFigures(
  figures: readonly ArmFigures[],
  { apart }: Pick<Measured, "apart">,
  { reference, inUse }: { readonly reference: string; readonly inUse?: string | undefined },
): ChurnFigures[] {
  const pairsOf = (one: ArmFigures | undefined) =>
    apart.filter(({ arm, seeds }) => arm === one?.arm && seeds.every((seed) => one.seeds.includes(seed)));
  const base = figures.find(({ arm }) => arm === reference);
  return figures
    .filter(({ arm }) => arm !== inUse)
    .map((one) => {
      const pairs = pairsOf(one);
      const from = apart.filter(({ arm, seeds: [first] }) => arm === one.arm && !one.seeds.includes(first));
      return {
        ...one,
        pairs,
        ratio: one.arm === reference ? null : ratioOf(one, pairs, base, pairsOf(base)),
        fromInUse: from.length === 0 ? null : fromInUse(from),
      };
    });
}

function ratioOf(
  own: ArmFigures,
  pairs: readonly Apart[],
  base: ArmFigures | undefined,
  others: readonly Apart[],
): Interval | null {
  const shared = own.seeds.filter((seed) => base?.seeds.includes(seed));
  if (shared.length < LEAST_FOR_JACKKNIFE || pairs.length === 0 || others.length === 0) return null;
  const distance = (of: readonly Apart[], seeds: readonly number[]) => meanOverPairs(of, seeds, (one) => one.distance);
  return notBelow0(jackknifeInterval(shared, (some) => distance(pairs, some) / distance(others, some)));
}

function fromInUse(from: readonly Apart[]): FromInUse {
  const over = (of: (one: Apart) => number) => notBelow0(studentInterval(from.map(of)));
  const decided = (of: (one: Apart) => number | undefined) =>
    from.some((one) => of(one) === undefined) ? null : over((one) => of(one) ?? Number.NaN);
  return {
    distance: over(({ distance }) => distance),
    changed: over(({ changed }) => changed),
    good: decided(({ good }) => good),
    bad: decided(({ bad }) => bad),
  };
}
