/** `codistill compare`: trains arms over seeds and reports how they compare. */
import { ConfigError } from "../../errors.js";
import { comparisonLines } from "../../report/comparison.js";
import { counted, duration } from "../../report/format.js";
import { chosenArms, DEFAULT_ARMS, namesOfArms, parseArm, SINGLE } from "../../study/arms.js";
import type { ArmFigures } from "../../study/figures.js";
import { mean, std } from "../../study/statistics.js";
import { rangeOf, seedsSentence, signed, verdictsOf } from "../../study/verdicts.js";
import type { Compared } from "../launch/compare.js";
import { FAILED, type Stop } from "../launch/exit-codes.js";
import { newRunFolder } from "../launch/train.js";
import { armsWith, type Comparison, openComparison } from "../runs/comparison.js";
import { loadConfig } from "../runs/load-config.js";
import { type CompareFlags, DEFAULT_SEEDS } from "./compare-flags.js";
import { say, teller, unlessStopped, widthOf } from "./output.js";
import { showProgress } from "./terminal.js";
import { configOf, cureOf, stopOf } from "./train-command.js";

/** Train every arm with every seed, write the report, and say what it shows. */
export async function compareCommand(
  path: string | undefined,
  flags: CompareFlags,
  cacheFolder: string,
): Promise<void> {
  const stop = stopOf(flags);
  const { json = false, timeBudget } = flags;
  const tell = teller({ json });
  const said = new Set<string>();
  const comparison = await unlessStopped(stop.signal, () => chosen(path, flags, cacheFolder, { stop, said }));
  if (comparison === undefined || stop.signal.aborted) {
    tell(`stopped before anything was trained: ${cureOf(stop)}`);
    return stop.hasSaved();
  }
  const { folder, seeds } = comparison;
  let progress: { close(): void } = { close() {} };
  // Imported here, as every command loads this file.
  const { compare } = await import("../launch/compare.js");
  const compared = await compare(comparison, {
    cacheFolder,
    stop: stop.signal,
    budgetSeconds: timeBudget,
    onFit({ seeds: fitting, seconds, allSeconds }) {
      const all = fitting.length === seeds.length;
      tell(
        all
          ? `all that is open takes about ${duration(seconds)} and fits into ${duration(timeBudget ?? 0)}`
          : `of ${counted(seeds.length, "seed")}, ${fitting.length} (${fitting.join(", ")}) fit into ${duration(timeBudget ?? 0)}, in about ${duration(seconds)}; all would take about ${duration(allSeconds)}`,
      );
    },
    async onRun({ arm, seed, folder: run, number, of, secondsLeft }) {
      const left = secondsLeft === null ? "" : `; about ${duration(secondsLeft)} left`;
      tell(`\n${arm}, seed ${seed} (run ${number} of ${of}) in ${run}${left}`);
      progress = await showProgress(run, json ? process.stderr : process.stdout, said);
    },
    onRunEnd: () => progress.close(),
    onStage: (stage) => tell(`${stage} ...`),
  });
  stop.hasSaved();
  if (!compared) {
    tell(`\nstopped; what was trained is saved. Go on with:\n  codistill compare --resume ${folder}`);
    return;
  }
  await report(comparison, compared, { json });
}

async function report(
  { folder, reference }: Comparison,
  { open, failed }: Compared,
  { json }: { readonly json: boolean },
): Promise<void> {
  const tell = teller({ json });
  const { writeComparisonReport } = await import("../launch/comparison-report.js");
  const { html, markdown, figures } = writeComparisonReport(folder);
  if (json) say(JSON.stringify({ reference, figures, open, failed, html, markdown }, null, 2));
  const numSeeds = figures.reduce((most, { seeds }) => Math.max(most, seeds.length), 0);
  const sentences = [seedsSentence(numSeeds), ...verdictsOf(figures, reference)];
  const lines = comparisonLines(
    figures.map(rowOf),
    { reference, sentences },
    widthOf(json ? process.stderr : process.stdout),
  );
  tell(`\n${lines.join("\n")}`);
  tell(`\nreport   ${html}`);
  tell(`         ${markdown}`);
  if (open.length > failed.length)
    tell(`next: codistill compare --resume ${folder} trains the ${counted(open.length, "run")} that are open`);
  if (failed.length === 0) return;
  tell(
    `groups of ${counted(failed.length, "run")} failed, which are left out: ${failed.join(", ")}; their logs say why`,
  );
  process.exitCode = FAILED;
}

