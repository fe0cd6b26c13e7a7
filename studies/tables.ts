/**
 * Tables of every shape by one command without any override, against gradient boosting and a linear model on the same rows:
 * `npm run study:tables`; `npm run study:tables -- --help`.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { Option } from "commander";
import { sourceCommit } from "../bench/machine.js";
import { messageOf } from "../src/errors.js";
import { say } from "./runner.js";
import { runTableStudy, type TableStudyOptions, tableTrials, withEarlier } from "./tables/command.js";
import { keptPeer, type PeerName, type PeerOutcome, peers, peerVersions, trainPeer } from "./tables/peers.js";
import { type Outcome, outcomeLine, peerLine, writeTables } from "./tables/report.js";
import { type SplitRows, writeSplitRows } from "./tables/rows.js";
import { sourceFile } from "./tables/sources.js";
import { keptOwn, ownConfig, type TableTrial, trainOwn, trialName } from "./tables/trial.js";

interface Options extends TableStudyOptions {
  readonly peersOnly?: boolean;
  readonly ownOnly?: boolean;
}

runTableStudy<Options>(
  "tables",
  "Train each table by codistill's command, by gradient boosting and by a linear model, one after another, and report.",
  study,
  [
    new Option("--peers-only", "train what codistill is held against, and not codistill"),
    new Option("--own-only", "train codistill, and not what it is held against").conflicts("peersOnly"),
  ],
);

async function study({
  out,
  work,
  peersOnly = false,
  ownOnly = false,
  untimed = false,
  reportOnly = false,
  also,
  ...which
}: Options): Promise<void> {
  const versions = await peerVersions();
  const trials = tableTrials(which);
  const outcomes: Outcome[] = [];
  for (const [i, trial] of trials.entries()) {
    const done = doneTrial(trial, work, reportOnly ? undefined : sourceCommit());
    if (done) outcomes.push(done);
    if (done || reportOnly) continue;
    say(`[${i + 1}/${trials.length}] ${trialName(trial)}`);
    try {
      const outcome = await runTrial(trial, work, { peersOnly, ownOnly, timed: !untimed });
      if (!outcome) continue;
      say(`    ${outcomeLine(outcome)}`);
      outcomes.push(outcome);
    } catch (error) {
      // The others take hours, and are of use without it.
      say(`    ${trialName(trial)} failed: ${messageOf(error)}`);
      process.exitCode = 1;
    }
  }
  if (peersOnly || ownOnly) return;
  const all = withEarlier(outcomes, also, (figures) =>
    (figures as { readonly tables: readonly { readonly seeds: readonly Outcome[] }[] }).tables.flatMap(
      ({ seeds }) => seeds,
    ),
  );
  if (all.length === 0) throw new Error(`nothing is done in ${work}`);
  if (outcomes.length < trials.length) say(`note: ${trials.length - outcomes.length} of ${trials.length} are not done`);
  for (const file of writeTables(all, versions, out)) say(`wrote ${file}`);
}

const placeOf = (work: string, trial: TableTrial) => resolve(work, "trials", trialName(trial));
const keptPeers = (work: string) => resolve(work, "peers");

/** A trial of which all is there, with codistill of this commit, or of any; null otherwise. */
function doneTrial(trial: TableTrial, work: string, commit?: string | null): Outcome | null {
  const own = keptOwn(placeOf(work, trial), commit);
  const file = join(placeOf(work, trial), "rows.json");
  if (!own || !existsSync(file)) return null;
  const rows: SplitRows = JSON.parse(readFileSync(file, "utf8"));
  const found = peers.map(({ name }) => [name, keptPeer(name, own.digest, trial.seed, keptPeers(work))] as const);
  if (rows.digest !== own.digest || found.some(([, outcome]) => outcome === null)) return null;
  return { ...trial, rows, own, peers: Object.fromEntries(found) as Outcome["peers"] };
}

/** Train all on the rows of a trial; null where only some are trained. */
async function runTrial(
  trial: TableTrial,
  work: string,
  { peersOnly, ownOnly, timed }: { readonly peersOnly: boolean; readonly ownOnly: boolean; readonly timed: boolean },
): Promise<Outcome | null> {
  const folder = placeOf(work, trial);
  const source = await sourceFile(trial.table, resolve(work, "sources"));
  const rows = await writeSplitRows(await ownConfig(trial, source), trial.table, folder);
  try {
    const trained: [PeerName, PeerOutcome][] = [];
    for (const { name } of ownOnly ? [] : peers) {
      const kept = keptPeer(name, rows.digest, trial.seed, keptPeers(work));
      const outcome = kept ?? (await trainPeer(name, rows, trial.seed, folder, keptPeers(work), timed));
      trained.push([name, outcome]);
      if (peersOnly) say(`    ${peerLine(name, outcome)}`);
    }
    if (peersOnly) return null;
    const own = await trainOwn(trial, source, { digest: rows.digest, numTest: rows.counts.test }, folder, timed);
    if (ownOnly) {
      say(`    codistill ${own.testLoss.toFixed(4)}, ${Math.round(own.seconds)} s`);
      return null;
    }
    return { ...trial, rows, own, peers: Object.fromEntries(trained) as Outcome["peers"] };
  } finally {
    rmSync(rows.file);
  }
}
