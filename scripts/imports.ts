/**
 * The import rule, checked and printed: who may import whom, file cycles, the largest file, the line count.
 * Run by `npm run check`; exits 1 when the rule is broken.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** What a run knows by its table of algorithms alone. */
const ALGORITHMS = ["codistill", "baselines", "async-sgd", "local-sgd"];

/** The parts of the core by row. */
const core: readonly (readonly string[])[] = [
  ["errors", "nearest", "log", "version"],
  ["runtime"],
  ["graph"],
  ["engine"],
  ["nn", "optim", "data", "checkpoint", "report", "comm"],
  ["train", "reading"],
  [...ALGORITHMS, "serving"],
  ["run/steps", "run/documented"],
  ["run/algorithms"],
  ["run"],
  ["infer", "study"],
];
/** The rooms of `node`, each in a row of its own. */
const rooms = [
  "files",
  "stores",
  "sources",
  "ort",
  "comm",
  "runs",
  "table",
  "text",
  "image",
  "launch",
  "jobs",
  "doctor",
  "cli",
];
/** A part may import the rows above its own. A file is of the longest name it starts with. */
const rows = [...core, ...rooms.map((room) => [`node/${room}`]), ["index", "node/index", "node/main"]];

/** Parts that may import less than the rows above. */
const narrower: Readonly<Record<string, readonly string[]>> = {
  data: ["errors", "runtime"],
  checkpoint: ["errors", "runtime"],
  report: ["log"],
  comm: ["errors", "runtime"],
  // A run knows algorithms by their table alone.
  run: core
    .slice(0, -2)
    .flat()
    .filter((part) => !ALGORITHMS.includes(part)),
  index: core.flat(),
};

const parts = rows.flat();
const mayImport = (part: string, other: string): boolean =>
  (
    narrower[part] ??
    rows
      .slice(
        0,
        rows.findIndex((row) => row.includes(part)),
      )
      .flat()
  ).includes(other);

/** Packages that each part may import; `node:` modules only in `node`. */
const packages: Readonly<Record<string, readonly string[]>> = {
  graph: ["protobufjs/light.js"],
  checkpoint: ["zod"],
  nearest: ["leven"],
  codistill: ["zod"],
  "async-sgd": ["zod"],
  reading: ["zod"],
  serving: ["zod"],
  "run/steps": ["zod"],
  "run/documented": ["zod"],
  "run/algorithms": ["zod"],
  run: ["zod"],
  "node/files": ["zod"],
  "node/sources": ["@duckdb/node-api", "@aws-sdk/client-s3", "zod"],
  "node/ort": ["onnxruntime-node", "koffi", "zod"],
  "node/comm": ["koffi"],
  "node/runs": ["jiti", "koffi", "zod"],
  "node/table": ["zod"],
  "node/text": ["@huggingface/tokenizers", "csv-parse", "zod"],
  "node/image": ["sharp", "zod"],
  "node/cli": ["commander", "log-update"],
};

/** Lines that a file of sources may have. */
const MAX_LINES = 300;

const files = readdirSync("src", { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts"))
  .sort();
const sources = files.filter((file) => !file.endsWith(".test.ts"));
const texts = new Map(files.map((file) => [file, readFileSync(join("src", file), "utf8")]));
const problems: string[] = [];

function partOf(file: string): string {
  const matching = parts.filter((part) => file === `${part}.ts` || file.startsWith(`${part}/`));
  const longest = matching.sort((a, b) => b.length - a.length)[0];
  if (longest === undefined)
    throw new Error(`src/${file} is in no part of the house; give it one in scripts/imports.ts`);
  return longest;
}

const graph = new Map<string, Set<string>>();
const imports = new Map<string, string[]>();
for (const file of sources) {
  const part = partOf(file);
  // Examples in comments import the package, as its users do.
  const code = (texts.get(file) ?? "").replace(/^ *\* .*$/gm, "");
  const specifiers = [...code.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
  imports.set(file, []);
  for (const specifier of specifiers) {
    if (specifier.startsWith(".")) {
      const target = normalize(join(dirname(file), specifier))
        .replaceAll("\\", "/")
        .replace(/\.js$/, ".ts");
      imports.get(file)?.push(target);
      const other = partOf(target);
      if (other !== part) graph.set(part, (graph.get(part) ?? new Set()).add(other));
      if (other !== part && !mayImport(part, other))
        problems.push(`src/${file} imports ${target}: ${part} may not import ${other}`);
    } else if (!(specifier.startsWith("node:") ? part.startsWith("node/") : packages[part]?.includes(specifier))) {
      problems.push(`src/${file} imports the package ${specifier}: ${part} may not`);
    }
  }
}

/** Files from which no cycle is reached. */
const acyclic = new Set<string>();

/** A cycle of files that is reached from `file` at the end of `path`, if there is one. */
function cycleFrom(file: string, path: readonly string[] = []): readonly string[] | undefined {
  if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
  if (acyclic.has(file)) return undefined;
  for (const next of imports.get(file) ?? []) {
    const cycle = cycleFrom(next, [...path, file]);
    if (cycle) return cycle;
  }
  acyclic.add(file);
  return undefined;
}
for (const file of sources) {
  const cycle = cycleFrom(file);
  if (!cycle) continue;
  problems.push(`import cycle: ${cycle.join(" -> ")}`);
  break;
}

const lines = (file: string) => (texts.get(file) ?? "").split("\n").length - 1;
const total = (list: readonly string[]) => list.reduce((sum, file) => sum + lines(file), 0);
const bySize = [...sources].sort((a, b) => lines(b) - lines(a));
const largest = bySize[0] ?? "";
const print = (text: string) => process.stdout.write(`${text}\n`);

print("import graph (part -> parts it imports)");
for (const part of parts) print(`  ${part.padEnd(15)} -> ${[...(graph.get(part) ?? [])].join(", ") || "nothing"}`);
print(
  `largest file: src/${largest}, ${lines(largest)} lines; median ${lines(bySize[Math.floor(bySize.length / 2)] ?? "")}`,
);
print(
  `source: ${sources.length} files, ${total(sources)} lines; unit tests beside it: ${total(files.filter((file) => file.endsWith(".test.ts")))} lines`,
);
for (const file of sources)
  if (lines(file) > MAX_LINES) problems.push(`src/${file} has ${lines(file)} lines, the cap is ${MAX_LINES}`);
if (problems.length > 0) {
  print(`\nthe import rule is broken:\n  ${problems.join("\n  ")}`);
  process.exitCode = 1;
}
