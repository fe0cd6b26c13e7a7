/** `codistill train` as one of the processes that a launcher of MPI started for one group. */
import { ConfigError } from "../../errors.js";
import type { RunConfig } from "../../run/schema.js";
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
  const flags = { ...given, set: [...given.set, `workers=${size}`] };
  const from = path ?? goneOnWith(flags)?.config;
  if (from === undefined)
    throw new ConfigError("train needs a configuration, as in: mpirun -n 2 codistill train codistill.config.ts");
  const config = await loadConfig(from, overridesOf(flags));
  checkOneGroup(config, flags, size);
  if (config.algorithm.kind === "asyncSgd")
    throw new ConfigError(
      `workers of asynchronous SGD are threads of one process, and a launcher started ${size}; start it without one, with workers ${size}`,
    );
  await agreeOn(config, ranks);
  if (rank > 0) return followRanks(config, ranks, cacheFolder);

  const before = path === undefined ? size : (await loadConfig(path, overridesOf(given))).workers;
  if (before !== size && before !== 1)
    teller(flags)(
      `note: the launcher started ${size} processes, which are the workers; the configuration has workers ${before}`,
    );
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
