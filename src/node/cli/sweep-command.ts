/** `codistill sweep`: trains with every value of one setting, and reports what the setting does. */
import { type Command, InvalidArgumentError } from "commander";
import { ConfigError } from "../../errors.js";
import { sweepTable } from "../../report/sweep.js";
import { applyOverrides, resolveConfig } from "../../run/config.js";
import type { RunConfig } from "../../run/schema.js";
import { type Arm, armNames, chosenArms, namesOfArms, parseArm } from "../../study/arms.js";
import { comparisonFigures } from "../../study/comparison-page.js";
import type { SweepStudy } from "../../study/study.js";
import { sweepOf, valuesIn } from "../../study/sweep.js";
import { sweepLines } from "../../study/sweep-figures.js";
import { sweepIn, sweepSentences } from "../../study/sweep-page.js";
import { AS_IT_IS, settingNames, settingOf } from "../../study/sweeps.js";
import { lossShown, meanShown, mostSeeds, rangeOf, seedsSentence, signed } from "../../study/verdicts.js";
import { newRunFolder } from "../launch/train.js";
import { armsWith, type Comparison, checkSeeds, openComparison } from "../runs/comparison.js";
import { configFrom, type GivenConfig, givenConfig } from "../runs/load-config.js";
import { ARM, armList, DEFAULT_SEEDS, seedList } from "./compare-flags.js";
import { STOP_AFTER } from "./flags.js";
import { withMore } from "./more-arms.js";
import { SET } from "./run-commands.js";
import { baseOf, type Chooser, type StudyFlags, studyCommand, typed } from "./study-command.js";
import { BUDGET_OF_RUNS, WRITE, withTableFlags } from "./table-commands.js";

interface Over {
  readonly name: string;
  /** None where those of the setting are meant. */
  readonly values: readonly string[];
}

export interface SweepFlags extends StudyFlags {
  readonly over?: Over;
  readonly arms?: readonly string[];
  readonly arm: readonly string[];
  readonly seeds?: readonly number[];
}

/** Add the arguments and flags of `codistill sweep`. */
export function withSweepFlags(command: Command): Command {
  return withTableFlags(command, BUDGET_OF_RUNS)
    .description("train with every value of one setting over the same seeds, and report what the setting does")
    .argument("[config]", "configuration whose setting is varied: a .ts or .js file with a default export, or .json")
    .option(
      "--over <setting=values>",
      `which of ${settingNames.join(", ")}, which have values of their own where none are given; or a path of the configuration, as optimizer.learningRate=0.001,0.01`,
      over,
    )
    .option(
      "--arms <names>",
      `which of ${armNames.join(", ")} train with each value, parted by commas; single and codistilled by default, of a path the configuration as it stands`,
      armList,
    )
    .option(...ARM)
    .option("--seeds <number>", "how many seeds, from 1 on, or a list of them, as in 3,5,8; 5 by default", seedList)
    .option(...SET)
    .option("--runs <folder>", "where the folder of the runs is made", "runs")
    .option(
      "--resume <folder>",
      "go on with a sweep: what is done stays as it is; --seeds and the values of --over may be more than before",
    )
    .option(...STOP_AFTER)
    .option(...WRITE)
    .option("--json", "the figures as JSON; what is said to people goes to standard error")
    .addHelpText(
      "after",
      "\nExamples:\n  codistill sweep codistill.config.ts --over exchangeInterval=10,50,250 --seeds 3\n  codistill sweep codistill.config.ts --over labelNoise\n  codistill sweep codistill.config.ts --over optimizer.learningRate=0.001,0.003,0.01\n  codistill sweep --data rides.csv --label late --over burnIn",
    );
}

function over(text: string): Over {
  const [, name, , values = ""] = /^([A-Za-z][\w.-]*)(=(.*))?$/s.exec(text.trim()) ?? [];
  if (name === undefined) {
    throw new InvalidArgumentError(`must be a setting and its values, as exchangeInterval=10,50,250, got "${text}"`);
  }
  return { name, values: valuesIn(values) };
}

/** Train every value with every seed, write the report, and say what it shows. */
export async function sweepCommand(path: string | undefined, flags: SweepFlags, cacheFolder: string): Promise<void> {
  await studyCommand(flags, cacheFolder, {
    choose: (chooser) => chosen(path, flags, chooser),
    shows(facts, measured, width) {
      const study = sweepIn(facts);
      const figures = comparisonFigures(facts, measured);
      const lines = sweepLines(study, figures, facts.reference);
      const shown = (loss: readonly number[]) => meanShown(loss, lossShown);
      const rows = [
        ...lines.flatMap(({ arm, points }) =>
          points.map(({ value, figures: own, less }) => ({
            ...{ arm, value, loss: own ? shown(own.loss) : "", less: rangeOf(less, signed) },
            steps: rangeOf(own?.toTarget?.ratio ?? null, (ratio) => ratio.toFixed(2)),
          })),
        ),
        ...figures
          .filter(({ arm }) => study.beside.includes(arm))
          .map(({ arm, loss }) => ({ arm, value: "", loss: shown(loss), less: "", steps: "" })),
      ];
      const sentences = [seedsSentence(mostSeeds(figures)), ...sweepSentences(lines, study)];
      const about = { over: study.over, reference: lines[0]?.reference ?? "", sentences };
      return { figures: lines, lines: sweepTable(rows, about, width) };
    },
  });
}

