/** predict and evaluate with a model of images. */
import { ConfigError } from "../../errors.js";
import { confusionLines } from "../../report/confusion.js";
import { evaluationLines } from "../../report/evaluation.js";
import { count, counted, loss, percent, seconds, shortened, table } from "../../report/format.js";
import { printableName } from "../../report/printable.js";
import { evaluateImages } from "../image/evaluate-images.js";
import { predictImages } from "../image/predict-images.js";
import { flagOf } from "./flags.js";
import { widthOf } from "./output.js";
import { progressLine, tellNote } from "./progress-line.js";

export interface ImageServeOptions {
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

interface EvaluateImagesFlags {
  readonly sheet?: string | undefined;
  readonly json?: boolean;
  readonly cache?: unknown;
}

/** Worst images that are listed. */
const LISTED = 8;

/** Throws {@link ConfigError} for a flag that a model of images has no use for. */
function checkNoFlags(command: string, model: string, flags: Readonly<Record<string, unknown>>): void {
  const given = Object.keys(flags).find((name) => flags[name] !== undefined);
  if (given === undefined) return;
  throw new ConfigError(
    `${command}: ${flagOf(given)} is of tables or text, and ${model} is a model of images. Leave it out.`,
  );
}

/** Predict images and write a line for each: to the file, or to standard output. */
export async function predictImagesCommand(
  model: string,
  data: readonly string[],
  { out, json, cache: _, ...flags }: { readonly out?: string; readonly json?: boolean; readonly cache?: unknown },
  { say, signal }: ImageServeOptions,
): Promise<void> {
  checkNoFlags("predict", model, flags);
  const progress = progressLine("images");
  const result = await predictImages(model, data, { out, signal, onProgress: progress.show });
  progress.end();
  result.notes.forEach(tellNote);
  if (json) say(JSON.stringify(result, null, 2));
  else if (out !== undefined) say(`${counted(result.images, "image")} in ${out}, ${seconds(result.seconds)}`);
}

/** Score a model on images, and say what it confuses. */
export async function evaluateImagesCommand(
  model: string,
  data: readonly string[],
  { sheet, json, cache: _, ...flags }: EvaluateImagesFlags,
  { say, signal }: ImageServeOptions,
): Promise<void> {
  checkNoFlags("evaluate", model, flags);
  const progress = progressLine("images");
  const result = await evaluateImages(model, data, { sheet, signal, onProgress: progress.show });
  progress.end();
  result.notes.forEach(tellNote);
  if (json) return say(JSON.stringify(result, null, 2));
  const { worst, confusion, classes } = result;
  const names = classes.map(({ name }) => name);
  const width = widthOf(process.stdout);
  // All that are on the sheet, by the numbers that they have there.
  const worstRows = worst
    .slice(0, sheet === undefined ? LISTED : worst.length)
    .map(({ name, label, decided, probability, ofLabel }, i) => [
      String(i + 1),
      ...[label, decided].map((one) => shortened(one, 20)),
      percent(probability),
      loss(-Math.log(Math.max(1e-7, ofLabel))),
      name,
    ]);
  const lines = [
    ...evaluationLines({ ...result, examples: "images" }, undefined, width),
    "",
    ...confusionLines(confusion, names),
    "",
    ...table([["worst", "label", "decided", "probability", "loss", "image"], ...worstRows]),
    ...(sheet === undefined ? [] : [`${counted(worst.length, "image")} of the largest losses in ${sheet}`]),
    `${count(result.rows)} images in ${seconds(result.seconds)}`,
  ];
  say(lines.map(printableName).join("\n"));
}
