import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { resolveConfig } from "../../src/run/config.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");

/** The TypeScript blocks of a page. */
function typeScriptOf(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
}

/** Run TypeScript as a user's file inside the package, so that "codistill" means this build. */
function runTypeScript(source: string): { status: number | null; output: string } {
  const folder = mkdtempSync(join(root, "dist", "readme-"));
  try {
    writeFileSync(join(folder, "example.ts"), source);
    const options = [
      "--ignoreConfig",
      "--strict",
      "--noEmit",
      "--skipLibCheck",
      "--target",
      "es2023",
      "--module",
      "nodenext",
      "--types",
      "node",
    ];
    const types = spawnSync(process.execPath, [tsc, ...options, join(folder, "example.ts")], { encoding: "utf8" });
    assert.equal(types.status, 0, types.stdout);
    const script = `import { createJiti } from "jiti"; await createJiti(import.meta.url).import("./example.ts");`;
    writeFileSync(join(folder, "run.mjs"), script);
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, "run.mjs")], { encoding: "utf8" });
    return { status, output: stdout + stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the library example of the README compiles and runs, and its groups learn with a teacher", () => {
  const example = typeScriptOf("README.md").find((block) => block.includes("storeExchange"));
  assert.ok(example, "the README has no library example");
  const { status, output } = runTypeScript(example);
  assert.equal(status, 0, output);
  const lines = output.match(/\{[^}]*\}/g) ?? [];
  assert.equal(lines.length, 10, output);
  const losses = (part: string) =>
    lines.filter((line) => line.includes(part)).map((line) => Number(/labelLoss: ([\d.]+)/.exec(line)?.[1]));
  for (const loss of losses("step: 500")) assert.ok(loss < 0.2, output);
  for (const line of lines.filter((text) => text.includes("step: 500")))
    assert.match(line, /distillLoss: 0\.\d+/, output);
  for (const line of lines.filter((text) => text.includes("step: 100,")))
    assert.match(line, /distillLoss: null/, output);
});

test("the configuration of docs/getting-started.md is valid", () => {
  const source = typeScriptOf("docs/getting-started.md").find((block) => block.includes("defineRun({"));
  assert.ok(source, "the page has no configuration");
  const { status, output } = runTypeScript(
    `${source.replace("export default", "const config =")}\nconsole.log(JSON.stringify(config));`,
  );
  assert.equal(status, 0, output);
  assert.equal(resolveConfig(JSON.parse(output)).name, "rides");
});

test("the README has at most 110 lines, and the commands of a fresh clone on its first screen", () => {
  const lines = readFileSync(join(root, "README.md"), "utf8").trimEnd().split("\n");
  assert.ok(lines.length <= 110, `${lines.length} lines`);
  const screen = lines.slice(0, 24).join("\n");
  for (const command of ["npm ci && npm start", "npm ci && npm test"]) assert.ok(screen.includes(command), command);
});
