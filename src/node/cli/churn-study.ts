/** `codistill churn` of procedures: each is trained several times, and how much its predictions change is reported. */
import { ConfigError } from "../../errors.js";
import { procedureLines } from "../../report/procedures.js";
import { chosenArms, namesOfArms, parseArm } from "../../study/arms.js";
import { churnOf, churnSentences, retrainsSentence } from "../../study/churn-page.js";
import { changedShown, lossShown, meanShown, rangeOf } from "../../study/verdicts.js";
import { newRunFolder } from "../launch/train.js";
import { armsWith, type Comparison, openComparison } from "../runs/comparison.js";
import { configFrom, givenConfig } from "../runs/load-config.js";
import { referenceOf } from "./compare-command.js";
import { withMore } from "./more-arms.js";
import { baseOf, type Chooser, type StudyFlags, studyCommand, typed } from "./study-command.js";

export interface ChurnStudyFlags extends StudyFlags {
  readonly retrains?: number;
  readonly arms?: readonly string[];
  readonly arm: readonly string[];
}

const DEFAULT_RETRAINS = 5;
export const CHURN_ARMS: readonly string[] = ["single", "ensemble", "codistilled", "anchored"];

/** Train every procedure as often as is asked for, write the report, and say what it shows. */
export async function churnStudyCommand(
  path: string | undefined,
  flags: ChurnStudyFlags,
  cacheFolder: string,
): Promise<void> {
  await studyCommand(flags, cacheFolder, {
    choose: (chooser) => chosen(path, flags, chooser),
    shows(facts, measured, width) {
      const { reference, seeds } = facts;
      const figures = churnOf(facts, measured);
      const sentences = [retrainsSentence(seeds.length), ...churnSentences(figures, facts)];
      const rows = figures.map(({ arm, seeds: own, loss, distance, ratio, changed }) => ({
        ...{ arm, retrainings: own.length, distance: rangeOf(distance, lossShown) },
        loss: meanShown(loss, lossShown),
        ratio: rangeOf(ratio, (value) => value.toFixed(2)),
        changed: measured.task === "regression" ? "" : rangeOf(changed, changedShown),
      }));
      return { figures, lines: procedureLines(rows, { reference, sentences }, width) };
    },
  });
}

const seedsFor = (retrains: number) => Array.from({ length: retrains }, (_, i) => i + 1);

async function chosen(path: string | undefined, flags: ChurnStudyFlags, chooser: Chooser): Promise<Comparison> {
  const { arms: names, arm, retrains = DEFAULT_RETRAINS, runs, resume, set } = flags;
  // What is wrong with arms is said before data is read and a configuration written.
  const own = arm.map(parseArm);
  if (resume !== undefined) {
    if (path !== undefined || set.length > 0) {
      throw new ConfigError(
        "--resume goes on with the configuration as it began; leave all but --retrains, --arms and --arm out",
      );
    }
    const seeds = flags.retrains === undefined ? undefined : seedsFor(flags.retrains);
    return withMore(openComparison(resume, "churn"), { seeds, names: names ?? [], own });
  }
  const wanted = names ?? (own.length > 0 ? [] : CHURN_ARMS);
  const reference = referenceOf(namesOfArms(wanted, own, 1), undefined);
  const made = await baseOf("churn of procedures", path, flags, chooser);
  const given = await givenConfig(made, set);
  const base = await configFrom(given);
  const chosenOnes = chosenArms(wanted, own, base, 1);
  const arms = await armsWith(chosenOnes, given);
  const folder = newRunFolder(runs, `${base.name}-churn`);
  const declared = { study: { kind: "churn" }, reference, target: { kind: "reference" } } as const;
  return { ...declared, folder, base, given, arms, seeds: seedsFor(retrains), commands: [typed()] };
}
