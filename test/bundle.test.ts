/** What a bundler makes of the package: whoever uses one small function pays for that alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The minified bundle of a program that imports from the package by its name. */
async function bundle(program: string): Promise<{ readonly bytes: number; readonly inputs: readonly string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: root, loader: "ts" },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "node",
    logLevel: "silent",
  });
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.entries(output?.inputs ?? {}).flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > 0 ? [path] : [],
  );
  return { bytes: outputFiles[0]?.contents.length ?? 0, inputs };
}

/** Each with the bytes that its bundle has at most. */
const programs: readonly (readonly [string, number])[] = [
  ["uniform, rootKey", 5000],
  ["float32", 5000],
  ["constantSchedule", 5000],
  ["sgd", 10_000],
];

test("package.json can be asked for by name, as tools do", () => {
  assert.match(import.meta.resolve("codistill/package.json"), /\/package\.json$/);
});

for (const [names, most] of programs) {
  test(`${names}: at most ${most} bytes, without parsers of schemas and of models`, async () => {
    const { bytes, inputs } = await bundle(`import { ${names} } from "codistill"; console.log(${names});`);
    assert.ok(bytes > 20 && bytes <= most, `${bytes} bytes of ${inputs.join(", ")}`);
    assert.deepEqual(
      inputs.filter((path) => /node_modules/.test(path)),
      [],
    );
  });
}
