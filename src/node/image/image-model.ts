/** Opens an exported model of images, which ONNX Runtime alone computes, as in any other program. */
import { statSync } from "node:fs";
import { z } from "zod";
import { type ImageShape, sizeText } from "../../data/images/images.js";
import { CheckpointError, DataError } from "../../errors.js";
import { type Closable, closable } from "../../runtime/closable.js";
import { outputNames } from "../../train/task.js";
import { Tensor } from "../ort/library.js";
import { checkModelFile, checkNames, jsonText, MODEL_FORMAT, openSession, readModelFile } from "../ort/model-file.js";
import { fits, type PixelOptions } from "./pixels.js";

/** The value of `data` in the metadata of a model of images. */
export const IMAGES = "images";

/** A model of images, and how files become what it reads. */
export interface ImageModel extends PixelOptions, Closable {
  readonly name: string;
  readonly classes: readonly string[];
  /**
   * The probability of each class, [images, classes], for pixels [images, height, width, channels] from 0 to 255. Throws
   * {@link DataError} when they are not those of whole images.
   */
  predict(pixels: Uint8Array): Promise<Float32Array>;
}

const numberText = z
  .string()
  .regex(/^\d{1,12}$/)
  .transform(Number);
/** Sides beyond what a run trains on; a model that says more is none of ours. */
const sideText = numberText.pipe(z.int().positive().max(1024));

const metadataSchema = z.object({
  format: z.literal(MODEL_FORMAT),
  data: z.literal(IMAGES),
  name: z.string(),
  height: sideText,
  width: sideText,
  channels: numberText.pipe(z.union([z.literal(1), z.literal(3)])),
  fit: z.enum(fits),
  maxPixels: numberText,
  classes: jsonText.pipe(z.array(z.string()).min(1)),
});

/** Whether a file is a model of images by its metadata. Throws what {@link readModelFile} throws. */
export function isImageModel(path: string): boolean {
  // A run folder may stand for its language model.
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return false;
  return readModelFile(path).metadata.data === IMAGES;
}

/**
 * Open the `model.onnx` of a run on images.
 *
 * @throws CheckpointError for another model, or a damaged one
 * @example
 * import { openImageModel } from "codistill/node";
 * const model = await openImageModel("photos.onnx");
 * const probabilities = await model.predict(new Uint8Array(model.shape.height * model.shape.width * model.shape.channels));
 * await model.close();
 */
export async function openImageModel(path: string, threads?: number): Promise<ImageModel> {
  const file = readModelFile(path);
  await checkModelFile(file);
  const parsed = metadataSchema.safeParse(file.metadata);
  if (!parsed.success) {
    throw new CheckpointError(
      `${path} is not a model of images that codistill exported: its metadata lack ${parsed.error.issues.map((issue) => issue.path.join(".")).join(", ")}. Give the model.onnx of a run on images.`,
    );
  }
  const { name, height, width, channels, classes, fit, maxPixels } = parsed.data;
  const output = outputNames.multiclass;
  checkNames(file, { inputs: [IMAGES], outputs: [output] });
  const session = await openSession(file, threads === undefined ? {} : { intraOpNumThreads: threads });
  const shape: ImageShape = { height, width, channels };
  const size = height * width * channels;
  const model: Omit<ImageModel, keyof Closable> = {
    name,
    classes,
    shape,
    fit,
    maxPixels,
    async predict(pixels) {
      if (pixels.length === 0 || pixels.length % size !== 0)
        throw new DataError(
          `images: an image of ${sizeText(shape)} has ${size} bytes, and ${pixels.length} bytes are no images`,
        );
      const input = new Tensor("uint8", pixels, [pixels.length / size, height, width, channels]);
      const { [output]: probabilities } = await session.run({ [IMAGES]: input });
      if (!probabilities || !(probabilities.data instanceof Float32Array))
        throw new CheckpointError(`${path} must give ${output} as float32`);
      return probabilities.data;
    },
  };
  return closable(model, () => session.release());
}
