/** In which of its steps a group had teachers: snapshots of others come when they come, in short runs hardly at all. */
import { count } from "../report/format.js";
import type { RunConfig } from "../run/schema.js";
import type { Outcome, TaughtFrom } from "./outcome.js";
import { mean } from "./statistics.js";

/** The teachers of a group over its first steps, summed over these: a teacher in each of ten steps counts 10. */
export function teacherSteps(from: readonly TaughtFrom[], numSteps: number): number {
  return from.reduce((sum, { step, numTeachers }, i) => {
    const end = Math.min(from[i + 1]?.step ?? numSteps, numSteps);
    return sum + numTeachers * Math.max(0, end - step);
  }, 0);
}

/** How many of the first steps had a teacher or more. */
export function taughtSteps(from: readonly TaughtFrom[], numSteps: number): number {
  return teacherSteps(
    from.map(({ step, numTeachers }) => ({ step, numTeachers: Math.min(1, numTeachers) })),
    numSteps,
  );
}

/** For each arm whose groups taught one another, in how many steps they did; with what that means where it is under half of them. */
export function taughtSentences(
  arms: readonly { readonly name: string; readonly config: RunConfig | null }[],
  outcomes: readonly Outcome[],
): { readonly sentence: string; readonly isSeldom: boolean }[] {
  return arms.flatMap(({ name, config }) => {
    const burnIn = config && "burnInSteps" in config.algorithm ? config.algorithm.burnInSteps : 0;
    const own = outcomes.filter(({ arm, taught }) => arm === name && taught !== undefined);
    // A group alone has nobody who could teach it.
    if (own.length === 0 || config?.numGroups === 1) return [];
    const last = ({ curve }: Outcome) => curve.at(-1)?.step ?? 0;
    const after = mean(own.map((one) => Math.max(0, last(one) - burnIn)));
    const taught = mean(own.flatMap((one) => (one.taught ?? []).map((group) => taughtSteps(group, last(one)))));
    const isSeldom = taught < after / 2;
    const what = `${name}: a teacher taught in ${count(Math.round(taught))} of ${count(Math.round(after))} steps after burn-in, as a mean over groups and seeds.`;
    const note =
      " That is under half of them: its groups mostly trained alone, and its figures say little of codistillation. Take more steps, or share more often (algorithm.publishInterval, algorithm.exchangeInterval).";
    return [{ sentence: isSeldom ? what + note : what, isSeldom }];
  });
}
