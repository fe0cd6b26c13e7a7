/** Validation losses over steps: when they come to a target. */

/** The validation loss after so many steps. */
export interface CurvePoint {
  readonly step: number;
  readonly loss: number;
}

/** The first validated step whose loss is at most the target; null where there is none. */
export function firstAt(curve: readonly CurvePoint[], target: number): number | null {
  return curve.find(({ loss }) => loss <= target)?.step ?? null;
}

/**
 * The step at which a curve comes to a target for the first time, on the straight line between the two validations about it; null where
 * it never does. A curve that begins at or below the target has come to it at its first validation, or earlier.
 */
export function stepsToTarget(curve: readonly CurvePoint[], target: number): number | null {
  const at = curve.findIndex(({ loss }) => loss <= target);
  const [before, here] = [curve[at - 1], curve[at]];
  if (!here) return null;
  if (!before || !(before.loss > target)) return here.step;
  return before.step + ((before.loss - target) / (before.loss - here.loss)) * (here.step - before.step);
}

/** The lowest loss of a curve; Infinity of none. */
export function lowest(curve: readonly CurvePoint[]): number {
  return curve.reduce(
    (least, { loss }) => (Number.isNaN(loss) ? least : Math.min(loss, least)),
    Number.POSITIVE_INFINITY,
  );
}

/** The lowest loss up to a step; null where nothing was validated by then. */
export function lowestBy(curve: readonly CurvePoint[], step: number): number | null {
  const least = lowest(curve.filter((point) => point.step <= step));
  return Number.isFinite(least) ? least : null;
}
