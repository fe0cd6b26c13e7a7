/** How fast an arm comes to what another one comes to at best. */
import { mean } from "../bench/statistics.js";
import type { TrialOutcome } from "./trial.js";

type Validated = Pick<TrialOutcome, "seed" | "groups">;

/**
 * For each outcome the first step whose validation loss, as a mean over its groups, is no higher than the lowest of the target of
 * the same seed; null where there is none, or no such target.
 */
export function stepsToReach(outcomes: readonly Validated[], targets: readonly Validated[]): (number | null)[] {
  return outcomes.map((outcome) => {
    const target = targets.find(({ seed }) => seed === outcome.seed);
    if (!target) return null;
    const lowest = Math.min(...curveOf(target).map(({ loss }) => loss));
    return curveOf(outcome).find(({ loss }) => loss <= lowest)?.step ?? null;
  });
}

function curveOf({ groups }: Validated): { readonly step: number; readonly loss: number }[] {
  return (groups[0]?.validation ?? []).map(({ step }) => {
    const losses = groups.flatMap(({ validation }) =>
      validation.filter((one) => one.step === step).map(({ loss }) => loss),
    );
    return { step, loss: mean(losses) };
  });
}
