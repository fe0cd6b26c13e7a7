#!/usr/bin/env bash
# A run of two groups by a real Slurm on this machine: the script that `codistill launch --target slurm` makes, one element
# told to save and put back in the queue, both finished. Needs root, and Debian's packages
#   apt-get install --no-install-recommends slurmctld slurmd slurm-client munge libpmix-dev openmpi-bin mpich
# (libpmix-dev for the name by which Slurm's part for PMIx looks for that library).
# Daemons and files are those of a temporary folder; at the end the daemons are ended by their ids. Run by hand:
#   npm run build && scripts/slurm/try.sh [workers of a group, 1 by default]
set -euo pipefail
workers=${1:-1}
package=$(cd "$(dirname "$0")/../.." && pwd)
codistill=("$(command -v node)" "$package/dist/src/node/main.js")
place=$(mktemp -d)
# The daemon of munge wants its folders, and all above them, to be nobody else's to write.
munge=$(mktemp -d -p /run)
daemons=()

clean() {
  code=$?
  [ "$code" -eq 0 ] || tail -n 30 "$place"/*.log "$place"/run/slurm-*.out 2>/dev/null || true
  scancel --user=root 2>/dev/null || true
  [ ${#daemons[@]} -eq 0 ] || kill "${daemons[@]}" 2>/dev/null || true
  for pid in "${daemons[@]}"; do tail --pid="$pid" -f /dev/null; done
  rm -rf "$munge"
  [ "$code" -ne 0 ] || rm -rf "$place"
  exit "$code"
}
trap clean EXIT

# Wait until a command succeeds; fails after a minute.
until_true() {
  for _ in $(seq 300); do
    if "${@:2}"; then return; fi
    sleep 0.2
  done
  echo "$1 did not come about" >&2
  exit 1
}

say() { echo "== $*"; }

start_slurm() {
  host=$(hostname -s)
  mkdir "$place/state" "$place/spool"
  head -c 1024 /dev/urandom >"$munge/key"
  chmod 0700 "$munge"
  chmod 0400 "$munge/key"
  # The socket is for everybody, so the folder it lies in is another one.
  socket=$munge.socket
  mkdir -m 0755 "$socket"
  munged --foreground --key-file="$munge/key" --socket="$socket/socket" --pid-file="$munge/pid" --log-file="$munge/log" \
    --seed-file="$munge/seed" >"$place/munged.log" 2>&1 &
  daemons+=($!)
  until_true "the daemon of munge" test -S "$socket/socket"
  cat >"$place/slurm.conf" <<EOF
ClusterName=trial
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=46817
SlurmdPort=46818
AuthType=auth/munge
AuthInfo=socket=$socket/socket
SlurmUser=root
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/slurmd.pid
SlurmctldLogFile=$place/slurmctld.log
SlurmdLogFile=$place/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
KillWait=30
NodeName=$host NodeAddr=127.0.0.1 CPUs=$((2 * workers)) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP MaxTime=INFINITE
EOF
  export SLURM_CONF=$place/slurm.conf
  slurmctld -D -c >"$place/slurmctld.out.log" 2>&1 &
  daemons+=($!)
  slurmd -D -c >"$place/slurmd.out.log" 2>&1 &
  daemons+=($!)
  until_true "an idle node" sh -c 'sinfo --noheader --format=%T 2>/dev/null | grep -q idle'
}

state_of() { squeue --noheader --jobs="$1" --format=%T --states=all 2>/dev/null || true; }
# The log of a group has this event, so often.
has_event() { [ "$(cat "$place/run/runs/$1/group-${1##*-}/log.jsonl" 2>/dev/null | grep -c "\"event\":\"$2\"")" -ge "$3" ]; }
has_ended() { case $(state_of "$1") in "" | COMPLETED | CANCELLED) ;; *) return 1 ;; esac; }

say "Slurm $(slurmctld -V | cut -d' ' -f2) in $place"
start_slurm
mkdir "$place/run"
cd "$place/run"
"${codistill[0]}" --input-type=module --eval "
  import { writeFileSync } from 'node:fs';
  import { tinyConfig, tinyCsv } from '$package/dist/test/process/tiny.js';
  writeFileSync('rows.csv', tinyCsv());
  const trial = { ...tinyConfig, name: 'trial', numSteps: 20000, restarts: 1 };
  writeFileSync('trial.json', JSON.stringify(trial));
  writeFileSync('cancelled.json', JSON.stringify({ ...trial, name: 'cancelled', numSteps: 1000000, numGroups: 1 }));
"
for mpi in pmix pmi2; do
  say "codistill doctor under srun --mpi=$mpi"
  srun --ntasks=2 --mpi=$mpi --cpu-bind=none "${codistill[@]}" doctor | grep -E "launcher|MPI|trouble"
done
"${codistill[@]}" launch trial.json --target slurm --workers "$workers" --out . >launched.txt
say "the lines of codistill launch"
cat launched.txt
job=$(sbatch --parsable trial.slurm.sh)
for group in 0 1; do until_true "a checkpoint of group $group" has_event "trial-$group" checkpoint 1; done

say "SIGTERM to the script of group 0, as at the end of its time"
scancel --signal=TERM --batch "${job}_0"
until_true "the requeue of group 0" grep -q "group 0 is put back in the queue" slurm-"$job"_0.out
# Slurm lets a job that was put back wait for two minutes.
until_true "its place in the queue" sh -c "squeue --noheader --jobs=${job}_0 --format=%T | grep -q PENDING"
scontrol update JobId="${job}_0" StartTime=now
until_true "its second start" has_event trial-0 group-start 2
has_event trial-1 group-start 1 && ! has_event trial-1 group-start 2 || { echo "group 1 noticed" >&2; exit 1; }


for group in 0 1; do
  for _ in $(seq 10); do has_ended "${job}_$group" && break; sleep 6; done
  until_true "the end of group $group" has_ended "${job}_$group"
done

say "a job that is cancelled saves, and stays cancelled"
"${codistill[@]}" launch cancelled.json --target slurm --out . >/dev/null
cancelled=$(sbatch --parsable --output=cancelled.out cancelled.slurm.sh)
until_true "a checkpoint" has_event cancelled-0 checkpoint 1
scancel "${cancelled}_0"
until_true "its end" has_ended "${cancelled}_0"
state_of "${cancelled}_0"
! grep -q "back in the queue" cancelled.out

say "what the jobs said"
grep -hE "^(group [01] is|stopped|what was)|shipped" slurm-"$job"_*.out || true
"${codistill[@]}" runs
for group in 0 1; do test -s "runs/trial-$group/model.onnx"; done
say "both groups have finished, group 0 in two starts"