async function chosen(path: string | undefined, flags: SweepFlags, chooser: Chooser): Promise<Comparison> {
  const { seeds = DEFAULT_SEEDS, runs, resume, set } = flags;
  if (resume !== undefined) return goneOnWith(path, flags, resume);
  if (flags.over === undefined) {
    throw new ConfigError(
      `a sweep is over a setting, and --over names none. Add one of ${settingNames.join(", ")}, as in --over exchangeInterval, or a path with values.`,
    );
  }
  // What is wrong with the setting and with arms is said before data is read and a configuration written.
  const setting = settingOf(flags.over.name, flags.over.values.length > 0);
  const own = flags.arm.map(parseArm);
  const names = flags.arms ?? (own.length > 0 ? [] : setting.arms);
  namesOfArms(
    names.filter((name) => name !== AS_IT_IS),
    own,
    0,
  );
  const made = await baseOf("a sweep", path, flags, chooser);
  const given = await givenConfig(made, set);
  const base = await configFrom(given);
  const plan = planOf({ name: flags.over.name, values: flags.over.values }, { names, own, base, given });
  const arms = await armsWith(plan.arms, given);
  checkSeeds({ arms, seeds });
  const { study, reference } = plan;
  const folder = newRunFolder(runs, `${base.name}-sweep`);
  return { folder, study, base, given, arms, seeds, reference, target: { kind: "reference" }, commands: [typed()] };
}

interface Of {
  readonly names: readonly string[];
  readonly own: readonly Arm[];
  readonly base: RunConfig;
  readonly given: GivenConfig;
}

function planOf({ name, values }: Over, { names, own, base, given }: Of) {
  const setting = settingOf(name, values.length > 0);
  const known = chosenArms(
    names.filter((one) => one !== AS_IT_IS),
    own,
    base,
    0,
  );
  const asItIs = { name: AS_IT_IS, what: "the configuration as it stands", options: [] };
  const arms = names.includes(AS_IT_IS) ? [asItIs, ...known] : known;
  const wanted = values.length > 0 ? values : setting.values;
  return sweepOf(name, setting, wanted, arms, (options) => resolveConfig(applyOverrides(given.config, options)));
}

/** A sweep that goes on, with seeds and values that may have come to it. */
async function goneOnWith(path: string | undefined, flags: SweepFlags, folder: string): Promise<Comparison> {
  if (path !== undefined || flags.set.length > 0 || flags.arms || flags.arm.length > 0) {
    throw new ConfigError(
      "--resume goes on with the configuration and the arms as they began; leave all but --seeds and --over out",
    );
  }
  const before = openComparison(folder, "sweep");
  const study = before.study as SweepStudy;
  const { over: wanted } = flags;
  if (wanted !== undefined && wanted.name !== study.over) {
    throw new ConfigError(
      `--over: ${folder} is a sweep over ${study.over}, and ${wanted.name} is another setting. Leave --resume out to begin one over it.`,
    );
  }
  const more = await withMore(before, { seeds: flags.seeds, names: [], own: [] });
  const values = wanted?.values.filter((value) => !study.values.includes(value)) ?? [];
  if (values.length === 0) return more;
  const lineNames = [...study.lines.map(({ arm }) => arm), ...study.beside];
  const own = before.arms.filter(({ name }) => study.beside.includes(name) && !armNames.includes(name));
  const ownNames = own.map(({ name }) => name);
  const unknown = lineNames.find((name) => name !== AS_IT_IS && !armNames.includes(name) && !ownNames.includes(name));
  if (unknown !== undefined) {
    throw new ConfigError(
      `--over: values cannot come to a sweep with an arm of one's own (${unknown}), whose changes are in its values. Begin a new sweep.`,
    );
  }
  const all = { name: study.over, values: [...study.values, ...values] };
  const plan = planOf(all, { names: lineNames.filter((name) => !ownNames.includes(name)), own, ...before });
  const come = plan.arms.filter(({ name }) => !before.arms.some((arm) => arm.name === name));
  for (const arm of plan.arms) {
    const was = before.arms.find(({ name }) => name === arm.name);
    if (was && JSON.stringify(was.options) !== JSON.stringify(arm.options)) {
      throw new ConfigError(
        `--over ${study.over}: with these values ${arm.name} would be trained otherwise than it was (${was.options.join(", ")}; now ${arm.options.join(", ")}). Begin a new sweep.`,
      );
    }
  }
  const arms = [...before.arms, ...(await armsWith(come, before.given))];
  return { ...more, arms, study: { ...plan.study, main: study.main } };
}
