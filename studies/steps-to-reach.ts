/** How fast an arm comes to what another one comes to at best. */
import { firstAt, lowest } from "../src/study/curves.js";
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
    return firstAt(validationCurve(outcome), lowest(validationCurve(target)));
  });
}
