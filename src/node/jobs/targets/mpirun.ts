/** MPI: one mpirun for each group, on this machine or across hosts. A group of one worker needs none. */
import { ConfigError } from "../../../errors.js";
import { groupCommand, groupFolder, type Job, type Launch, type MpirunFamily, type Plan } from "../plan.js";

/** How each family of launchers is given hosts, with the number of processes on each. */
const hostsFlag: { readonly [F in MpirunFamily]: string } = { openmpi: "-H", mpich: "-hosts" };

export function mpirun(plan: Plan): Launch {
  const { hosts, workers, numGroups } = plan;
  const groups = Array.from({ length: numGroups }, (_, group) => group);
  const threads = plan.threads ?? (hosts.length === 0 ? Math.max(workers, Math.floor(plan.cores / numGroups)) : null);
  const jobs = groups.map((group): Job => {
    const command = [
      ...launcher(plan, group),
      ...groupCommand(plan, group, { threads, ...(workers === 1 && { workers }) }),
    ];
    // Open MPI's mpirun ends its processes a second after a SIGTERM. Both families pass SIGUSR1 on, and end when they have ended.
    return { group, command, runFolder: groupFolder(plan, group), stop: workers > 1 ? "SIGUSR1" : "SIGTERM" };
  });
  const used = numGroups * workers;
  return {
    files: [],
    lines: jobs.map(({ group, command }) => ({
      does: `train group ${group}, in a terminal of its own`,
      words: command,
    })),
    jobs,
    notes: [
      ...(hosts.length === 0 && used > plan.cores
        ? [`${used} workers share the ${plan.cores} processors of this machine; fewer workers may be faster`]
        : []),
      ...(hosts.length > 0 ? ["hosts need ssh without a password, and the same paths as here"] : []),
    ],
  };
}

function launcher(plan: Plan, group: number): string[] {
  const { workers, processes, options } = plan;
  const { command, family } = plan.mpirun;
  const hosts = hostsOf(plan, group);
  if (workers === 1) {
    if (hosts.length > 0)
      throw new ConfigError(
        "--hosts: mpirun spreads the workers of a group over hosts, and here a group has one worker. Give --workers, or --target ssh, which trains a group on each host.",
      );
    return [];
  }
  const each = processes / Math.max(1, hosts.length);
  if (!Number.isInteger(each)) {
    const what = processes === workers ? "workers" : "processes (workers and their leader)";
    throw new ConfigError(
      `--hosts: each host of a group has equally many processes, and ${processes} ${what} are not a multiple of its ${hosts.length} hosts (${hosts.join(", ")})`,
    );
  }
  return [
    command,
    // Left to itself, mpirun gives each process a single core, with all its threads, and the groups the same cores.
    ...["--bind-to", "none"],
    ...["-n", String(processes)],
    ...(hosts.length > 0 ? [hostsFlag[family], hosts.map((host) => `${host}:${each}`).join(",")] : []),
    // More processes than cores are refused by Open MPI else.
    ...(family === "openmpi" && hosts.length === 0 && processes > plan.cores ? ["--oversubscribe"] : []),
    ...options,
  ];
}

/** The hosts of a group: an equal part of them, or one that it has together with other groups. */
function hostsOf({ hosts, numGroups }: Plan, group: number): readonly string[] {
  if (hosts.length === 0) return [];
  if (hosts.length % numGroups === 0) {
    const each = hosts.length / numGroups;
    return hosts.slice(group * each, (group + 1) * each);
  }
  if (numGroups % hosts.length === 0) return [hosts[group % hosts.length] as string];
  throw new ConfigError(
    `--hosts: the number of hosts must be a multiple of the number of groups, or a divisor of it, got ${hosts.length} hosts for ${numGroups} groups`,
  );
}
