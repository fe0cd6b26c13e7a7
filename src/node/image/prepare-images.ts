/** Images into caches: decoded and resized once, split, and in the order of their hash slots. */
import { createHash } from "node:crypto";
import type { ImageShape, Images } from "../../data/images/images.js";
import { numSlots } from "../../data/shard.js";
import { DataError } from "../../errors.js";
import { counted, firstNames } from "../../report/format.js";
import { cachedFolder } from "../files/temporary-folder.js";
import { checkBad } from "./bad-images.js";
import type { ImageSource } from "./found.js";
import { type CachedImages, imageFormatVersion, openImages } from "./image-cache.js";
import { DEFAULT_SIDE, type ImageSpec, type ImageSplitSpec } from "./image-spec.js";
import { openSource } from "./open-source.js";
import { type OpenedImages, writeImages } from "./write-images.js";

export interface PrepareImagesOptions {
  readonly cacheFolder: string;
  readonly onProgress?: ((stage: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called before anything is decoded; what it throws is what this rejects with. */
  readonly checkOpened?: ((sizes: OpenedSizes) => void) | undefined;
}

/** What is known of images before they are decoded. */
export interface OpenedSizes {
  /** Images of the source of training. */
  readonly numImages: number;
  /** What every image becomes. */
  readonly shape: ImageShape;
}

/** Images ready for training. */
export interface PreparedImages extends CachedImages {
  readonly validation: Images;
  readonly test: Images;
  readonly cached: boolean;
  readonly folder: string;
}

/**
 * Decode the images unless the cache has them already, then open the cache, which is found by the content of the files, so
 * that these are read each time. Processes may race: the first to finish wins, and all read its cache.
 *
 * Throws {@link DataError} when there are no images, more of them are bad than `maxBadImages`, a split or a class has
 * none, sharp is needed and not installed, or the cache is damaged.
 */
export async function prepareImages(spec: ImageSpec, options: PrepareImagesOptions): Promise<PreparedImages> {
  const { cacheFolder, onProgress = () => {}, signal, checkOpened = () => {} } = options;
  onProgress("identifying the source");
  const opened = await openAll(spec);
  checkOpened({ numImages: opened.main.numImages, shape: opened.shape });
  const digest = await imagesDigest(spec, opened, signal);
  const {
    folder,
    cached,
    opened: images,
  } = await cachedFolder(
    cacheFolder,
    digest,
    { signal, onProgress },
    (fresh, temporary) => writeImages(spec, opened, { digest, fresh, temporary, onProgress, signal }),
    (path) => {
      onProgress("opening the training cache");
      // Images are trained on in other processes; this one scores.
      return openImages(path, { memoryBytes: 0 });
    },
  );
  const numGood = Object.values(images.numImages).reduce((sum, number) => sum + number, 0);
  checkBad(images.bad, numGood + images.bad.length, spec);
  const { validation, test } = images;
  if (validation === null || test === null) throw new Error("internal: prepareImages opens every split");
  // The digest is of the images alone: another source with the same ones may have other notes.
  const notes = [...opened.main.notes, ...images.notes];
  return { ...images, notes, validation, test, cached, folder };
}

async function openAll({
  source,
  classes,
  columns,
  size,
  channels,
  validation,
  test,
}: ImageSpec): Promise<OpenedImages> {
  const main = await openSource([source].flat(), classes, columns);
  if (main.classes.length < 2)
    throw new DataError(
      `images: classes are told apart, and ${[source].flat().join(", ")} has ${counted(main.classes.length, "class", "classes")}${main.classes.length === 1 ? `, ${main.classes[0]}` : ""}. Add a folder for each further class.`,
    );
  const own = async (split: ImageSplitSpec) => {
    if (typeof split === "number") return null;
    const paths = [split.source].flat();
    return withClasses(
      await openSource(paths, main.size === null ? undefined : classes, columns),
      main.classes,
      paths,
      classes,
    );
  };
  const side = main.size ?? { height: DEFAULT_SIDE, width: DEFAULT_SIDE, channels: 3 as const };
  const [height, width] = size ?? [side.height, side.width];
  return {
    main,
    validation: await own(validation),
    test: await own(test),
    shape: { height, width, channels: channels ?? side.channels },
  };
}

/** A source with the indices of other classes, among which its own must be, unless some were chosen. */
function withClasses(
  source: ImageSource,
  classes: readonly string[],
  paths: readonly string[],
  chosen: readonly string[] | undefined,
): ImageSource {
  const places = source.classes.map((name) => classes.indexOf(name));
  const unknown = source.classes[places.indexOf(-1)];
  if (unknown !== undefined && chosen === undefined)
    throw new DataError(
      `images: ${paths.join(", ")} has the class ${unknown}, which training has no images of; its classes are ${firstNames(classes, 10)}`,
    );
  const placeOf = (label: number) => places[label] ?? -1;
  return {
    ...source,
    images: async function* () {
      for await (const image of source.images()) {
        const label = placeOf(image.label);
        if (label >= 0) yield { ...image, label };
      }
    },
  };
}

async function imagesDigest(spec: ImageSpec, { main, validation, test, shape }: OpenedImages, signal?: AbortSignal) {
  const contentOf = async (source: ImageSource | null) => source && [source.classes, await source.identity(signal)];
  const content = [await contentOf(main), await contentOf(validation), await contentOf(test)];
  const { fit, maxPixels, seed } = spec;
  const shares = [spec.validation, spec.test].map((split) => (typeof split === "number" ? split : null));
  return createHash("sha256")
    .update(JSON.stringify([imageFormatVersion, numSlots, "images", content, shape, fit, maxPixels, shares, seed]))
    .digest("hex");
}
