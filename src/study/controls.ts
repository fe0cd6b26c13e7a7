/** What control arms show: they codistil with a teacher that knows nothing new, so that whatever they gain is not its knowledge. */
import { differences } from "../run/config-diff.js";
import type { RunConfig } from "../run/schema.js";
import { armNames } from "./arms.js";
import { type ArmFigures, lossLess } from "./figures.js";
import { type ControlVerdict, rangeOf, signed } from "./verdicts.js";

interface ConfiguredArm {
  readonly name: string;
  /** Null of an ensemble. */
  readonly config: RunConfig | null;
}

type Kind = "alone" | "taught" | "control";

/** Whether groups train alone, learn from one another, or from a control; null of other algorithms. */
function kindOf({ algorithm }: RunConfig): Kind | null {
  if (algorithm.kind === "plain") return "alone";
  if (algorithm.kind !== "codistill") return null;
  return algorithm.control === undefined ? "taught" : "control";
}

/** The arm of a kind whose groups, data and steps are those of another, whatever its algorithm. */
function twinOf(config: RunConfig, arms: readonly ConfiguredArm[], kind: Kind): string | null {
  const ofGroups = ({ algorithm: _, ...rest }: RunConfig) => rest;
  const twin = arms.find(
    (one) =>
      one.config !== null &&
      kindOf(one.config) === kind &&
      differences(ofGroups(config), ofGroups(one.config)).length === 0,
  );
  return twin?.name ?? null;
}

/**
 * What each control arm shows, by the paired interval of its test loss less that of the same arm without a teacher; and whether the
 * codistilled arm, if there is one, is apart from it. Left out are arms that share no seed yet with that arm.
 */
export function controlVerdicts(arms: readonly ConfiguredArm[], figures: readonly ArmFigures[]): ControlVerdict[] {
  const figuresOf = (name: string | null) => figures.find(({ arm }) => arm === name) ?? null;
  return arms.flatMap(({ name: arm, config }): ControlVerdict[] => {
    const own = figuresOf(arm);
    if (config === null || own === null || kindOf(config) !== "control") return [];
    const against = twinOf(config, arms, "alone");
    if (against === null) return [{ arm, against, sentence: withoutTwin(arm) }];
    const less = lossLess(own, figuresOf(against));
    if (less === null || Number.isNaN(less.value)) return [];
    const shown = `${rangeOf(less, signed)} in test loss`;
    const taught = twinOf(config, arms, "taught");
    const rest = taughtSentence(taught, lossLess(figuresOf(taught), own));
    const what = `${arm}, a control,`;
    const other = `${against}, which is the same without a teacher`;
    if (Number.isNaN(less.low)) {
      const sentence = `${arm}, a control: ${shown} to ${other}, of one seed, which says nothing of chance.`;
      return [{ arm, against, sentence }];
    }
    if (less.high < 0) {
      const sentence = `${what} is better than ${other}: ${shown}. Its teacher knows nothing new, so that this gain is regularisation: as much of what codistillation gains here need not be the teacher's knowledge.${rest}`;
      return [{ arm, against, sentence }];
    }
    if (less.low > 0) {
      const sentence = `${what} is worse than ${other}: ${shown}. The teaching term costs that much where there is nothing to learn from the teacher.${rest}`;
      return [{ arm, against, sentence }];
    }
    const sentence = `${what} is not told apart from ${other}: ${shown}, an interval that holds 0. That is as a control should be: no gain is shown.${rest}`;
    return [{ arm, against, sentence }];
  });
}

function withoutTwin(arm: string): string {
  const cure = armNames.includes(arm) ? "Add --arms single." : "Add one by --arm.";
  return `${arm} is a control, and no arm here is the same without a teacher, so that nothing says whether it gains. ${cure}`;
}

/** Whether codistillation is apart from the control: where it is not, no gain of the control says little. */
function taughtSentence(taught: string | null, less: ReturnType<typeof lossLess>): string {
  if (taught === null || less === null || Number.isNaN(less.low)) return "";
  const shown = rangeOf(less, signed);
  if (less.high < 0) return ` ${taught} is better than this control: ${shown}.`;
  if (less.low > 0) return ` ${taught} is worse than this control: ${shown}.`;
  return ` But ${taught} is not told apart from this control: ${shown}. These seeds do not show that it matters what the teacher knows.`;
}
