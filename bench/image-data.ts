/**
 * How fast images are decoded and changed, against sharp alone: `npm run bench:image-data`, about a minute; `-- <folder>` with a folder
 * for each class takes its images instead of 400 JPEGs that are made. Each measurement of decoding runs in a process of its own, in turn.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { imageStream } from "../src/data/images/image-stream.js";
import { imagesInMemory } from "../src/data/images/images.js";
import { prefetched } from "../src/data/prefetched.js";
import { openSource } from "../src/node/image/open-source.js";
import { prepareImages } from "../src/node/image/prepare-images.js";
import { threadedEngine } from "../src/node/ort/threaded-engine.js";
import { bytes, percent, table } from "../src/report/format.js";
import { resolveConfig } from "../src/run/config.js";
import { imageRunSpec } from "../src/run/image-spec.js";
import { augmentationOf, mixupOf } from "../src/run/kinds/images.js";
import { configOfKind } from "../src/run/kinds/kinds.js";
import { rootKey, uniform } from "../src/runtime/random.js";
import { engineStudent } from "../src/train/student.js";
import { measuredBy, writeFigures } from "./children.js";
import { thisMachine } from "./machine.js";
import { median } from "./statistics.js";

const [NUM_IMAGES, WIDTH, HEIGHT] = [400, 500, 375];
const SIDE = 64;
const ROUNDS = 3;
/** As many images are decoded at once as our decoding has. */
const AT_ONCE = 4 * availableParallelism();
const BATCH = 64;
const STEPS = 12;

interface Figures {
  readonly perSecond: number;
  /** On one core: of all threads together, which other work on the machine changes less. */
  readonly perCpuSecond: number;
  readonly peakRssBytes: number;
}

type Rate = Pick<Figures, "perSecond" | "perCpuSecond">;

/** Begin to measure; gives the rates of so many images by then. */
function timed(): (numImages: number) => Rate {
  const [used, started] = [process.cpuUsage(), performance.now()];
  return (numImages) => {
    const { user, system } = process.cpuUsage(used);
    const seconds = (performance.now() - started) / 1000;
    return { perSecond: numImages / seconds, perCpuSecond: numImages / ((user + system) / 1e6) };
  };
}

/** JPEGs with shapes of all sizes, of about the bytes that photographs of their size have. */
async function makeImages(folder: string): Promise<void> {
  for (let i = 0; i < NUM_IMAGES; i++) {
    const own = join(folder, i % 2 === 0 ? "even" : "odd");
    mkdirSync(own, { recursive: true });
    const layers = [4, 16, 64].map((cells) => {
      const values = uniform(rootKey(1000 * i + cells), 3 * cells * cells);
      return sharp(
        Uint8Array.from(values, (u) => Math.floor(256 * u)),
        { raw: { width: cells, height: cells, channels: 3 } },
      )
        .resize(WIDTH, HEIGHT, { fit: "fill" })
        .png()
        .toBuffer();
    });
    const [first, ...others] = await Promise.all(layers);
    const image = sharp(first).composite(others.map((input) => ({ input, blend: "soft-light" as const })));
    writeFileSync(join(own, `${i}.jpg`), await image.jpeg({ quality: 85 }).toBuffer());
  }
}

/** Files read, decoded and resized by sharp and nothing else, images in flight as in ours. */
async function bySharp(folder: string): Promise<Rate> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.(jpe?g|png)$/i.test(name),
  );
  const rate = timed();
  for (let start = 0; start < files.length; start += AT_ONCE) {
    await Promise.all(
      files.slice(start, start + AT_ONCE).map((name) =>
        sharp(readFileSync(join(folder, name)))
          .flatten({ background: "#ffffff" })
          .resize(SIDE, SIDE, { fit: "cover" })
          .toColourspace("srgb")
          .raw()
          .toBuffer(),
      ),
    );
  }
  return rate(files.length);
}

/** From the folder to the cache: digests of files and of pixels, decoding, splits, scales. */
async function byUs(folder: string): Promise<Rate> {
  const cacheFolder = mkdtempSync(join(tmpdir(), "codistill-bench-"));
  try {
    const { numImages } = await openSource([folder]);
    const spec = {
      source: folder,
      columns: {},
      size: [SIDE, SIDE],
      fit: "crop",
      validation: 0.1,
      test: 0.1,
      seed: 1,
    } as const;
    const rate = timed();
    await prepareImages({ ...spec, maxBadImages: 0, maxPixels: 1e8 }, { cacheFolder });
    return rate(numImages);
  } finally {
    rmSync(cacheFolder, { recursive: true });
  }
}

