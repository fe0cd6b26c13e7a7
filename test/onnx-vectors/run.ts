/**
 * Runs the test vectors of ONNX and compares docs/onnx-vectors.md with what became of them: `npm run vectors`. With
 * `--write` the list is replaced.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { messageOf } from "../../src/errors.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { checkVector } from "./check.js";
import { emittedTypes } from "./emitted.js";
import { type Entry, listOf } from "./list.js";
import { installedVersion, listFile, outcomeOf, readVectors, whyMissing } from "./vectors.js";

async function main(): Promise<void> {
  const missing = whyMissing();
  if (missing) throw new Error(missing);
  const entries: Entry[] = readVectors().map((vector) => ({ vector, outcome: outcomeOf(vector) }));
  const failures = await failuresOf(entries);
  const list = listOf(entries, installedVersion(), emittedTypes());
  const numUsed = entries.filter(({ outcome }) => outcome.isUsed).length;
  process.stdout.write([...failures, `${numUsed - failures.length} of ${numUsed} vectors passed`, ""].join("\n"));
  if (failures.length > 0) process.exitCode = 1;
  else if (process.argv.includes("--write")) writeFileSync(listFile, list);
  else if (readFileSync(listFile, "utf8") !== list) throw new Error("the list is old: npm run vectors -- --write");
}

async function failuresOf(entries: readonly Entry[]): Promise<string[]> {
  const engine = onnxRuntimeEngine({ threads: 1 });
  const failures: string[] = [];
  for (const { vector, outcome } of entries) {
    if (!outcome.isUsed) continue;
    try {
      await checkVector(engine, outcome.program, outcome.expected);
    } catch (error) {
      failures.push(`${vector.name}: ${messageOf(error)}`);
    }
  }
  await engine.close();
  return failures;
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
