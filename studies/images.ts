/**
 * Codistillation of image classifiers, on Fashion-MNIST: `npm run study:images`; `npm run study:images -- --help`. It is a call of
 * `codistill compare` on `studies/images.config.ts`; what is asked of it is in `studies/images-claims.ts`.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { messageOf } from "../src/errors.js";
import { parseIdx, unpacked } from "../src/node/image/idx.js";
import { isComparison, openComparison } from "../src/node/runs/comparison.js";
import { folderIn, shownCommand } from "./command.js";
import { ARMS, REFERENCE } from "./images-claims.js";
import { writeImageReport } from "./images-report.js";
import { say, wholeNumbers } from "./runner.js";

const CONFIG = "studies/images.config.ts";
/** Where the images and the runs lie, which the configuration knows. */
const WORK = ".codistill/images-study";
const DEBIAN = process.env.FASHION_MNIST ?? "/usr/share/datasets/fashion-mnist";

/** The first images of Debian's training file train, the next choose the params, and those of its test file are scored. */
const SIZES = { train: 10_000, validation: 2_000, test: 10_000 };

interface Options {
  readonly seeds: readonly number[];
  readonly out: string;
  readonly only?: number;
  readonly reportOnly?: boolean;
}

new Command("npm run study:images --")
  .description(
    "Train the small CNN on 12,000 images of Fashion-MNIST by five arms of `codistill compare` with every seed, and report. What is done is never done again.",
  )
  .option("--seeds <list>", "as in 1,2,3", wholeNumbers, [1, 2, 3])
  .option("--out <folder>", "where the report goes", "bench/results")
  .option(
    "--only <steps>",
    "train only so many steps, 40 at least, on a tenth of the images, to see whether all of it works; in a folder of its own",
    (given) => wholeNumbers(given)[0],
  )
  .option("--report-only", "report what there is")
  .showHelpAfterError("(npm run study:images -- --help tells more)")
  .action(study)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

async function study({ seeds, out, only, reportOnly = false }: Options): Promise<void> {
  const place = only === undefined ? WORK : `${WORK}-${only}`;
  const runs = join(place, "runs");
  if (!reportOnly) {
    writeImages(place, only === undefined ? 1 : 10);
    const code = await compare(seeds, runs, only === undefined ? [] : shortened(place, only));
    if (code !== 0) {
      process.exitCode = code;
      return;
    }
  }
  const folder = folderIn(runs, isComparison);
  if (folder === null) throw new Error(`there is no comparison in ${runs}; leave --report-only out to make one`);
  for (const file of await writeImageReport(folder, out)) say(`wrote ${file}`);
}

/** Write the images of each split as files of IDX, whose names the configuration has. */
function writeImages(place: string, share: number): void {
  mkdirSync(place, { recursive: true });
  const train = SIZES.train / share;
  const parts = [
    { name: "train", from: "train", start: 0, length: train },
    { name: "validation", from: "train", start: train, length: SIZES.validation / share },
    { name: "test", from: "t10k", start: 0, length: SIZES.test / share },
  ];
  for (const { name, from, start, length } of parts) {
    for (const [what, axes] of [
      ["images", 3],
      ["labels", 1],
    ] as const) {
      const file = join(place, `${name}-${what}-idx${axes}-ubyte`);
      if (existsSync(file)) continue;
      const source = join(DEBIAN, `${from}-${what}-idx${axes}-ubyte.gz`);
      if (!existsSync(source)) throw new Error(`${source} is not there: apt-get install dataset-fashion-mnist`);
      const { shape, data } = parseIdx(unpacked(source), source);
      const size = shape.slice(1).reduce((product, axis) => product * axis, 1);
      const head = Buffer.alloc(4 + 4 * axes);
      head.set([0, 0, 8, axes]);
      for (const [i, axis] of [length, ...shape.slice(1)].entries()) head.writeUInt32BE(axis, 4 + 4 * i);
      writeFileSync(file, Buffer.concat([head, data.subarray(start * size, (start + length) * size)]));
    }
  }
}

/** Options of a study that is only tried. */
function shortened(place: string, steps: number): string[] {
  const file = (name: string) => JSON.stringify(join(process.cwd(), place, `${name}-images-idx3-ubyte`));
  const every = Math.floor(steps / 4);
  return [
    `data.source=${file("train")}`,
    `data.validation={"source":${file("validation")}}`,
    `data.test={"source":${file("test")}}`,
    `numSteps=${steps}`,
    `validationInterval=${every}`,
    `checkpointInterval=${every}`,
    "algorithm.publishInterval=5",
    "algorithm.exchangeInterval=5",
  ];
}

/** Begin the comparison, or go on with the one that is there; the exit code of the command. */
async function compare(seeds: readonly number[], runs: string, changes: readonly string[]): Promise<number> {
  const begun = folderIn(runs, isComparison);
  const args = begun
    ? ["--resume", begun, "--seeds", [...new Set([...openComparison(begun).seeds, ...seeds])].join(",")]
    : [
        CONFIG,
        ...["--arms", ARMS.join(",")],
        ...["--reference", REFERENCE],
        ...["--seeds", seeds.join(",")],
        ...["--runs", runs],
        ...changes.flatMap((change) => ["--set", change]),
      ];
  // A list of one seed would be read as a number of them.
  const listed = args.map((word, i) => (args[i - 1] === "--seeds" && !word.includes(",") ? asNumber(word) : word));
  return shownCommand(["compare", ...listed]);
}

function asNumber(seed: string): string {
  if (seed === "1") return seed;
  throw new Error(`--seeds: one seed must be seed 1, got ${seed}; give two or more, or 1`);
}
