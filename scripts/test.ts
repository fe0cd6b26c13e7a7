/**
 * Runs the compiled tests: all of them, or those whose path holds one of the arguments; `--without=<part>` leaves out those whose path
 * holds it. Several files at a time, each in a process of its own; in the end it says which took longest: ten of them, or as
 * many as `--slowest=<count>` asks for. With `--full` those that try chance many times do so more often, and those run that take
 * minutes (test/fixtures/full.ts). With `--fast` tests that take long are left out.
 */
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    slowest: { type: "string", default: "10" },
    full: { type: "boolean", default: false },
    fast: { type: "boolean", default: false },
    without: { type: "string", multiple: true, default: [] },
  },
});
if (values.full) process.env.CODISTILL_FULL = "1";
const numSlowest = Number(values.slowest);
if (!Number.isInteger(numSlowest) || numSlowest < 0)
  throw new Error(`--slowest must be a number of files, 0 or more, got "${values.slowest}"`);

/** Tests that call DuckDB or start programs, try inputs by chance, or compare with what other programs computed. */
const SLOW = [
  ...["bench/", "src/node/", "test/fuzz/", "test/golden/", "test/onnx-vectors/", "test/package/", "test/process/"],
  ...["test/numerics/ops-random.test.js", "test/numerics/passes-random.test.js"],
].map((path) => join("dist", path));
const isWanted = (file: string) =>
  (wanted.length === 0 || wanted.some((part) => file.includes(part))) &&
  !values.without.some((part) => file.includes(part)) &&
  !(values.fast && SLOW.some((path) => file.startsWith(path)));

/** Whole runs take longest: they come first, so that none of them is left to run alone in the end. */
const isLong = (file: string) => file.startsWith(join("dist", "test", "process"));
const all = readdirSync("dist", { recursive: true, encoding: "utf8" })
  .map((file) => join("dist", file))
  .filter((file) => file.endsWith(".test.js") && isWanted(file))
  .sort();
if (all.length === 0) throw new Error(`no test file matches ${wanted.join(" ")}`);
const files = [...all.filter(isLong), ...all.filter((file) => !isLong(file))].map((file) => resolve(file));

/** One more than cores: a file that waits for a disk or for another process leaves its core to the next. */
const concurrency = availableParallelism() + 1;
const began = performance.now();
const seconds = new Map<string, number>();
const events = run({ files, concurrency });
events.on("test:fail", () => {
  process.exitCode = 1;
});
events.on("test:complete", ({ name, details }) => {
  const file = resolve(name);
  if (files.includes(file)) seconds.set(relative("dist", file), details.duration_ms / 1000);
});
events.on("end", () => {
  const slowest = [...seconds].sort(([, a], [, b]) => b - a).slice(0, numSlowest);
  const line = (length: number, what: string) => `${length.toFixed(1).padStart(7)} s  ${what}`;
  const total = line((performance.now() - began) / 1000, `${files.length} files, ${concurrency} at a time; slowest:`);
  // Behind what the reporter has still to say.
  setImmediate(() =>
    process.stdout.write(`${[total, ...slowest.map(([file, length]) => line(length, file))].join("\n")}\n`),
  );
});
events.compose(new spec()).pipe(process.stdout);