const shape = { height: SIDE, width: SIDE, channels: 3 } as const;
const changes = {
  nothing: {},
  "crop, flip": { padCrop: 5, flip: true },
  "crop, flip, colours": { padCrop: 5, flip: true, jitter: 0.2 },
  "resized crop, flip, colours": { resizedCrop: true, flip: true, jitter: 0.2 },
  "crop, flip, colours, mixup": { padCrop: 5, flip: true, jitter: 0.2, mixup: 0.2 },
} as const;

/** Batches per second of images in memory, and how much of steps of a small CNN they are waited for. */
async function batches(augment: (typeof changes)[keyof typeof changes]) {
  const numImages = 1024;
  const pixels = Uint8Array.from(uniform(rootKey(1), numImages * SIDE * SIDE * 3), (u) => Math.floor(256 * u));
  const labels = Int32Array.from({ length: numImages }, (_, i) => i % 2);
  const config = configOfKind(
    resolveConfig({
      name: "bench",
      data: { kind: "images", source: "none", augment },
      model: { kind: "cnn", widths: [32, 64, 128, 128] },
      optimizer: { kind: "adam", learningRate: 1e-3 },
      numSteps: STEPS,
      globalBatchSize: BATCH,
    }),
    "images",
    "this benchmark",
  );
  const stream = () =>
    imageStream({
      images: imagesInMemory(shape, pixels, labels),
      indices: Uint32Array.from(labels.keys()),
      batchSize: BATCH,
      augmentation: augmentationOf(config.data),
      mixup: mixupOf(config.data),
      key: rootKey(2),
    });
  const alone = stream();
  alone.next();
  const rate = timed();
  for (let i = 0; i < STEPS; i++) alone.next();
  const rates = rate(STEPS * BATCH);

  const half = [0.5, 0.5, 0.5];
  const fitted = { digest: "", shape, classes: ["a", "b"], counts: [1, 1], mean: half, std: half };
  const { learner } = imageRunSpec(config, fitted);
  const engine = threadedEngine({ threads: availableParallelism() });
  const student = engineStudent({ engine, learner });
  await student.init(rootKey(1));
  const ahead = prefetched(stream(), 1);
  let [waited, all] = [0, 0];
  for (let step = -2; step < STEPS; step++) {
    const began = performance.now();
    const batch = await ahead.next();
    const given = performance.now();
    await student.learn([batch], [], 0);
    if (step < 0) continue;
    waited += given - began;
    all += performance.now() - began;
  }
  await ahead.close();
  await engine.close();
  return { ...rates, waitedShare: waited / all, stepMs: all / STEPS };
}

const own = fileURLToPath(import.meta.url);
const [, , side, given] = process.argv;
if (side === "sharp" || side === "ours") {
  const rates = await (side === "sharp" ? bySharp : byUs)(given as string);
  process.send?.({ ...rates, peakRssBytes: 1024 * process.resourceUsage().maxRSS } satisfies Figures);
} else {
  const machine = thisMachine();
  const made = side === undefined ? mkdtempSync(join(tmpdir(), "codistill-jpegs-")) : undefined;
  const folder = side ?? (made as string);
  try {
    if (made !== undefined) await makeImages(made);
    const rounds: Record<"sharp" | "ours", Figures[]> = { sharp: [], ours: [] };
    for (let round = 0; round < ROUNDS; round++)
      for (const who of ["sharp", "ours"] as const) rounds[who].push(await measuredBy<Figures>(own, [who, folder]));
    const decoding = (["sharp", "ours"] as const).map((who) => ({
      who,
      perSecond: median(rounds[who].map((one) => one.perSecond)),
      perCpuSecond: median(rounds[who].map((one) => one.perCpuSecond)),
      peakRssBytes: median(rounds[who].map((one) => one.peakRssBytes)),
    }));
    const results = [];
    for (const [what, augment] of Object.entries(changes)) results.push({ what, ...(await batches(augment)) });
    const perSecond = (value: number) => Math.round(value).toLocaleString("en-US");
    process.stdout.write(
      `${table([
        ["decoding", "images/s", "per CPU second", "peak memory"],
        ...decoding.map((one) => [
          one.who,
          perSecond(one.perSecond),
          perSecond(one.perCpuSecond),
          bytes(one.peakRssBytes),
        ]),
      ]).join("\n")}\n\n${table([
        [`batches of ${BATCH} x ${SIDE} x ${SIDE} x 3`, "images per CPU second", "step", "waited for data"],
        ...results.map((one) => [
          one.what,
          perSecond(one.perCpuSecond),
          `${one.stepMs.toFixed(1)} ms`,
          percent(one.waitedShare),
        ]),
      ]).join("\n")}\n`,
    );
    await writeFigures("image-data", machine, [{ decoding, batches: results }]);
  } finally {
    if (made !== undefined) rmSync(made, { recursive: true });
  }
}
