/** A group for each host, by ssh; its workers are threads there. */
import { groupCommand, groupFolder, type Launch, type Plan } from "../plan.js";
import { quoted, shellLine } from "../shell.js";

/** Where nobody can type a password, and nobody sees that a host is silent: it is lost after two minutes. */
const UNATTENDED = ["-o", "BatchMode=yes", "-o", "ServerAliveInterval=30", "-o", "ServerAliveCountMax=4"] as const;

/**
 * What the shell of a host does with its folder and the words of a command: it runs the command, and when its input ends, which is
 * also how a lost connection looks there, tells it to save and end.
 */
const SCRIPT =
  'cd "$1" || exit 2; shift; exec 3<&0; "$@" </dev/null 3<&- & command=$!; ' +
  '{ cat <&3 >/dev/null; kill -TERM "$command"; } >/dev/null 2>&1 & watch=$!; ' +
  'wait "$command"; code=$?; kill "$watch" 2>/dev/null; exit "$code"';

export function ssh(plan: Plan): Launch {
  const { hosts, numGroups, workers, threads } = plan;
  const groups = Array.from({ length: numGroups }, (_, group) => ({
    group,
    host: hosts[group % hosts.length] as string,
    command: groupCommand(plan, group, { threads, workers }),
  }));
  const most = Math.ceil(numGroups / hosts.length);
  return {
    files: [],
    lines: groups.map(({ group, host, command }) => ({
      does: `train group ${group} on ${host}, in a terminal of its own`,
      words: ["ssh", "-t", ...plan.options, host, `cd ${quoted(plan.folder)} && exec ${shellLine(command)}`],
    })),
    jobs: groups.map(({ group, host, command }) => ({
      group,
      command: [
        "ssh",
        ...UNATTENDED,
        ...plan.options,
        host,
        shellLine(["sh", "-c", SCRIPT, "codistill", plan.folder, ...command]),
      ],
      runFolder: groupFolder(plan, group),
      stop: "end of input",
    })),
    notes: [
      `hosts need ssh without a password, the same paths as here, and the store in common, as on NFS: ${plan.store}`,
      ...(most > 1 && threads === null
        ? [`up to ${most} groups share a host, and each takes all of its cores; give --threads`]
        : []),
    ],
  };
}
