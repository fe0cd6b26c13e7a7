/**
 * What each part of the training of tables brings, by leaving it out: `npm run study:parts`; `npm run study:parts -- --help`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { sourceCommit } from "../bench/machine.js";
import { duration } from "../src/report/format.js";
import { fixed } from "./report.js";
import { say } from "./runner.js";
import { runTableStudy, type TableStudyOptions, tableTrials, withEarlier } from "./tables/command.js";
import { AS_IT_IS, type PartOutcome, type PartTrial, writeParts } from "./tables/part-report.js";
import { type Part, parts, type Written } from "./tables/parts.js";
import { sourceFile } from "./tables/sources.js";
import { kept, trainBy, trialName, writtenConfig } from "./tables/trial.js";

runTableStudy(
  "parts",
  "Train each table as codistill's command does, and once without each part, one after another, and report.",
  study,
);

async function study({
  out,
  work,
  reportOnly = false,
  also,
  untimed = false,
  ...which
}: TableStudyOptions): Promise<void> {
  const trials = tableTrials(which);
  const done: PartTrial[] = [];
  for (const [i, trial] of trials.entries()) {
    const outcomes: Record<string, PartOutcome> = {};
    const folder = resolve(work, "parts", trialName(trial));
    let config: Written | undefined;
    for (const { name, change } of [AS_IT_IS, ...parts]) {
      const file = join(folder, `${name}.json`);
      const found = kept<PartOutcome>(file, reportOnly ? undefined : sourceCommit());
      if (found) outcomes[name] = found;
      if (found || reportOnly) continue;
      config ??= (await writtenConfig(trial, await sourceFile(trial.table, resolve(work, "sources")))) as Written;
      const changed = change(config);
      if (changed === null) continue;
      outcomes[name] = await trainPart(changed, folder, file, !untimed);
      say(`[${i + 1}/${trials.length}] ${trialName(trial)}, ${name}: ${outcomeLine(outcomes[name])}`);
    }
    const { [AS_IT_IS.name]: whole, ...others } = outcomes;
    if (whole) done.push({ ...trial, whole, others });
  }
  const all = withEarlier(done, also, (figures) => (figures as { readonly trials: readonly PartTrial[] }).trials);
  if (all.length === 0) throw new Error(`nothing is done in ${work}`);
  if (done.length < trials.length) say(`note: ${trials.length - done.length} of ${trials.length} are not done`);
  for (const file of writeParts(all, out)) say(`wrote ${file}`);
}

const outcomeLine = ({ testLoss, seconds }: PartOutcome) => `${fixed(testLoss)} in ${duration(seconds)}`;

async function trainPart(
  config: ReturnType<Part["change"]>,
  folder: string,
  file: string,
  timed: boolean,
): Promise<PartOutcome> {
  const { testLoss, seconds, result } = await trainBy(config, folder);
  const shipped = result.groups[result.shippedGroup];
  const validationLoss = shipped?.validationLoss ?? Number.NaN;
  const outcome: PartOutcome = { testLoss, validationLoss, seconds, timed, commit: sourceCommit() };
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(outcome)}\n`);
  return outcome;
}
