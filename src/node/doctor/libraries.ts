/** Whether the libraries that a run is made of work here: ONNX Runtime, packages, and MPI with its launcher. */
import type { Launcher } from "../comm/mpi/launcher.js";
import { mpirunFamily } from "../jobs/mpirun-family.js";
import { type Finding, ok, trouble, warning } from "./finding.js";
import type { Probed } from "./probe.js";
import type { Answers } from "./probe-main.js";

const REINSTALL = "Install the package again: npm install codistill --ignore-scripts.";

/** What each package is for; a run that needs none of it does without. */
const uses: Readonly<Record<string, string>> = {
  koffi: "MPI, locks on run folders, and training without copies",
  "@duckdb/node-api": "tables",
  "@aws-sdk/client-s3": "data in buckets",
  sharp: "image files",
};

export function engineFinding(probed: Probed<Answers["engine"]>): Finding {
  if ("trouble" in probed) return trouble("ONNX Runtime", probed.trouble, `Nothing can be trained. ${REINSTALL}`);
  const { version, binding, notices, milliseconds } = probed.answer;
  const found = `${version}, ${binding} binding; a product in ${milliseconds.toFixed(1)} ms`;
  if (notices.length === 0) return ok("ONNX Runtime", found);
  return warning("ONNX Runtime", `${found}; ${notices.join("; ")}`, "Steps are right and slower.");
}

export function packageFindings(probed: Probed<Answers["packages"]>): Finding[] {
  if ("trouble" in probed) return [warning("packages", probed.trouble, REINSTALL)];
  return probed.answer.map(({ name, version, why }) =>
    version !== null
      ? ok("package", `${name} ${version}`.trim())
      : warning(
          "package",
          `${name} does not load: ${why}`,
          `It is for ${uses[name]}: npm install ${name} --ignore-scripts.`,
        ),
  );
}

/** The library of MPI, and whether it goes with what started this process. */
export function mpiFindings(launcher: Launcher, probed: Probed<Answers["mpi"]>): Finding[] {
  const { kind, name, size, rank } = launcher;
  const started = kind === "none" ? "none" : `${name}: process ${rank ?? "?"} of ${size ?? "?"}`;
  if (kind === "slurm")
    return [
      trouble(
        "launcher",
        started,
        "Processes cannot find each other: srun --mpi=pmix with Open MPI, srun --mpi=pmi2 with MPICH.",
      ),
    ];
  if ("trouble" in probed) {
    if (kind === "none") return [ok("MPI", `none that works; workers are threads (${probed.trouble})`)];
    return [
      ok("launcher", started),
      trouble(
        "MPI",
        probed.trouble,
        "Install the library of the launcher: libopenmpi3 for Open MPI, libmpich12 for MPICH.",
      ),
    ];
  }
  const { version, family, size: seen, threadLevel } = probed.answer;
  const library = ok("MPI", `${version}; threads: ${threadLevel}`);
  if (kind === "none") return [library, mpirunFinding(family)];
  if (size !== null && size !== seen)
    return [
      ok("launcher", started),
      trouble(
        "MPI",
        `${version} sees ${seen} of ${size} processes`,
        "The launcher and the library must be of one family: start with the launcher of that library, or install the library of the launcher.",
      ),
    ];
  return [ok("launcher", started), library];
}

/** The launcher that `mpirun` is, beside the library that would be loaded without one. */
function mpirunFinding(family: string): Finding {
  const launcher = mpirunFamily("mpirun");
  if (launcher === null) return ok("mpirun", "none here, or of no known family");
  // With a launcher, the library is chosen by it; both families may be installed.
  const both = launcher === family ? "" : `, whose library is then looked for in place of ${family}`;
  return ok("mpirun", `of ${launcher}${both}; codistill doctor under it says whether it works`);
}
