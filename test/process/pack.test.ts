/** The package as npm delivers it: what is in it, and that it works in a project that has nothing else. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as coreDoor from "../../src/index.js";
import * as nodeDoor from "../../src/node/index.js";
import { workplace } from "./fixture.js";
import type { Ended } from "./processes.js";
import { tinyConfig, tinyCsv } from "./tiny.js";

const repository = fileURLToPath(new URL("../../../", import.meta.url));
const place = workplace();
let packed: readonly string[] = [];

/** Run a program in the project to its good end. */
async function run(program: string, args: readonly string[], why: string, cwd = place.path("project")): Promise<Ended> {
  const ended = await place.start(program, args, { cwd }).ended;
  assert.equal(ended.code, 0, `${why}\n${ended.shown}`);
  return ended;
}

before(async () => {
  await mkdir(place.path("project"));
  const why = "npm must be able to pack the repository; build it first";
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", place.path()], why, repository);
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: readonly { path: string }[] }];
  packed = files.map(({ path }) => path);

  await place.write("project/rows.csv", tinyCsv());
  await place.write("project/package.json", JSON.stringify({ name: "consumer", private: true, type: "module" }));
  const quiet = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
  // Fail soon, and with npm's own words, where there is neither a cache nor a registry.
  const impatient = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000"];
  await run(
    "npm",
    ["install", ...quiet, ...impatient, place.path(filename)],
    "this test needs the package's dependencies, from npm's cache or from its registry; npm could not install them",
  );
});

test("the package holds the compiled sources and the papers, whole, and nothing else", () => {
  const sources = readdirSync(join(repository, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => `dist/src/${name.slice(0, -3).replaceAll("\\", "/")}`);
  const compiled = sources.flatMap((source) => [`${source}.d.ts`, `${source}.js`, `${source}.js.map`]);
  const filesIn = (folder: string) =>
    readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(repository, join(parentPath, name)).replaceAll("\\", "/"));
  const papers = [
    ...["LICENSE", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "package.json"],
    ...filesIn("docs"),
    ...filesIn("bench/results").filter((name) => /\.(?:md|svg)$/.test(name)),
  ];
  const wanted = [...compiled, ...papers];
  assert.deepEqual(
    {
      foreign: packed.filter((name) => !wanted.includes(name)),
      missing: wanted.filter((name) => !packed.includes(name)),
    },
    { foreign: [], missing: [] },
  );
});

test("the command trains from a configuration that imports the package", async () => {
  const version = await run("npx", ["--no", "codistill", "--", "--version"], "the command must be there");
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/, version.shown);
  await place.write(
    "project/codistill.config.ts",
    `import { defineRun, type RunInput } from "codistill";
     const config: RunInput = defineRun(${JSON.stringify({ ...tinyConfig, numSteps: 60 })});
     export default config;`,
  );
  const args = ["--no", "codistill", "--", "train", "codistill.config.ts"];
  const { stdout, shown } = await run("npx", args, "a training run must end well");
  assert.match(stdout, /^ensemble +0\.\d{4}/m, shown);
  const [folder = ""] = readdirSync(place.path("project", "runs"));
  assert.ok(existsSync(place.path("project", "runs", folder, "model.onnx")), shown);
});

test("both doors open, and show what the sources export", async () => {
  await place.write(
    "project/doors.mjs",
    `import * as core from "codistill";
     import * as node from "codistill/node";
     console.log(JSON.stringify([Object.keys(core), Object.keys(node)]));
     try { await import("codistill/dist/src/index.js"); } catch (error) { console.log(error.code); }`,
  );
  const { stdout, shown } = await run(process.execPath, ["doors.mjs"], "the doors must open");
  const [names = "", deep] = stdout.split("\n");
  assert.deepEqual(JSON.parse(names), [Object.keys(coreDoor), Object.keys(nodeDoor)], shown);
  assert.equal(deep, "ERR_PACKAGE_PATH_NOT_EXPORTED", shown);
});

test("a consumer's types are checked through the package's declarations", async () => {
  await place.write(
    "project/consumer.ts",
    `import { adam, type AdamOptions, constantSchedule, defineRun, type Engine, initialisers, layers, type Learner, losses,
       memoryStore, mlp, type Model, type Objective, ops, regression, type RunResult, type Store } from "codistill";
     import { directoryStore, loadConfig, onnxRuntimeEngine, train } from "codistill/node";
     const stores: Store[] = [directoryStore("store"), memoryStore()];
     const engine: Engine = onnxRuntimeEngine({ threads: 1 });
     const config = defineRun(${JSON.stringify(tinyConfig)});
     // @ts-expect-error a kind of model is missing
     defineRun({ ...config, model: {} });
     export async function run(stop: AbortSignal): Promise<RunResult | null> {
       return train({ config: await loadConfig("codistill.config.ts"), folder: "run", cacheFolder: "cache", stop });
     }
     const times: Model = {
       params: {
         ...layers.lstmParams("lstm", 4, 8),
         ...layers.attentionParams("attention", 8),
         ...layers.linearParams("output", 8, 1),
         gate: { shape: [8], init: initialisers.lecunNormal },
       },
       inputs: { x: { shape: [6, "batch", 4], dtype: "float32" } },
       apply(params, { x }) {
         const state: layers.LstmState = layers.lstmStateInputs("lstm", 2, 8);
         const { outputs } = layers.lstm(params, "lstm", x!, state);
         const seen = layers.attention(params, "attention", outputs, { numHeads: 2 });
         return layers.linear(params, "output", ops.mul(seen, params.gate!));
       },
     };
     const objective: Objective = { ...regression(), labelLoss: (x, y) => losses.huberError(x, y, 2) };
     const options: AdamOptions = { beta1: 0.8 };
     export const learner: Learner = { model: times, objective, optimizer: adam(constantSchedule(1e-3), options) };
     export const all = [stores, engine, ops.add, mlp];`,
  );
  const compilerOptions = {
    target: "es2023",
    lib: ["es2023", "dom"],
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    types: [],
  };
  await place.write("project/tsconfig.json", JSON.stringify({ compilerOptions, files: ["consumer.ts"] }));
  const compiler = createRequire(import.meta.url).resolve("typescript/package.json");
  await run(process.execPath, [join(compiler, "..", "bin", "tsc"), "-p", "."], "the types must fit");
});
