/** Offline distillation: an ensemble is trained, then a student of it (Hinton et al. 2015); or generations of both. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { ConfigError } from "../../errors.js";
import { type DistillationResult, gainKept } from "../../report/distillation.js";
import { configOfKind, kindNameOf } from "../../run/kinds/kinds.js";
import type { RunConfig } from "../../run/schema.js";
import { makeFolder } from "../files/plain-files.js";
import { type Generations, generationFolder, resultOf, teacherOf } from "../runs/generations.js";
import { loadConfig } from "../runs/load-config.js";
import { encodeRunFile } from "../runs/run-file.js";
import { isRun, runFolder } from "../runs/run-folder.js";
import { resultOfRun } from "../runs/run-result.js";
import { noteTeachers } from "../runs/text-teachers.js";
import { directoryStore } from "../stores/directory-store.js";
import { ensemble } from "./ensemble.js";
import { hasFinished } from "./finish.js";
import { train } from "./train.js";

export interface DistillOptions {
  /** Where prepared data is kept between runs. */
  readonly cacheFolder: string;
  /** Aborted to save and stop. */
  readonly stop: AbortSignal;
  /** Called before a generation is trained; `secondsLeft` is what it and the later ones will take, by those before it. */
  readonly onGeneration: (number: number, folder: string, secondsLeft: number | null) => Promise<void>;
  /** Called when it has ended, well or not. */
  readonly onGenerationEnd: () => void;
}

/**
 * Train every generation that has not finished, each but the first by what the finished one before predicts: its one model, or the
 * ensemble of its groups, which need not be alive any more. Null when it was stopped; the generation that was being trained is then saved.
 *
 * Throws what {@link train} and {@link ensemble} throw.
 */
export async function distill(
  generations: Generations,
  { cacheFolder, stop, onGeneration, onGenerationEnd }: DistillOptions,
): Promise<DistillationResult | null> {
  const numbers = generations.configs.map((_, i) => i + 1);
  const open = numbers.filter((number) => !hasFinished(generationFolder(generations, number)));
  let took = 0;
  for (const [i, number] of open.entries()) {
    if (stop.aborted) return null;
    const folder = generationFolder(generations, number);
    const own = generations.configs[number - 1] as RunConfig;
    const config = isRun(folder)
      ? await loadConfig(runFolder(folder).config)
      : number === 1
        ? own
        : await taughtBy(generations, number - 1, own, { cacheFolder, signal: stop });
    const started = performance.now();
    makeFolder(folder);
    await onGeneration(number, folder, i === 0 ? null : (took / i) * (open.length - i));
    const result = await train({ config, folder, cacheFolder, stop }).finally(onGenerationEnd);
    if (!result) return null;
    if (!hasFinished(folder)) {
      throw new ConfigError(
        `distill: a generation teaches once all its groups have finished, and not all of ${folder} have. Look at its log, and go on with codistill train --resume ${folder}, then with this distillation.`,
      );
    }
    took += (performance.now() - started) / 1000;
  }
  const results = numbers.map((number) => resultOfRun(generationFolder(generations, number)));
  const last = results.at(-1);
  const result: DistillationResult = {
    lossName: last?.lossName ?? "loss",
    generations: results.map((one, i) => ({ ...one, generation: i + 1 })),
    kept: gainKept(results),
  };
  await directoryStore(generations.folder).put(basename(resultOf(generations)), encodeRunFile(result));
  return result;
}

/** The configuration of a generation, with the one before as its teacher beside those that it has. */
async function taughtBy(
  generations: Generations,
  before: number,
  given: RunConfig,
  { cacheFolder, signal }: { readonly cacheFolder: string; readonly signal: AbortSignal },
): Promise<RunConfig> {
  if (kindNameOf(given) === "text") return textTaughtBy(generations, before, given);
  const config = configOfKind(given, "table", "a teacher with predictions");
  const { path, isEnsemble } = teacherOf(generations, before);
  if (isEnsemble && !existsSync(path))
    await ensemble([generationFolder(generations, before)], { out: path, cacheFolder, signal });
  const { teacherWeight = config.teacherWeight } = generations;
  return {
    ...config,
    teachers: [...(config.teachers ?? []), { model: path, weight: 1 }],
    ...(teacherWeight !== undefined && { teacherWeight }),
  };
}

/** The same of text, where the groups of the generation before predict in the step, and their mean teaches. */
function textTaughtBy(generations: Generations, before: number, given: RunConfig): Promise<RunConfig> {
  const config = configOfKind(given, "text", "a teacher in the step");
  const { teacherWeight = config.teacherWeight } = generations;
  const run = generationFolder(generations, before);
  const isSeveral = (generations.configs[before - 1]?.numGroups ?? 1) > 1;
  const teacher = { run, weight: 1, ...(isSeveral && { group: "all" as const }) };
  return noteTeachers(
    {
      ...config,
      teachers: [...(config.teachers ?? []), teacher],
      ...(teacherWeight !== undefined && { teacherWeight }),
    },
    loadConfig,
  );
}
