/** Slurm: a job array, one group an element, so that groups are scheduled, die and are put back in the queue one by one. */
import { groupCommand, type Launch, type Plan } from "../plan.js";
import { foldedLine, quoted } from "../shell.js";

/** Seconds before the end of a job's time at which it is told. */
const NOTICE_SECONDS = 60;

export function slurm(plan: Plan): Launch {
  const name = `${plan.name}.slurm.sh`;
  return {
    files: [{ name, text: script(plan) }],
    lines: [{ does: "put all groups in the queue", words: ["sbatch", ...plan.options, name] }],
    jobs: [],
    notes: [
      "limits of your cluster are options of sbatch, as in --option=--partition=long --option=--time=12:00:00",
      ...(plan.threads === null ? ["each worker gets one processor; --threads gives a group more"] : []),
    ],
  };
}

function script(plan: Plan): string {
  const { workers, processes } = plan;
  const cpus = Math.max(1, Math.floor((plan.threads ?? workers) / workers));
  const step = [
    "srun",
    `--mpi=${workers > 1 ? plan.mpi : "none"}`,
    "--cpu-bind=none",
    "--kill-on-bad-exit=1",
    // Slurm may show all processors of the node, whoever has them.
    ...groupCommand(plan, '"$group"', { threads: cpus * workers, ...(workers === 1 && { workers }) }, quoted),
  ];
  return `#!/usr/bin/env bash
# Made by codistill launch: trains ${plan.name}, one group in each element of the array.
#SBATCH --job-name=${plan.name}
#SBATCH --array=0-${plan.numGroups - 1}
#SBATCH --nodes=1
#SBATCH --ntasks=${processes}
#SBATCH --cpus-per-task=${cpus}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@${NOTICE_SECONDS}
set -u
cd ${quoted(plan.folder)} || exit 1
group=$SLURM_ARRAY_TASK_ID
job=\${SLURM_ARRAY_JOB_ID}_$group
step='' told='' interrupted=''

# ${NOTICE_SECONDS} s before the end of its time this shell gets SIGTERM. Its step gets SIGUSR1, as srun takes SIGTERM as the word
# to kill. The signal is sent again until the step has ended: it is lost on tasks that are just being started.
notice() {
  told=yes interrupted=yes
  # Started by a shell between, so that $! is not what the trap began.
  [ -z "$step" ] || (while kill -USR1 "$step" 2>/dev/null; do sleep 5; done &)
}
trap notice TERM

for ((start = 0; start <= ${plan.restarts}; start++)); do
  ${foldedLine(step, "    ", 118)} &
  step=$!
  # SIGTERM may have come before there was a step to tell.
  [ -z "$told" ] || notice
  # A signal ends the waiting, and not the step; the next waiting too, if it came just after one.
  while interrupted=''; wait "$step"; code=$?; [ -n "$interrupted" ] || kill -0 "$step" 2>/dev/null; do :; done
  step=''
  # 0: trained, or saved after a notice. 2: refused, as it would be again.
  if [ -n "$told" ] || [ "$code" -eq 0 ] || [ "$code" -eq 2 ]; then break; fi
  echo "group $group ended with code $code at start $((start + 1)) of ${plan.restarts + 1}"
  sleep $((2 ** start)) &
  wait $!
  [ -z "$told" ] || break
done

# Told and not refused: back into the queue, where the next start goes on. A job that is cancelled is no longer running.
if [ -n "$told" ] && [ "$code" -ne 2 ] && [ "$(squeue --noheader --jobs="$job" --format=%T)" = RUNNING ]; then
  echo "group $group is put back in the queue"
  scontrol requeue "$job"
fi
exit "$code"
`;
}
