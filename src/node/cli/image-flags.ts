/** The flags by which commands begin with images. */
import type { Command } from "commander";
import { ConfigError } from "../../errors.js";
import { flagOf } from "./flags.js";
import { listOf } from "./reading-flags.js";

/** Flags of images. */
export interface ImageFlags {
  readonly images?: readonly string[];
  readonly classes?: readonly string[];
}

/** Flags beside those of images that go with them; all others are of tables or text. */
const ALSO = ["timeBudget", "set", "write", "json", "cache", "runs", "folder", "init", "store", "group", "stopAfter"];

/** Add the flags on images. */
export function withImageFlags(command: Command): Command {
  return command
    .option(
      "--images <paths...>",
      "learn to tell classes of images apart: a folder with a folder for each, or files of MNIST or CIFAR",
    )
    .option("--classes <names>", "of folders those to take; of numbered classes their names, in order", listOf);
}

/**
 * Whether images are given. Throws {@link ConfigError} for flags that are not of images beside them, and for those of
 * images without any.
 */
export function hasImages(command: string, flags: ImageFlags): boolean {
  const { images, classes, ...others } = flags;
  if (images === undefined) {
    if (classes === undefined) return false;
    throw new ConfigError(
      `${command}: --classes are of images, as in: codistill ${command} --images photos --classes ${classes.join(",")}`,
    );
  }
  const wrong = Object.entries(others).find(([name, value]) => value !== undefined && !ALSO.includes(name));
  if (wrong === undefined) return true;
  throw new ConfigError(
    `${command}: --images learns the classes of images, and ${flagOf(wrong[0])} is of tables or text. Leave one of them out.`,
  );
}
