/** How far the models of an arm's seeds are apart, measured once and kept in the folder of the comparison. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { TrainingError } from "../../errors.js";
import type { Members } from "../../run/apart.js";
import { differences } from "../../run/config-diff.js";
import type { RunConfig } from "../../run/schema.js";
import { type BestParams, readOwnBest } from "../../run/score.js";
import { IN_USE } from "../../study/arms.js";
import { threadedEngine } from "../ort/threaded-engine.js";
import { type ComparedArm, type Comparison, type RunOf, runsBySeed } from "../runs/comparison.js";
import { type Kept, readApart } from "../runs/measured.js";
import { encodeRunFile } from "../runs/run-file.js";
import { runFolder } from "../runs/run-folder.js";
import { resultOfRun } from "../runs/run-result.js";
import { directoryStore } from "../stores/directory-store.js";
import { hasFinished } from "./finish.js";
import { readerOf } from "./kinds.js";

export interface ArmSeeds {
  readonly comparison: Comparison;
  readonly arm: ComparedArm;
  /** That of the runs. */
  readonly config: RunConfig;
  readonly done: readonly { readonly seed: number; readonly folder: string }[];
}

/** Rejects with the reason of `stop` when that cancels it. */
export async function apartOf(
  { comparison, arm, config, done }: ArmSeeds,
  { cacheFolder, stop }: { readonly cacheFolder: string; readonly stop: AbortSignal },
): Promise<Kept> {
  const file = join(comparison.folder, `apart-${arm.name}.json`);
  const inUse = inUseOf(comparison, arm, config);
  const seeds = [...(inUse ? [inUse.seed] : []), ...done.map(({ seed }) => seed)];
  if (existsSync(file)) {
    const kept = readApart(file);
    if (JSON.stringify(kept.seeds) === JSON.stringify(seeds)) return kept;
  }
  const own = await Promise.all(done.map(({ folder }) => membersOf(folder, arm.ensembleOf !== undefined)));
  const models: Members = inUse ? [await membersOf(inUse.folder, false), ...own] : own;
  const data = await (await readerOf(config)).prepare(config, { cacheFolder, onProgress: () => {}, signal: stop });
  const engine = threadedEngine({ threads: availableParallelism() });
  try {
    const { pairs, refinementLosses } = await data.apart(engine, models, stop);
    const seedOf = (i: number) => seeds[i] as number;
    const measured: Kept = {
      apart: (pairs ?? []).map(({ of: [a, b], ...pair }) => ({
        arm: arm.name,
        seeds: [seedOf(a), seedOf(b)] as const,
        ...pair,
      })),
      refined: (refinementLosses ?? [])
        .map((refinementLoss, i) => ({ arm: arm.name, seed: seedOf(i), refinementLoss }))
        .slice(inUse ? 1 : 0),
    };
    await directoryStore(comparison.folder).put(basename(file), encodeRunFile({ seeds, ...measured }));
    return measured;
  } finally {
    await engine.close();
  }
}

/** The run of the model in use, where there is one, with which other models of its network are compared as with one another. */
function inUseOf(comparison: Comparison, arm: ComparedArm, config: RunConfig): RunOf | null {
  if (arm.name === IN_USE) return null;
  const run = runsBySeed(comparison)
    .flatMap(({ runs }) => runs)
    .find(({ arm: { name }, folder }) => name === IN_USE && hasFinished(folder));
  if (!run) return null;
  // Another network has no place for its params; which part of the data a group learns from does not matter.
  const shape = ({ model, data, task }: RunConfig) => ({ model, task: task.kind, data: { ...data, regime: null } });
  return differences(shape(run.arm.config), shape(config)).length === 0 ? run : null;
}

/** The best params of the group that a run ships, or of all of its groups. */
async function membersOf(path: string, isEnsemble: boolean): Promise<BestParams[]> {
  const { groups, shippedGroup } = resultOfRun(path);
  const wanted = isEnsemble ? groups.map(({ group }) => group) : [shippedGroup];
  return Promise.all(
    wanted.map(async (group) => {
      const folder = runFolder(path).group(group).path;
      const best = await readOwnBest(directoryStore(folder), group, () => {});
      if (best) return best;
      throw new TrainingError(
        `the best params of group ${group} are not in ${folder}, and models are compared by them. Put them back.`,
      );
    }),
  );
}
