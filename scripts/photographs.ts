/**
 * Puts photographs of Debian's packages into a folder for each class: `npm run photographs -- photographs/`, then
 * `codistill train --images photographs/`.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { Command } from "commander";

/** Where the pictures of a class lie, below /usr/share, and the package that has them. */
interface Place {
  readonly debian: string;
  readonly folder: string;
  /** Of pictures that are there in several sizes, a folder for each, whether only the one with the largest file is taken. */
  readonly isOfSizes?: boolean;
}

const stamps = (...names: string[]): Place[] =>
  names.map((name) => ({ debian: "tuxpaint-stamps-default", folder: `tuxpaint/stamps/${name}` }));

/** Stamps of Tux Paint are photographs without their background; wallpapers are JPEG and PNG of up to 18 million pixels. */
const classes: Readonly<Record<string, readonly Place[]>> = {
  animal: stamps("animals"),
  food: stamps("food"),
  plant: stamps("plants"),
  thing: stamps("household", "hobbies", "clothes", "medical", "sports"),
  vehicle: stamps("vehicles", "military/vehicles"),
  wallpaper: [
    { debian: "lomiri-wallpapers-16.04", folder: "backgrounds" },
    { debian: "lomiri-wallpapers-20.04", folder: "backgrounds" },
    { debian: "mate-backgrounds", folder: "backgrounds/mate/nature" },
    { debian: "plasma-workspace-wallpapers", folder: "wallpapers", isOfSizes: true },
  ],
};

/** Drawings, and pictures that are others mirrored. */
const LEFT_OUT = /cartoon|(^|\/)toys\/|_mirror\./;

new Command("npm run photographs --")
  .description("Copy photographs of Debian's packages into a folder for each class.")
  .argument("<folder>", "where the folders of the classes are made")
  .option("--root <folder>", "where packages were unpacked by dpkg-deb -x, when they are not installed", "/")
  .action(copy)
  .parse();

function copy(out: string, { root }: { readonly root: string }): void {
  const share = join(root, "usr/share");
  const all = Object.values(classes).flat();
  const missing = all.filter(({ folder }) => !existsSync(join(share, folder))).map(({ debian }) => debian);
  if (missing.length > 0) {
    process.stderr.write(`packages are missing: apt-get install ${[...new Set(missing)].join(" ")}\n`);
    process.exitCode = 1;
    return;
  }
  for (const [name, places] of Object.entries(classes)) {
    mkdirSync(join(out, name), { recursive: true });
    // Folders of one path belong to several packages.
    const folders = new Map(places.map((place) => [place.folder, place]));
    const files = [...folders.values()].flatMap((place) => picturesOf(join(share, place.folder), place));
    for (const file of files) copyFileSync(file, join(out, name, relative(share, file).replaceAll("/", "-")));
    process.stdout.write(`${name}: ${files.length}\n`);
  }
}

function picturesOf(folder: string, { isOfSizes = false, folder: path }: Place): string[] {
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => [".png", ".jpg", ".jpeg"].includes(extname(name).toLowerCase()) && !LEFT_OUT.test(name))
    // What lies in folders of a common folder belongs to other packages.
    .filter((name) => path !== "backgrounds" || !name.includes("/"))
    .sort();
  if (!isOfSizes) return found.map((name) => join(folder, name));
  const largest = new Map<string, { readonly file: string; readonly bytes: number }>();
  for (const name of found.filter((one) => one.includes("/contents/images/"))) {
    const [picture = ""] = name.split("/");
    const file = join(folder, name);
    const bytes = statSync(file).size;
    if (bytes > (largest.get(picture)?.bytes ?? 0)) largest.set(picture, { file, bytes });
  }
  return [...largest.values()].map(({ file }) => file);
}
