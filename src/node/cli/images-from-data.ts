/** The commands that begin with images instead of a configuration. */
import { planLines } from "../../report/description.js";
import { count, counted, firstNames } from "../../report/format.js";
import { printable } from "../../report/printable.js";
import { applyOverrides, resolveConfig } from "../../run/config.js";
import type { ImagesDescription } from "../image/infer-images.js";
import { runName, writtenLine } from "../runs/write-config.js";
import type { ImageFlags } from "./image-flags.js";
import { elapsedSeconds } from "./time-budget.js";

interface ImageCommandOptions {
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** Takes the notes on the data that were said. */
  readonly said?: Set<string> | undefined;
}

interface ImageRunFlags extends ImageFlags {
  readonly timeBudget?: number;
  readonly set?: readonly string[];
  readonly write?: string;
  readonly json?: boolean;
}

const WIDTH = 100;

/** Show how images would be trained on; writes no file. */
export async function describeImagesCommand(
  { images = [], classes, timeBudget, json }: ImageRunFlags,
  { say, signal }: ImageCommandOptions,
): Promise<void> {
  const { configurationOfImages, describeImages } = await import("../image/infer-images.js");
  const onProgress = (stage: string) => process.stderr.write(`${printable(stage)} ...\n`);
  const described = await describeImages(images, { classes, budgetSeconds: left(timeBudget), onProgress, signal });
  if (!json) return say(linesOf(described).join("\n"));
  const configuration = configurationOfImages(described, runName(images, "", "images"));
  say(JSON.stringify({ kind: "images", ...described, configuration }, null, 2));
}

/** Look at the images, show the plan, and write the configuration; returns its path. */
export async function configurationFromImages(
  { images = [], classes, timeBudget, write, set = [] }: ImageRunFlags,
  { say, signal, said }: ImageCommandOptions,
): Promise<string> {
  const { configurationOfImages, describeImages, writeImageRun } = await import("../image/infer-images.js");
  const onProgress = (stage: string) => say(`${printable(stage)} ...`);
  const described = await describeImages(images, { classes, budgetSeconds: left(timeBudget), onProgress, signal });
  // Reports wrong overrides before anything is written.
  resolveConfig(applyOverrides(configurationOfImages(described, "images"), set));
  for (const note of described.notes) said?.add(printable(note));
  say(["", ...linesOf(described)].join("\n"));
  const path = writeImageRun(described, [images, classes, timeBudget], images, write);
  say(`${writtenLine(path, write)}\n`);
  return path;
}

/** What of the budget of the command is left. */
function left(timeBudget: number | undefined): number | undefined {
  return timeBudget === undefined ? undefined : Math.max(1, timeBudget - elapsedSeconds());
}

/** Classes that are named. */
const NAMED = 8;

function linesOf({ what, images, classes, notes, plan, seconds }: ImagesDescription): string[] {
  const width = process.stdout.columns ?? WIDTH;
  const named = classes.map(({ name, images: own }) => `${name} (${count(own)})`);
  const facts = {
    data: `${counted(images, "image")} of ${counted(classes.length, "class", "classes")}, ${what}`,
    classes: firstNames(named, NAMED),
    ...plan.reasons,
  };
  const noted = notes.flatMap((note) => planLines({ reasons: { note } }, null, width));
  return [...planLines({ reasons: facts }, seconds, width), ...noted].map(printable);
}
