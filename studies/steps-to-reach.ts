/** How fast an arm comes to what another one comes to at best. */
import { type TrialOutcome, validationCurve } from "./trial.js";

type Validated = Pick<TrialOutcome, "seed" | "groups">;

/**
 * For each outcome the first step whose validation loss, as a mean over its groups, is no higher than the lowest of the target of
 * the same seed; null where there is none, or no such target.
 */
export function stepsToReach(outcomes: readonly Validated[], targets: readonly Validated[]): (number | null)[] {
  return outcomes.map((outcome) => {
    const target = targets.find(({ seed }) => seed === outcome.seed);
    if (!target) return null;
    const lowest = Math.min(...validationCurve(target).map(({ loss }) => loss));
    return validationCurve(outcome).find(({ loss }) => loss <= lowest)?.step ?? null;
  });
}
