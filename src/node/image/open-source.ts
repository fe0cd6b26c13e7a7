/** What a source of images is, told by what lies there. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../../errors.js";
import { expandSource } from "../sources/source-files.js";
import { openCifar } from "./cifar.js";
import { openFolders } from "./folders.js";
import type { ImageSource } from "./found.js";
import { IDX_IMAGES, openIdx } from "./idx.js";
import { type ImageColumns, isTable, openTables } from "./table-images.js";

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
const isCifar = (path: string) => /\.bin(\.gz)?$/i.test(path);

/** Whether a path is, by its name, a file with many images: of MNIST or CIFAR. */
export const isSet = (path: string) => isCifar(path) || IDX_IMAGES.test(path);

/** The images of a folder's own sets, in which training and test images are known by their names. */
export interface KnownSets {
  readonly train: readonly string[];
  readonly validation: readonly string[];
  readonly test: readonly string[];
}

const TRAIN = /^(train|training)$/i;
const VALIDATION = /^(val|valid|validation)$/i;
const TEST = /^(test|testing)$/i;

/**
 * The parts of a folder that is divided into training and test images already: the files of MNIST and CIFAR, or folders
 * named train, val and test. Null for any other path.
 */
export function knownSets(path: string): KnownSets | null {
  if (!isFolder(path)) return null;
  const names = readdirSync(path).sort();
  const of = (is: (name: string) => boolean) => names.filter(is).map((name) => join(path, name));
  const folders = (named: RegExp) => of((name) => named.test(name) && isFolder(join(path, name)));
  const byFolder = { train: folders(TRAIN), validation: folders(VALIDATION), test: folders(TEST) };
  if (byFolder.train.length === 1) return byFolder;
  const idx = (begins: RegExp) => of((name) => IDX_IMAGES.test(name) && begins.test(name)).slice(0, 1);
  if (idx(/^train/i).length > 0) return { train: idx(/^train/i), validation: [], test: idx(/^(t10k|test)/i) };
  const bins = (begins: RegExp) => of((name) => isCifar(name) && begins.test(name));
  const train = bins(/^(data_batch_|train)/i);
  return train.length > 0 ? { train, validation: [], test: bins(/^test/i) } : null;
}

/**
 * Open the images of paths, all of one kind. With `classes`, these are the classes: of folders those that are taken, of
 * numbered classes their names in order.
 *
 * Throws {@link DataError} when there is nothing of any kind, and what the kinds throw.
 */
export async function openSource(
  source: readonly string[],
  classes?: readonly string[],
  columns: ImageColumns = {},
): Promise<ImageSource> {
  const [first = ""] = source;
  const folders = source.filter(isFolder);
  if (folders.length === source.length && folders.length > 0) {
    const sets = source.length === 1 ? knownSets(first) : null;
    if (sets && !isFolder(sets.train[0] ?? "")) return openFiles(sets.train, classes, columns);
    return openFolders(source, classes);
  }
  if (folders.length > 0) {
    const file = source.find((path) => !isFolder(path));
    throw new DataError(`images: a source is folders or files, and ${folders[0]} is a folder, ${file} is not`);
  }
  const missing = source.find((path) => !/[*?[]/.test(path) && !existsSync(path));
  if (missing !== undefined) {
    throw new DataError(
      `images: there is nothing at ${missing}. Name a folder with a folder for each class, or a file of MNIST (...-images-idx3-ubyte) or CIFAR (.bin).`,
    );
  }
  return openFiles((await Promise.all(source.map((path) => expandSource(path)))).flat(), classes, columns);
}

async function openFiles(
  files: readonly string[],
  classes: readonly string[] | undefined,
  columns: ImageColumns,
): Promise<ImageSource> {
  const [first = ""] = files;
  if (files.every(isCifar)) return openCifar(files, classes);
  if (files.every((path) => IDX_IMAGES.test(path))) {
    if (files.length === 1) return openIdx(first, classes);
    throw new DataError(`images: one IDX file of images is read, got ${files.length}: ${files.slice(0, 2).join(", ")}`);
  }
  if (files.every(isTable)) return openTables(files, columns, classes);
  throw new DataError(
    `images: ${first} is no folder, and no file of MNIST (named ...-images-idx3-ubyte) or CIFAR (.bin) and no table, as its name tells. Name the folder that has one for each class.`,
  );
}
