/**
 * What each part of the training of tables brings, by leaving it out: `npm run study:parts`; `npm run study:parts -- --help`.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { sourceCommit } from "../bench/machine.js";
import { messageOf } from "../src/errors.js";
import { duration } from "../src/report/format.js";
import { fixed } from "./report.js";
import { say, wholeNumbers } from "./runner.js";
import { type Table, tables, tablesNamed } from "./tables/list.js";
import { AS_IT_IS, type PartOutcome, type PartTrial, writeParts } from "./tables/part-report.js";
import { type Part, parts, type Written } from "./tables/parts.js";
import { sourceFile } from "./tables/sources.js";
import { type TableTrial, trainBy, trialName, writtenConfig } from "./tables/trial.js";

interface Options {
  readonly only: readonly Table[];
  readonly seeds: readonly number[];
  readonly out: string;
  readonly work: string;
  readonly reportOnly?: boolean;
}

new Command("npm run study:parts --")
  .description(
    "Train each table as codistill's command does, and once without each part, one after another, and report. What is done is never done again, unless codistill's source is another one.",
  )
  .addOption(
    new Option("--only <tables>", "some of the tables, parted by commas").argParser(tablesNamed).default(tables, "all"),
  )
  .option("--seeds <list>", "as in 1,2,3", wholeNumbers, [1, 2, 3])
  .option("--out <folder>", "where the report goes", "bench/results")
  .option("--work <folder>", "where tables and outcomes are kept", ".codistill/tables")
  .option("--report-only", "report what there is, of whichever source")
  .showHelpAfterError("(npm run study:parts -- --help tells more)")
  .action(study)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

async function study({ only, seeds, out, work, reportOnly = false }: Options): Promise<void> {
  const trials = only.flatMap((table) =>
    table.splits.flatMap((split) => seeds.map((seed): TableTrial => ({ table, split, seed }))),
  );
  const done: PartTrial[] = [];
  for (const [i, trial] of trials.entries()) {
    const outcomes: Record<string, PartOutcome> = {};
    const folder = resolve(work, "parts", trialName(trial));
    let config: Written | undefined;
    for (const { name, change } of [AS_IT_IS, ...parts]) {
      const file = join(folder, `${name}.json`);
      const kept = keptOutcome(file, reportOnly ? undefined : sourceCommit());
      if (kept) outcomes[name] = kept;
      if (kept || reportOnly) continue;
      config ??= (await writtenConfig(trial, await sourceFile(trial.table, resolve(work, "sources")))) as Written;
      const changed = change(config);
      if (changed === null) continue;
      outcomes[name] = await trainPart(changed, folder, file);
      say(`[${i + 1}/${trials.length}] ${trialName(trial)}, ${name}: ${outcomeLine(outcomes[name])}`);
    }
    const { [AS_IT_IS.name]: whole, ...others } = outcomes;
    if (whole) done.push({ ...trial, whole, others });
  }
  if (done.length === 0) throw new Error(`nothing is done in ${work}`);
  if (done.length < trials.length) say(`note: ${trials.length - done.length} of ${trials.length} are not done`);
  for (const file of writeParts(done, out)) say(`wrote ${file}`);
}

const outcomeLine = ({ testLoss, seconds }: PartOutcome) => `${fixed(testLoss)} in ${duration(seconds)}`;

/** What is kept in a file, of this source or of any; null where there is none. */
function keptOutcome(file: string, commit?: string | null): PartOutcome | null {
  if (!existsSync(file)) return null;
  const kept: PartOutcome = JSON.parse(readFileSync(file, "utf8"));
  // A commit with "+" does not tell one source from another.
  return commit === undefined || (kept.commit === commit && !commit?.endsWith("+")) ? kept : null;
}

async function trainPart(config: ReturnType<Part["change"]>, folder: string, file: string): Promise<PartOutcome> {
  const { testLoss, seconds, result } = await trainBy(config, folder);
  const shipped = result.groups[result.shippedGroup];
  const validationLoss = shipped?.validationLoss ?? Number.NaN;
  const outcome: PartOutcome = { testLoss, validationLoss, seconds, commit: sourceCommit() };
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(outcome)}\n`);
  return outcome;
}
