/** Images in a folder for each class. */
import { createHash } from "node:crypto";
import { type Dirent, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { DataError, messageOf } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { counted, firstNames } from "../../report/format.js";
import { readWithin } from "../files/read-bounded.js";
import { IMAGE_ENDING } from "../sources/source-files.js";
import { MAX_FILE_BYTES } from "./decode.js";
import type { ImageSource } from "./found.js";
import { BadImage } from "./pixels.js";

/** Names in a folder that are no data of the user's. */
const isHidden = (name: string) => name.startsWith(".") || name === "__MACOSX";

/**
 * Open folders of which each has one for each class, named by it; the images of a class may lie in folders of it. With
 * `wanted` the classes are these, in this order, and other folders are left out.
 *
 * Throws {@link DataError} when there is no image, or none of a class.
 */
export function openFolders(roots: readonly string[], wanted?: readonly string[]): ImageSource {
  const notes: string[] = [];
  const found = new Map<string, string[]>();
  const others: string[] = [];
  for (const root of roots) {
    for (const entry of entriesOf(root)) {
      if (!isFolder(root, entry)) {
        others.push(join(root, entry.name));
        continue;
      }
      const own = imagesBelow(join(root, entry.name), others);
      found.set(entry.name, [...(found.get(entry.name) ?? []), ...own]);
    }
  }
  const classes = wanted ?? inOrder([...found].filter(([, files]) => files.length > 0).map(([name]) => name));
  const empty = [...found]
    .filter(([name, files]) => files.length === 0 && !wanted?.includes(name))
    .map(([name]) => name);
  if (empty.length > 0)
    notes.push(
      `${counted(empty.length, "folder has", "folders have")} no image, and ${empty.length === 1 ? "is" : "are"} no class: ${firstNames(empty, 5)}`,
    );
  const unknown = wanted?.find((name) => !found.has(name));
  if (unknown !== undefined) {
    const near = nearest(unknown, [...found.keys()]);
    throw new DataError(
      `images: a class is a folder of ${roots.join(", ")}, and there is none named ${JSON.stringify(unknown)}; there are ${firstNames([...found.keys()], 20) || "none"}.${near === undefined ? "" : ` Did you mean ${near}?`}`,
    );
  }
  const none = classes.find((name) => found.get(name)?.length === 0);
  if (none !== undefined)
    throw new DataError(`images: the class ${none} has no image in ${roots.join(", ")}. Leave it out of the classes.`);
  if (wanted) {
    const left = [...found].filter(([name, files]) => files.length > 0 && !wanted.includes(name)).map(([name]) => name);
    if (left.length > 0)
      notes.push(
        `${counted(left.length, "folder is", "folders are")} left out, as data.classes does not name ${left.length === 1 ? "it" : "them"}: ${firstNames(left, 5)}`,
      );
  }
  notes.push(...leftOutNotes(others, "in no class"));
  const images = classes.flatMap((name, label) => (found.get(name) ?? []).map((path) => ({ path, label })));
  if (images.length === 0) {
    throw new DataError(
      `images: ${roots.join(", ")} should have a folder for each class, with its JPEG, PNG, WebP or GIF files, and ${
        others.length === 0
          ? "has none"
          : `has ${counted(others.length, "file")} outside of such folders (${firstNames(
              others.map((one) => basename(one)),
              3,
            )})`
      }. Put the images of each class into a folder of its name.`,
    );
  }
  return {
    what: "a folder for each class",
    numImages: images.length,
    classes,
    counts: classes.map((name) => found.get(name)?.length ?? 0),
    size: null,
    identity: async (signal) => {
      const digests: string[] = [];
      for (const [i, { path, label }] of images.entries()) {
        if (i % 64 === 0) {
          signal?.throwIfAborted();
          await new Promise((resolve) => setImmediate(resolve));
        }
        digests.push(`${label}:${fileDigest(path)}`);
      }
      return digests;
    },
    images: function* () {
      for (const { path, label } of images) yield { name: path, label, encoded: () => imageFile(path), pixels: null };
    },
    notes,
  };
}

/** A note on files that lie among images and are none by their endings, or lie where images do not; none without any. */
export function leftOutNotes(others: readonly string[], elsewhere?: string): string[] {
  if (others.length === 0) return [];
  const [has, lies] = others.length === 1 ? ["it has", "lies"] : ["they have", "lie"];
  const names = others.map((path) => basename(path));
  return [
    `${counted(others.length, "file is", "files are")} left out, as ${has} no ending of a JPEG, PNG, WebP or GIF${elsewhere === undefined ? "" : `, or ${lies} ${elsewhere}`}: ${firstNames(names, 3)}`,
  ];
}

/** The content of an image's file. Throws {@link BadImage} when it cannot be read, or is too large to be one. */
export function imageFile(path: string): Uint8Array {
  try {
    return readWithin(path, MAX_FILE_BYTES);
  } catch (error) {
    if (path.includes("\ufffd"))
      throw new BadImage("cannot be read, as its name is not in UTF-8 (rename it)", { cause: error });
    throw new BadImage(`cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** SHA-256 of a file; "unreadable" for one that decoding will count as bad. */
export function fileDigest(path: string): string {
  try {
    return createHash("sha256").update(imageFile(path)).digest("hex");
  } catch (error) {
    if (error instanceof BadImage) return "unreadable";
    throw error;
  }
}

/** Names of classes in order: by their numbers where all are whole numbers, else by their letters. */
export function inOrder(names: readonly string[]): string[] {
  const areNumbers = names.every((name) => /^\d{1,15}$/.test(name));
  return [...names].sort(areNumbers ? (a, b) => Number(a) - Number(b) || (a < b ? -1 : 1) : undefined);
}

/** The images in a folder and in those in it, by path. Other files are added to `others`. */
export function imagesBelow(folder: string, others: string[]): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (isFolder(folder, entry)) return imagesBelow(path, others);
    if (IMAGE_ENDING.test(entry.name)) return [path];
    others.push(path);
    return [];
  });
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !isHidden(name))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw new DataError(`images: the folder ${folder} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** Whether an entry is a folder; links to folders are not followed, as they may lead in a circle. */
function isFolder(folder: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  if (statSync(join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory() !== true) return false;
  throw new DataError(
    `images: ${join(folder, entry.name)} is a link to a folder, which is not followed, as it may lead in a circle. Name the folder itself as one more source, or copy it.`,
  );
}
