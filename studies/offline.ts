/** Students of models that have finished: what codistillation could come to if teachers were as good from the first step on. */
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { NO_SEAL, SEAL, seal } from "../src/checkpoint/seal.js";
import { modelMetadata } from "../src/node/launch/finish.js";
import { runFolder } from "../src/node/runs/run-folder.js";
import { directoryStore } from "../src/node/stores/directory-store.js";
import { predict } from "../src/node/table/predict.js";
import { tableReader } from "../src/node/table/table-reader.js";
import { configOfKind } from "../src/run/kinds/kinds.js";
import type { TableRunConfig } from "../src/run/kinds/table.js";
import { readBest } from "../src/run/score.js";
import type { Arm, Trial } from "./arms.js";
import { flightsStudy } from "./flights-study.js";
import type { Study } from "./runner.js";
import { CACHE } from "./trial.js";

/** Arms of students, and what teaches them: options of a configuration, for the run of the teachers and its folder. */
export interface Students {
  readonly arms: readonly Arm[];
  readonly taughtBy: (run: TableRunConfig, folder: string) => Promise<readonly string[]>;
}

/** With weight w the loss is (1 - w) of that on labels and w of that against what the teachers predict, from the first step on. */
function studentsOf(name: string, teacher: string, weights: readonly number[]): readonly Arm[] {
  return (["disjoint", "all"] as const).flatMap((regime) =>
    weights.map((weight) => ({
      name: `${name}${regime === "all" ? "-all" : ""}-${weight}`,
      what: `two students ${teacher}, ${regime === "all" ? "both on all data" : "each on its half"}, weight ${weight}`,
      options: ["algorithm.distillWeight=0", `data.regime=${regime}`, `teacherWeight=${weight}`],
    })),
  );
}

/** Taught by the mean of both models, of which one has trained on the row. */
export const ensembleTaught: Students = {
  arms: studentsOf("student", "of the finished ensemble of `single`", [0.5, 0.9]),
  async taughtBy(run, folder) {
    const files = await exportedGroups(run, folder);
    return [`teachers=${JSON.stringify(files.map((file) => ({ model: resolve(file) })))}`];
  },
};

/** Taught, row by row, by the one model of the two that has not trained on it. */
export const crossTaught: Students = {
  arms: studentsOf(
    "student-crossed",
    "of the finished groups of `single`, each row by the one that has not trained on it",
    [0.5, 0.9],
  ),
  async taughtBy(run, folder) {
    const shardBy = run.data.shardBy;
    if (shardBy === undefined || run.numGroups !== 2)
      throw new Error("internal: the halves of the flights are told apart by data.shardBy");
    const file = await withPredictions(run, folder);
    // The half of a row is its hash slot modulo 2, and a slot is the hash modulo 4,096.
    const other = `case when md5_number_lower(${shardBy}) % 2 = 0 then probability_true_2 else probability_true end`;
    return [`data.source=${JSON.stringify([resolve(file)])}`, `teachers=${JSON.stringify([{ column: other }])}`];
  },
};

/** Between the seed of teachers and that of their students, which have the same halves and other first params. */
const STUDENT_SEED = 100;

/** As {@link flightsStudy}, of students of the run that `teachersOf` names, which must be done. */
export function offlineStudy(
  { taughtBy }: Students,
  teachersOf: (trial: Trial) => { readonly trial: Trial; readonly folder: string },
): Study {
  return {
    ...flightsStudy,
    async configOf(trial) {
      const teachers = teachersOf(trial);
      const run = configOfKind(await flightsStudy.configOf(teachers.trial), "table", "this study");
      const options = [
        ...trial.arm.options,
        `seed=${trial.seed + STUDENT_SEED}`,
        ...(await taughtBy(run, teachers.folder)),
      ];
      return flightsStudy.configOf({ ...trial, arm: { ...trial.arm, options } });
    },
  };
}

/** The source of a run with two groups, and beside each row what they predict, as `probability_true` and `probability_true_2`. */
async function withPredictions(run: TableRunConfig, folder: string): Promise<string> {
  const file = join(folder, "predicted.parquet");
  if (existsSync(file)) return file;
  const [first = "", second = ""] = await exportedGroups(run, folder);
  const half = join(folder, "predicted-half.parquet");
  await predict(first, run.data.source, { out: half, cacheFolder: CACHE });
  // Under another name until it is whole.
  const whole = join(folder, "predicted-whole.parquet");
  await predict(second, half, { out: whole, cacheFolder: CACHE });
  renameSync(whole, file);
  rmSync(half);
  return file;
}

/** The best params of every group of a run on a table as a model of its own, beside the run; gives the files. */
async function exportedGroups(config: TableRunConfig, path: string): Promise<string[]> {
  const files = Array.from({ length: config.numGroups }, (_, group) => join(path, `model-${group}.onnx`));
  if (files.every((file) => existsSync(file))) return files;
  const data = await tableReader.prepare(config, {
    cacheFolder: CACHE,
    onProgress() {},
    signal: new AbortController().signal,
  });
  for (const [group, file] of files.entries()) {
    const best = await readBest(directoryStore(runFolder(path).group(group).path));
    if (!best) throw new Error(`group ${group} of ${path} has no best params`);
    const { "model.onnx": bytes } = data.exported(best, { ...modelMetadata(config, best, data), [SEAL]: NO_SEAL });
    if (!bytes) throw new Error("internal: a run on a table ships an ONNX model");
    writeFileSync(file, Buffer.concat(await seal(bytes, "onnx")));
  }
  return files;
}
