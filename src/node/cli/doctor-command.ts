/** The command that says what this machine has for a run, and what to mend. */
import type { Command } from "commander";
import { launcherOf } from "../comm/mpi/launcher.js";
import type { Finding, Status } from "../doctor/finding.js";
import { engineFinding, mpiFindings, packageFindings } from "../doctor/libraries.js";
import { machineFindings, machineHere, sharedMemoryFindings } from "../doctor/machine.js";
import { probed } from "../doctor/probe.js";
import type { Answers } from "../doctor/probe-main.js";
import { storeFindings } from "../doctor/store.js";
import { FAILED } from "../launch/exit-codes.js";
import { say } from "./output.js";

interface DoctorFlags {
  readonly store?: string;
  readonly json?: boolean;
}

const WIDTH = 80;
const SUBJECT_WIDTH = 14;

/** Add the flags of `codistill doctor`. */
export function withDoctorFlags(command: Command): Command {
  return command
    .description(
      "say what this machine has for a run, and what to mend; under mpirun or srun also whether processes meet",
    )
    .option("--store <store>", "put a value into this store, get it and remove it")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  codistill doctor\n  codistill doctor --store /shared/flights\n  mpirun -n 2 codistill doctor",
    );
}

/** Look at everything, and print it. Of several processes all look, and the first one of a launcher prints. */
export async function doctorCommand({ store, json = false }: DoctorFlags): Promise<void> {
  const launcher = launcherOf(process.env);
  const isFirst = (launcher.rank ?? 0) === 0;
  const machine = machineHere();
  // All processes of a launcher must begin with MPI for one to begin.
  const mpi = await probed<Answers["mpi"]>("mpi");
  if (!isFirst) {
    if (mpiFindings(launcher, mpi).some(({ status }) => status === "trouble")) process.exitCode = FAILED;
    return;
  }
  const findings = [
    ...machineFindings(machine),
    engineFinding(await probed<Answers["engine"]>("engine")),
    ...packageFindings(await probed<Answers["packages"]>("packages")),
    ...mpiFindings(launcher, mpi),
    ...(launcher.kind === "none" ? [] : sharedMemoryFindings(machine)),
    ...(store === undefined ? [] : await storeFindings(store)),
  ];
  const troubles = findings.filter(({ status }) => status === "trouble").length;
  if (json) say(JSON.stringify(findings, null, 2));
  else say([...findings.flatMap(findingLines), "", conclusion(troubles, store)].join("\n"));
  if (troubles > 0) process.exitCode = FAILED;
}

function conclusion(troubles: number, store: string | undefined): string {
  if (troubles > 0) return `${troubles === 1 ? "one trouble" : `${troubles} troubles`} to mend`;
  return store === undefined ? "no trouble; --store <store> tries a store too" : "no trouble";
}

const marks: { readonly [S in Status]: string } = { ok: "ok", warning: "warning", trouble: "TROUBLE" };

/** A finding in lines of 80 characters: what was looked at, what was found, and below it what to do. */
function findingLines({ subject, status, found, cure }: Finding): string[] {
  const head = `${marks[status].padEnd(8)} ${subject.padEnd(SUBJECT_WIDTH)}`;
  const indent = " ".repeat(head.length);
  const lines = [...wrapped(found), ...(cure === undefined ? [] : wrapped(cure))];
  return lines.map((line, i) => (i === 0 ? head : indent) + line);
}

/** Text in lines that fit beside the subject; a word that is longer has a line of its own. */
function wrapped(text: string): string[] {
  const width = WIDTH - 9 - SUBJECT_WIDTH;
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
