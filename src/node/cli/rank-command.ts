/** `codistill train` as one of the processes that a launcher of MPI started for one group. */
import { ConfigError } from "../../errors.js";
import type { RunConfig } from "../../run/schema.js";
import { isAsynchronous, workersAmong } from "../../run/workers.js";
import { agreeOn, followRanks, leadRanks, type Ranks } from "../launch/ranks.js";
import type { Led } from "../launch/train.js";
import { loadConfig } from "../runs/load-config.js";
import { type ChosenRun, chooseRun, goneOnWith, joinOf, overridesOf, type RunFlags } from "./chosen-run.js";
import { teller } from "./output.js";

/**
 * Train as one of these ranks. The configuration is read at all of them, and that of rank 0 is right; only rank 0 makes a run folder,
 * trains in it by `trainIn`, and says how it goes.
 *
 * Throws {@link ConfigError} where flags or the configuration are for something else than one group.
 */
export async function trainAsRank(
  ranks: Ranks,
  path: string | undefined,
  given: RunFlags,
  {
    cacheFolder,
    trainIn,
  }: { readonly cacheFolder: string; readonly trainIn: (run: ChosenRun, led: Led) => Promise<void> },
): Promise<void> {
  const { rank, size } = ranks.comm;
  const from = path ?? goneOnWith(given)?.config;
  if (from === undefined)
    throw new ConfigError("train needs a configuration, as in: mpirun -n 2 codistill train codistill.config.ts");
  const withWorkers = (workers: number) => ({ ...given, set: [...given.set, `workers=${workers}`] });
  const asShared = await loadConfig(from, overridesOf(withWorkers(size)));
  const workers = workersAmong(size, asShared);
  const flags = withWorkers(workers);
  const config = workers === size ? asShared : await loadConfig(from, overridesOf(flags));
  checkOneGroup(config, flags, size);
  await agreeOn(config, ranks);
  if (rank > 0) return followRanks(config, ranks, cacheFolder);

  const before = path === undefined ? workers : (await loadConfig(path, overridesOf(given))).workers;
  if (before !== workers && before !== 1) {
    const whoIs = isAsynchronous(config) ? `a leader and ${workers} workers` : "the workers";
    teller(flags)(
      `note: the launcher started ${size} processes, which are ${whoIs}; the configuration has workers ${before}`,
    );
  }
  const leader = leadRanks(ranks);
  await trainIn(await chooseRun(path, flags), { ranks, leader });
  await leader.close();
}

function checkOneGroup({ numGroups }: RunConfig, flags: RunFlags, size: number): void {
  if (numGroups === 1 || joinOf(flags) || goneOnWith(flags)) return;
  throw new ConfigError(
    `a launcher starts the workers of one group, and this run has ${numGroups} groups: give --store and --group, and each group a launcher of its own. ` +
      `With numGroups 1, all ${size} processes train one group.`,
  );
}
