/** Our operations, optimizers and losses against the test vectors of ONNX, where their Debian package is installed. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { checkVector } from "./check.js";
import { emittedTypes } from "./emitted.js";
import { listOf } from "./list.js";
import { translations } from "./translations.js";
import { installedVersion, listFile, outcomeOf, readVectors, whyMissing } from "./vectors.js";
import { wholePrograms } from "./whole.js";

const skip = whyMissing();
const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const emitted = emittedTypes();
const entries = skip ? [] : readVectors().map((vector) => ({ vector, outcome: outcomeOf(vector) }));

describe("the engine and the interpreter give what the test vectors of ONNX say", () => {
  test("the vectors are there", { skip }, () => assert.ok(entries.length > 0));
  for (const { vector, outcome } of entries) {
    if (!outcome.isUsed) continue;
    test(vector.name, () => checkVector(engine, outcome.program, outcome.expected));
  }
});

test("every operation that our graphs are emitted as is translated, but for those without vectors", () => {
  const known = new Set([...Object.keys(translations), ...Object.keys(wholePrograms)]);
  assert.deepEqual(
    emitted.filter((type) => !known.has(type)),
    ["BitwiseXor"],
  );
});

test("docs/onnx-vectors.md lists what became of the vectors", { skip }, (t) => {
  const listed = readFileSync(listFile, "utf8");
  const version = installedVersion();
  if (!listed.includes(` ${version},`)) return t.skip(`the list is of another version than ${version}`);
  assert.equal(listed, listOf(entries, version, emitted), "the list is old: npm run vectors -- --write");
});
