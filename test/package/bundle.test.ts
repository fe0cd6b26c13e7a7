/** What a bundler makes of the package: whoever uses one small function pays for that alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { build } from "esbuild";
import { formatGraph, gradients, ops, toOnnx } from "../../src/index.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));

interface Bundle {
  readonly bytes: number;
  readonly text: string;
  /** The files of which something is in it. */
  readonly inputs: readonly string[];
}

const TINY = `{ outputs: { y: ops.mul(ops.input("x", [2]), 2) }, updates: {} }`;

/** The minified bundle of a program that imports from the package by its name. */
async function bundle(program: string, platform: "node" | "browser" = "node"): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: root, loader: "ts" },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: platform === "node" ? "esm" : "iife",
    platform,
    logLevel: "silent",
  });
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.entries(output?.inputs ?? {}).flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > 0 ? [path] : [],
  );
  return { bytes: outputFiles[0]?.contents.length ?? 0, text: outputFiles[0]?.text ?? "", inputs };
}

/** What is imported and used, with the bytes that its bundle has at most. */
const programs: readonly (readonly [door: string, names: string, used: string, most: number])[] = [
  ["codistill", "uniform, rootKey", "uniform(rootKey(1), 3)", 1000],
  ["codistill", "float32", "float32", 1500],
  ["codistill", "constantSchedule", "constantSchedule(0.1)", 200],
  ["codistill", "cosineSchedule", "cosineSchedule", 300],
  ["codistill", "ConfigError", "ConfigError", 1000],
  ["codistill", "defineRun", "defineRun", 200],
  ["codistill", "teachersOf", "teachersOf", 2000],
  ["codistill", "memoryStore", "memoryStore()", 3000],
  ["codistill", "codistill", "codistill", 1500],
  ["codistill", "initialisers", "initialisers.heNormal", 5000],
  ["codistill", "binary", "binary", 5000],
  ["codistill", "clipByGlobalNorm", "clipByGlobalNorm(1)", 5000],
  ["codistill", "decodeSafetensors", "decodeSafetensors", 5000],
  ["codistill/initialisers", "heNormal", "heNormal", 5000],
  ["codistill/ops", "add", "add", 5000],
  ["codistill/ops", "softmax", "softmax", 5000],
  ["codistill/layers", "linear", "linear", 10_000],
  ["codistill/losses", "huberError", "huberError", 10_000],
  // An optimizer is a chain of parts, each with its arithmetic.
  ["codistill", "sgd", "sgd", 9000],
  ["codistill", "adam", "adam", 9000],
];

test("package.json can be asked for by name, as tools do", () => {
  assert.match(import.meta.resolve("codistill/package.json"), /\/package\.json$/);
});

for (const [door, names, used, most] of programs) {
  test(`${used} of ${door}: at most ${most} bytes, without parsers of schemas and of models`, async (t) => {
    const { bytes, inputs } = await bundle(`import { ${names} } from "${door}"; console.log(${used});`);
    t.diagnostic(`${bytes} bytes`);
    assert.ok(bytes > 20 && bytes <= most, `${bytes} bytes of ${inputs.join(", ")}`);
    assert.deepEqual(
      inputs.filter((path) => /node_modules/.test(path)),
      [],
    );
  });
}

const program = `
  import { formatGraph, gradients, ops } from "codistill";
  const [x, w] = [ops.input("x", ["batch", 2]), ops.input("w", [2, 1])];
  const loss = ops.reduceMean(ops.square(ops.matmul(x, w)));
  const [gradient] = gradients(loss, [w]);
  print(formatGraph({ outputs: { loss, gradient }, updates: {} }));`;

test("graphs and gradients work in a browser: no package, no module of Node.js, none of its globals", async () => {
  const { text, inputs } = await bundle(program, "browser");
  assert.deepEqual(
    inputs.filter((path) => /node_modules|node:/.test(path)),
    [],
  );
  const printed: string[] = [];
  runInNewContext(text, { print: (line: string) => printed.push(line) });
  const [x, w] = [ops.input("x", ["batch", 2]), ops.input("w", [2, 1])];
  const loss = ops.reduceMean(ops.square(ops.matmul(x, w)));
  assert.deepEqual(printed, [formatGraph({ outputs: { loss, gradient: gradients(loss, [w])[0]! }, updates: {} })]);
});

test("the bytes of a graph are made in a browser too, by what is loaded then", async () => {
  const { text } = await bundle(`import { ops, toOnnx } from "codistill"; print(toOnnx(${TINY}));`, "browser");
  const printed: Promise<Uint8Array>[] = [];
  runInNewContext(text, { TextDecoder, TextEncoder, print: (bytes: Promise<Uint8Array>) => printed.push(bytes) });
  const bytes = await printed[0];
  assert.deepEqual(
    Buffer.from(bytes ?? []),
    Buffer.from(await toOnnx({ outputs: { y: ops.mul(ops.input("x", [2]), 2) }, updates: {} })),
  );
});
