/** `codistill evaluate` of a model of images on a source that has the classes. */
import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { ConfigError, DataError } from "../../errors.js";
import { counted, firstNames } from "../../report/format.js";
import { imagesAtOnce } from "../../run/image-spec.js";
import { confusion } from "../../train/confusion.js";
import { type Evaluation, evaluation } from "../../train/evaluation.js";
import { multiclassTask } from "../../train/task.js";
import { badNotes } from "./bad-images.js";
import { writeContactSheet } from "./contact-sheet.js";
import type { BadImageNote } from "./decode-all.js";
import { openImageModel } from "./image-model.js";
import { openSource } from "./open-source.js";
import { largest } from "./predict-images.js";
import { predictions } from "./served-files.js";

export interface EvaluateImagesOptions {
  /** A PNG of the images with the largest losses, where it is wanted. */
  readonly sheet?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called from time to time with the number of images predicted so far, and of all images. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** An image with its class and what was predicted. */
export interface WorstImage {
  readonly name: string;
  readonly label: string;
  readonly decided: string;
  /** The probabilities of the class that was decided for, and of the label. */
  readonly probability: number;
  readonly ofLabel: number;
}

export interface ImageEvaluation extends Evaluation {
  readonly model: string;
  readonly label: string;
  readonly numUnlabelled: number;
  /** Images of classes that the model does not know; they count nowhere. */
  readonly numOfOtherClasses: number;
  readonly otherClasses: readonly { readonly value: string; readonly count: number }[];
  /** Entry [label][decision] counts images. */
  readonly confusion: readonly (readonly number[])[];
  /** The images with the largest losses, the largest first. */
  readonly worst: readonly WorstImage[];
  readonly bad: readonly BadImageNote[];
  readonly sheet: string | null;
  readonly seconds: number;
  readonly notes: readonly string[];
}

/** Images of the largest losses that are kept. */
const WORST = 24;

interface Kept extends WorstImage {
  readonly pixels: Uint8Array;
}

/**
 * Score a model on a folder with a folder for each class, or a set. Classes are known by their names; of a numbered set by
 * their numbers, where the model has names for them by these.
 *
 * @throws ConfigError for a sheet that is no .png
 * @throws CheckpointError for a file that is not a model of images
 * @throws DataError when there is no image of a class that the model knows
 * @example
 * import { evaluateImages } from "codistill/node";
 * const { metrics, confusion, worst } = await evaluateImages("photos.onnx", ["photos"], { sheet: "worst.png" });
 * console.log(metrics, confusion, worst);
 */
export async function evaluateImages(
  modelPath: string,
  source: readonly string[],
  { sheet, signal, onProgress = () => {} }: EvaluateImagesOptions = {},
): Promise<ImageEvaluation> {
  const started = performance.now();
  if (sheet !== undefined && extname(sheet).toLowerCase() !== ".png")
    throw new ConfigError(`evaluate: the sheet is a PNG, so that --sheet must end in .png, got ${sheet}`);
  const model = await openImageModel(modelPath, availableParallelism());
  try {
    const { classes } = model;
    const found = await openSource(source);
    // The classes of a set without names are numbers, which are the places of the model's.
    const isNumbered = found.size !== null && found.classes.every((name, k) => name === String(k));
    const places = found.classes.map((name, k) => (isNumbered && k < classes.length ? k : classes.indexOf(name)));
    const others = found.classes.flatMap((value, k) =>
      (places[k] ?? -1) >= 0 ? [] : [{ value, count: found.counts[k] ?? 0 }],
    );
    const numOthers = others.reduce((sum, { count }) => sum + count, 0);
    const numKnown = found.numImages - numOthers;
    async function* known() {
      for await (const image of found.images()) {
        const label = places[image.label] ?? -1;
        if (label >= 0) yield { ...image, label };
      }
    }
    if (numKnown === 0)
      throw new DataError(
        `evaluate: the model knows ${firstNames(classes, 10)}, and ${source.join(", ")} has ${firstNames(found.classes, 10)}. Name the folders by the model's classes.`,
      );
    const [labels, all, bad]: [number[], Float32Array[], BadImageNote[]] = [[], [], []];
    let worst: Kept[] = [];
    let done = 0;
    for await (const some of predictions(model, known(), imagesAtOnce(model.shape), signal)) {
      for (const { image, probs, why, pixels } of some) {
        if (probs === null || pixels === null) {
          bad.push({ name: image.name, why: why ?? "" });
          continue;
        }
        labels.push(image.label);
        all.push(probs);
        const best = largest(probs);
        worst.push({
          name: image.name,
          label: classes[image.label] ?? "",
          decided: classes[best] ?? "",
          probability: probs[best] ?? 0,
          ofLabel: probs[image.label] ?? 0,
          pixels,
        });
      }
      // A stable order, so that equal losses stay in the order of the images.
      worst = worst.sort((a, b) => a.ofLabel - b.ofLabel).slice(0, WORST);
      done += some.length;
      onProgress(done, numKnown);
    }
    if (labels.length === 0)
      throw new DataError(
        `evaluate: none of ${counted(numKnown, "image")} can be used. ${badNotes(bad, numKnown).join(" ")}`,
      );
    const probs = new Float32Array(all.length * classes.length);
    for (const [i, own] of all.entries()) probs.set(own, i * classes.length);
    const own = Int32Array.from(labels);
    if (sheet !== undefined) await writeContactSheet(sheet, worst, { shape: model.shape, classes });
    return {
      ...evaluation(multiclassTask({ classes }), { probs, labels: own }, { classes }),
      model: model.name,
      label: found.what,
      numUnlabelled: 0,
      numOfOtherClasses: numOthers,
      otherClasses: others.filter(({ count }) => count > 0),
      confusion: confusion(own, all.map(largest), classes.length),
      worst: worst.map(({ pixels: _, ...one }) => one),
      bad,
      sheet: sheet ?? null,
      seconds: (performance.now() - started) / 1000,
      notes: [...found.notes, ...badNotes(bad, numKnown)],
    };
  } finally {
    await model.close();
  }
}