function rowOf({ arm, seeds, loss, less, toTarget, changed }: ArmFigures) {
  const fixed = (value: number) => value.toFixed(4);
  return {
    arm,
    seeds: seeds.length,
    loss: loss.length < 2 ? fixed(mean(loss)) : `${fixed(mean(loss))} ± ${fixed(std(loss))}`,
    less: rangeOf(less, signed),
    steps: rangeOf(toTarget?.ratio ?? null, (value) => value.toFixed(2)),
    changed: rangeOf(changed, (share) => `${(100 * share).toFixed(2)} %`),
  };
}

/** The command as it was typed, for the report. */
function typed(): string {
  const word = (one: string) => (/^[\w@%+=:,./-]+$/.test(one) ? one : `'${one.replaceAll("'", `'\\''`)}'`);
  return ["codistill", ...process.argv.slice(2).map(word)].join(" ");
}

async function chosen(
  path: string | undefined,
  flags: CompareFlags,
  cacheFolder: string,
  { stop, said }: { readonly stop: Stop; readonly said: Set<string> },
): Promise<Comparison> {
  const { arms: names, arm, seeds = DEFAULT_SEEDS, target = { kind: "reference" }, runs, resume, set } = flags;
  if (resume !== undefined) return goneOnWith(path, flags, resume);
  // What is wrong with arms is said before data is read and a configuration written.
  const own = arm.map(parseArm);
  const wanted = names ?? (own.length > 0 ? [] : DEFAULT_ARMS);
  const reference = referenceOf(namesOfArms(wanted, own), flags.reference);
  // The budget is that of all runs, and none of them is shortened for it.
  const { timeBudget: _, ...ofData } = flags;
  const made = await configOf(path, ofData, { cacheFolder, signal: stop.signal, say: teller(flags), said });
  if (made === undefined) {
    throw new ConfigError(
      "a comparison is of data or of a configuration, and neither is given: add one, as in --data rides.csv --label late",
    );
  }
  const base = await loadConfig(made, set);
  const arms = await armsWith(chosenArms(wanted, own, base), (options) => loadConfig(made, [...set, ...options]));
  checkReference(arms, reference);
  const folder = newRunFolder(runs, `${base.name}-compare`);
  return { folder, base, arms, seeds, reference, target, commands: [typed()] };
}

function referenceOf(names: readonly string[], given: string | undefined): string {
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

function goneOnWith(path: string | undefined, flags: CompareFlags, folder: string): Comparison {
  const { arms, arm, reference, target, set } = flags;
  if (path !== undefined || arms || arm.length > 0 || reference !== undefined || target || set.length > 0) {
    throw new ConfigError(
      "--resume goes on with the arms, the reference and the target that were declared before the runs; leave all but --seeds out",
    );
  }
  const before = openComparison(folder);
  const seeds = flags.seeds ?? before.seeds;
  const lost = before.seeds.filter((seed) => !seeds.includes(seed));
  if (lost.length > 0) {
    throw new ConfigError(
      `--seeds: a comparison goes on with its seeds, to which others may come, and ${lost.join(", ")} would be left out. Name at least ${before.seeds.join(",")}.`,
    );
  }
  const more = { ...before, seeds: [...before.seeds, ...seeds.filter((seed) => !before.seeds.includes(seed))] };
  return { ...more, commands: [...before.commands, typed()] };
}
