/** `codistill predict` of images: a line of CSV for each. */
import { createWriteStream } from "node:fs";
import { availableParallelism } from "node:os";
import { extname } from "node:path";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ConfigError, DataError, messageOf } from "../../errors.js";
import { counted } from "../../report/format.js";
import { printableName } from "../../report/printable.js";
import { imagesAtOnce } from "../../run/image-spec.js";
import { badNotes, namesOf } from "./bad-images.js";
import type { BadImageNote } from "./decode-all.js";
import { openImageModel } from "./image-model.js";
import { givenImages, predictions } from "./served-files.js";

export interface PredictImagesOptions {
  /** Where the lines go, a .csv; standard output by default. */
  readonly out?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called from time to time with the number of images predicted so far, and of all images. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface PredictImagesResult {
  readonly images: number;
  readonly columns: readonly string[];
  /** Images that could not be used: their lines have no prediction. */
  readonly bad: readonly BadImageNote[];
  readonly out: string | null;
  readonly seconds: number;
  /** Notes for people, in sentences. */
  readonly notes: readonly string[];
}

/**
 * Write a line for each image of files and folders, in their order: its file, the class that is decided for as
 * `prediction`, its `probability`, and that of each class as `probability_<class>`. An image that cannot be used has
 * nothing after its name.
 *
 * @throws ConfigError for an output that is no .csv
 * @throws CheckpointError for a file that is not a model of images
 * @throws DataError when there are no images, none of them can be used, or the output cannot be written
 * @example
 * import { predictImages } from "codistill/node";
 * const { images, bad } = await predictImages("photos.onnx", ["photos"], { out: "predicted.csv" });
 * console.log(images, bad);
 */
export async function predictImages(
  modelPath: string,
  source: readonly string[],
  { out, signal, onProgress = () => {} }: PredictImagesOptions = {},
): Promise<PredictImagesResult> {
  const started = performance.now();
  if (out !== undefined && extname(out).toLowerCase() !== ".csv")
    throw new ConfigError(`predict: predictions of images are CSV, so that --out must end in .csv, got ${out}`);
  const model = await openImageModel(modelPath, availableParallelism());
  try {
    const { images, notes } = await givenImages(source);
    const columns = ["file", "prediction", "probability", ...model.classes.map((name) => `probability_${name}`)];
    const bad: BadImageNote[] = [];
    async function* lines() {
      // Nothing is written before there is a prediction.
      let held: string[] | null = [csvLine(columns)];
      let done = 0;
      for await (const some of predictions(model, images, imagesAtOnce(model.shape), signal)) {
        for (const { image, probs, why } of some) {
          if (probs === null) bad.push({ name: image.name, why: why ?? "" });
          const line = csvLine([
            image.name,
            ...(probs ? decided(probs, model.classes) : columns.slice(1).map(() => "")),
          ]);
          if (probs && held) {
            yield* held;
            held = null;
          }
          if (held) held.push(line);
          else yield line;
        }
        done += some.length;
        onProgress(done, images.length);
      }
      if (held)
        throw new DataError(
          `predict: ${modelPath} is a model of images, and none of ${counted(images.length, "file or image", "files and images")} can be used: ${namesOf(bad)}. It reads JPEG, PNG, WebP and GIF, folders of them, and the files of MNIST and CIFAR.`,
        );
    }
    await written(lines(), out);
    return {
      images: images.length,
      columns,
      bad,
      out: out ?? null,
      seconds: (performance.now() - started) / 1000,
      notes: [
        ...notes,
        ...badNotes(bad, images.length).map((note) => note.replace("left out", "without a prediction")),
      ],
    };
  } finally {
    await model.close();
  }
}

/** The class of the largest probability, that probability, and those of all classes. */
function decided(probs: Float32Array, classes: readonly string[]): string[] {
  const best = largest(probs);
  return [classes[best] ?? "", String(probs[best]), ...Array.from(probs, String)];
}

/** The index of the largest number; the first of several. */
export function largest(numbers: Float32Array): number {
  let best = 0;
  for (let k = 1; k < numbers.length; k++) if ((numbers[k] as number) > (numbers[best] as number)) best = k;
  return best;
}

/** Values as a line of CSV, as RFC 4180 has it. */
function csvLine(values: readonly string[]): string {
  const quoted = (value: string) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  return `${values.map(quoted).join(",")}\n`;
}

async function written(lines: AsyncGenerator<string>, out: string | undefined): Promise<void> {
  // The file of another run is not emptied for one that has nothing to write.
  const first = await lines.next();
  const target: Writable = out === undefined ? process.stdout : createWriteStream(out);
  // Names of files and classes may hold control characters, which a terminal obeys.
  const isTerminal = out === undefined && process.stdout.isTTY;
  async function* parts() {
    const shown = (line: string) => (isTerminal ? `${printableName(line.slice(0, -1))}\n` : line);
    if (first.done !== true) yield shown(first.value);
    for await (const line of lines) yield shown(line);
  }
  try {
    await pipeline(parts, target, { end: out !== undefined });
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    // The reader, such as `head`, has read enough.
    if (out === undefined && code === "EPIPE") return;
    if (syscall === undefined) throw error;
    throw new DataError(`predict: ${out ?? "standard output"} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
