/** Studies that are killed and gone on with, held against the same ones that were not stopped: `compare`, `churn` and `sweep`. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { runFolder } from "../../src/node/runs/run-folder.js";
import { allGone, type Workplace } from "./fixture.js";
import { type Ended, eventually } from "./processes.js";

/** A study, and the moment at which it is killed. */
export interface KilledStudy {
  readonly command: "compare" | "churn" | "sweep";
  /** A configuration and flags of runs that have the same bits each time. */
  readonly args: readonly string[];
  /** The run that is at work or was the last one then. */
  readonly run: string;
  /** In that run after a validation, or when all runs are done and models are compared. */
  readonly when: "training" | "measuring";
  /** A run that is done by then. */
  readonly done: string;
}

/** The same study, once as a whole and once killed and gone on with. */
export interface WentOn {
  readonly whole: { readonly folder: string; readonly ended: Ended };
  readonly cut: { readonly folder: string };
  /** Fails where the run that was done before the kill has been done again. */
  assertKept(): void;
}

/** What was measured, without times. */
function measuredIn(folder: string): unknown {
  const { outcomes, apart, refined } = JSON.parse(readFileSync(join(folder, "measured.json"), "utf8"));
  const timeless = outcomes.map(
    ({ seconds: _, curve, ...outcome }: { seconds: number; curve: { seconds: number }[] }) => ({
      ...outcome,
      curve: curve.map(({ seconds: __, ...point }) => point),
    }),
  );
  return { outcomes: timeless, apart, refined };
}

/** The folder that a program has made in a folder of its own; null before that. */
export function onlyFolderIn(runs: string): string | null {
  const [name] = existsSync(runs) ? readdirSync(runs) : [];
  return name === undefined ? null : join(runs, name);
}

/**
 * Train a study as a whole; begin it again, see that a second program is refused, kill it, and go on with it: nothing that was done is
 * done again, and what is measured is the same to the bit.
 */
export async function killedAndGoneOnWith(
  place: Workplace,
  { command, args, run, when, done }: KilledStudy,
): Promise<WentOn> {
  const runs = place.path(`whole-${command}`);
  const ended = await place.codistill([command, ...args, "--json", "--runs", runs]).ended;
  assert.equal(ended.code, 0, ended.shown);
  const folder = onlyFolderIn(runs) as string;

  const cutRuns = place.path(`cut-${command}`);
  const begun = place.codistill([command, ...args, "--runs", cutRuns]);
  const begins = () => {
    const own = onlyFolderIn(cutRuns);
    return own !== null && readdirSync(own).some((name) => existsSync(runFolder(join(own, name)).log)) ? own : null;
  };
  const own = await eventually("the first run", begins, begun.output);
  const second = await place.command([command, "--resume", own]);
  assert.equal(second.code, 2, second.shown);
  assert.match(second.stderr, /process \d+ on .* is at work in/, second.shown);

  const log = runFolder(join(own, run)).group(0).log;
  const isThere = {
    training: () => existsSync(log) && /"event":"validation"/.test(readFileSync(log, "utf8")),
    measuring: () => /^measuring /m.test(begun.output()),
  }[when];
  await eventually(`${when} of ${run}`, () => (isThere() ? true : null), begun.output);
  process.kill(begun.pid, "SIGKILL");
  const killed = await begun.ended;
  assert.equal(killed.signal, "SIGKILL", `it ended before it was killed: ${killed.shown}`);
  await allGone(runFolder(join(own, run)), begun.output);
  assert.ok(!existsSync(join(own, "measured.json")), "all was done before it was killed");

  const scored = runFolder(join(own, done)).result;
  const before = statSync(scored).mtimeMs;
  const assertKept = () => assert.equal(statSync(scored).mtimeMs, before, "a run that was done was done again");
  const again = await place.codistill([command, "--resume", own]).ended;
  assert.equal(again.code, 0, again.shown);
  assertKept();
  assert.deepEqual(measuredIn(own), measuredIn(folder), again.shown);
  return { whole: { folder, ended }, cut: { folder: own }, assertKept };
}
