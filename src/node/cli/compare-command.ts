/** `codistill compare`: trains arms over seeds and reports how they compare. */
import { ConfigError } from "../../errors.js";
import { comparisonLines } from "../../report/comparison.js";
import { chosenArms, DEFAULT_ARMS, namesOfArms, parseArm, SINGLE } from "../../study/arms.js";
import { comparisonFigures, comparisonSentences } from "../../study/comparison-page.js";
import type { ArmFigures } from "../../study/figures.js";
import { changedShown, lossShown, meanShown, rangeOf, signed } from "../../study/verdicts.js";
import { newRunFolder } from "../launch/train.js";
import { armsWith, type Comparison, checkSeeds, openComparison } from "../runs/comparison.js";
import { configFrom, givenConfig } from "../runs/load-config.js";
import { type CompareFlags, DEFAULT_SEEDS } from "./compare-flags.js";
import { withMore } from "./more-arms.js";
import { baseOf, type Chooser, studyCommand, typed } from "./study-command.js";

/** Train every arm with every seed, write the report, and say what it shows. */
export async function compareCommand(
  path: string | undefined,
  flags: CompareFlags,
  cacheFolder: string,
): Promise<void> {
  await studyCommand(flags, cacheFolder, {
    choose: (chooser) => chosen(path, flags, chooser),
    shows(facts, measured, width) {
      const figures = comparisonFigures(facts, measured);
      const { reference } = facts;
      const sentences = comparisonSentences(facts, figures);
      return { figures, lines: comparisonLines(figures.map(rowOf), { reference, sentences }, width) };
    },
  });
}

function rowOf({ arm, seeds, loss, less, toTarget, changed }: ArmFigures) {
  return {
    arm,
    seeds: seeds.length,
    loss: meanShown(loss, lossShown),
    less: rangeOf(less, signed),
    steps: rangeOf(toTarget?.ratio ?? null, (value) => value.toFixed(2)),
    changed: rangeOf(changed, changedShown),
  };
}

async function chosen(path: string | undefined, flags: CompareFlags, chooser: Chooser): Promise<Comparison> {
  const { arms: names, arm, seeds = DEFAULT_SEEDS, target = { kind: "reference" }, runs, resume, set } = flags;
  if (resume !== undefined) return goneOnWith(path, flags, resume);
  // What is wrong with arms is said before data is read and a configuration written.
  const own = arm.map(parseArm);
  const wanted = names ?? (own.length > 0 ? [] : DEFAULT_ARMS);
  const reference = referenceOf(namesOfArms(wanted, own), flags.reference);
  const made = await baseOf("a comparison", path, flags, chooser);
  const given = await givenConfig(made, set);
  const base = await configFrom(given);
  const arms = await armsWith(chosenArms(wanted, own, base), given);
  checkReference(arms, reference);
  checkSeeds({ arms, seeds });
  const folder = newRunFolder(runs, `${base.name}-compare`);
  const noted = flags.note.length > 0 ? { notes: flags.note } : {};
  return {
    folder,
    study: { kind: "compare" },
    base,
    given,
    arms,
    seeds,
    reference,
    target,
    ...noted,
    commands: [typed()],
  };
}

/** The arm that others are compared with. Throws {@link ConfigError} for one that is not there. */
export function referenceOf(names: readonly string[], given: string | undefined): string {
  if (given === undefined) return names.includes(SINGLE) ? SINGLE : (names[0] as string);
  if (names.includes(given)) return given;
  throw new ConfigError(`--reference must be one of the arms (${names.join(", ")}), got "${given}"`);
}

/** Throws {@link ConfigError} for an ensemble, which has no validation loss to set a target. */
function checkReference(arms: Comparison["arms"], reference: string): void {
  if (arms.find(({ name }) => name === reference)?.config !== null) return;
  throw new ConfigError(
    `--reference must be an arm that is validated, as it sets the target of the steps, and ${reference} is a mean of others. Name another one.`,
  );
}

/** A comparison that goes on, with seeds and arms that may have come to it. */
async function goneOnWith(path: string | undefined, flags: CompareFlags, folder: string): Promise<Comparison> {
  const { reference, target, set } = flags;
  if (path !== undefined || reference !== undefined || target || set.length > 0 || flags.note.length > 0) {
    throw new ConfigError(
      "--resume goes on with the configuration, the reference and the target that were declared before the runs; leave all but --seeds, --arms and --arm out",
    );
  }
  const before = openComparison(folder, "compare");
  return withMore(before, { seeds: flags.seeds, names: flags.arms ?? [], own: flags.arm.map(parseArm) });
}
