/**
 * Steps of networks of images against PyTorch's: `npm run bench:images`, some minutes; `-- ResNet-20` one network; `-- --quick` two
 * steps of each, to see that everything runs: the first steps are slow, so that their figures say nothing. Each side runs in
 * processes of its own, in turn. On a busy machine compare the processor's time at one thread, which others change least.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { mobileNet } from "../src/nn/mobilenet.js";
import { categorical } from "../src/nn/objectives.js";
import { resnet } from "../src/nn/resnet.js";
import { smallCnn } from "../src/nn/small-cnn.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import { sgd } from "../src/optim/optimizers.js";
import { constantSchedule } from "../src/optim/schedules.js";
import { table } from "../src/report/format.js";
import { int32 } from "../src/runtime/array.js";
import { mapValues } from "../src/runtime/named.js";
import { rootKey, uniform } from "../src/runtime/random.js";
import { engineStudent } from "../src/train/student.js";
import { requirePython } from "../test/golden/python.js";
import { measuredBy, writeFigures } from "./children.js";
import { thisMachine } from "./machine.js";
import { median } from "./statistics.js";

const WARM_UP = 2;

/** What a process of measured steps gives: medians, and the most memory that it held. */
interface Figures {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakRssBytes: number;
}

const grey = { imageSize: [28, 28], channels: 1, numClasses: 10, mean: [0.5], std: [0.25] } as const;
const colour = { channels: 3, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } as const;
const small = { ...colour, imageSize: [32, 32], numClasses: 10 } as const;
const large = { ...colour, imageSize: [224, 224], numClasses: 1000 } as const;

const cases = {
  "small CNN, 28x28, batch 128": { network: "cnn", options: grey, model: smallCnn(grey), batchSize: 128, numSteps: 30 },
  "ResNet-20, 32x32, batch 128": {
    network: "resnet",
    options: { ...small, depth: 20 },
    model: resnet({ ...small, depth: 20 }),
    batchSize: 128,
    numSteps: 8,
  },
  "ResNet-18, 224x224, batch 16": {
    network: "resnet",
    options: { ...large, depth: 18 },
    model: resnet({ ...large, depth: 18 }),
    batchSize: 16,
    numSteps: 5,
  },
  "MobileNet x 0.5, 32x32, batch 128": {
    network: "mobilenet",
    options: { ...small, widthMultiplier: 0.5 },
    model: mobileNet({ ...small, widthMultiplier: 0.5 }),
    batchSize: 128,
    numSteps: 8,
  },
} as const;

const isQuick = process.argv.includes("--quick");
const stepsOf = (name: keyof typeof cases) => (isQuick ? 2 : cases[name].numSteps);

async function ours(name: keyof typeof cases, threads: number): Promise<Figures> {
  const { model, options, batchSize } = cases[name];
  const { imageSize, channels, numClasses } = options;
  const optimizer = sgd(constantSchedule(0.01), { momentum: 0.9 });
  const engine = onnxRuntimeEngine({ threads });
  const student = engineStudent({ engine, learner: { model, objective: categorical({ numClasses }), optimizer } });
  await student.init(rootKey(1));
  const shape: readonly number[] = [batchSize, ...imageSize, channels];
  const pixels = uniform(
    rootKey(2),
    shape.reduce((size, axis) => size * axis, 1),
  );
  const images = { dtype: "uint8", shape, data: Uint8Array.from(pixels, (u) => Math.floor(256 * u)) } as const;
  const batch = { images, labels: int32(Int32Array.from({ length: batchSize }, (_, i) => i % numClasses)) };
  const [ms, cpu]: number[][] = [[], []];
  for (let step = -WARM_UP; step < stepsOf(name); step++) {
    const [used, started] = [process.cpuUsage(), performance.now()];
    await student.learn([batch], [], 0);
    if (step < 0) continue;
    ms?.push(performance.now() - started);
    const { user, system } = process.cpuUsage(used);
    cpu?.push((user + system) / 1000);
  }
  await engine.close();
  return { ms: median(ms ?? []), cpuMs: median(cpu ?? []), peakRssBytes: 1024 * process.resourceUsage().maxRSS };
}

function theirs(name: keyof typeof cases, threads: number): Figures {
  const { network, options, batchSize, model } = cases[name];
  const shapes = { params: mapValues(model.params, ({ shape }) => shape) };
  const buffers = mapValues(model.buffers ?? {}, ({ shape }) => shape);
  const given = JSON.stringify({ network, options, batchSize, ...shapes, buffers });
  const script = fileURLToPath(new URL("../../bench/torch/images.py", import.meta.url));
  const { stdout, stderr, status } = spawnSync(
    requirePython(),
    ["-B", script, given, String(threads), String(stepsOf(name))],
    { encoding: "utf8", env: { ...process.env, OMP_WAIT_POLICY: "passive" } },
  );
  if (status !== 0) throw new Error(`${script} failed:\n${stderr}`);
  return JSON.parse(stdout) as Figures;
}

const own = fileURLToPath(import.meta.url);
const [, , side, name, threads] = process.argv;
if (side === "ours") {
  process.send?.(await ours(name as keyof typeof cases, Number(threads)));
} else {
  const machine = thisMachine();
  const results = [];
  const asked = process.argv.slice(2).filter((word) => !word.startsWith("--"));
  const isAsked = (each: string) => asked.length === 0 || asked.some((word) => each.includes(word));
  for (const each of (Object.keys(cases) as (keyof typeof cases)[]).filter(isAsked)) {
    for (const count of [1, 2]) {
      process.stderr.write(`${each}, ${count === 1 ? "1 thread" : "2 threads"}\n`);
      const rounds: { readonly ours: Figures; readonly torch: Figures }[] = [];
      for (let round = 0; round < (isQuick ? 1 : 3); round++) {
        const args = ["ours", each, String(count), ...(isQuick ? ["--quick"] : [])];
        rounds.push({ ours: await measuredBy<Figures>(own, args), torch: theirs(each, count) });
      }
      const of = (which: "ours" | "torch", what: keyof Figures) => median(rounds.map((round) => round[which][what]));
      const pair = (what: keyof Figures) => ({ ours: of("ours", what), torch: of("torch", what) });
      results.push({
        network: each,
        threads: count,
        ms: pair("ms"),
        cpuMs: pair("cpuMs"),
        peakRssBytes: pair("peakRssBytes"),
      });
    }
  }
  const ratio = (of: { readonly ours: number; readonly torch: number }) => (of.ours / of.torch).toFixed(2);
  const lines = results.map(({ network, threads, ms, cpuMs, peakRssBytes }) => [
    network,
    String(threads),
    ms.ours.toFixed(1),
    ms.torch.toFixed(1),
    ratio(ms),
    ratio(cpuMs),
    ratio(peakRssBytes),
  ]);
  const head = ["network", "threads", "ms", "PyTorch", "ratio", "CPU ratio", "memory ratio"];
  process.stdout.write(`${table([head, ...lines]).join("\n")}\n`);
  if (!isQuick) await writeFigures("image-networks", machine, results);
}
