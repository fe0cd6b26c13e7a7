import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { DataError } from "../../errors.js";
import { input, matmul, reduceSum, relu } from "../../graph/ops.js";
import { filled } from "../../runtime/array.js";
import { onnxRuntimeEngine } from "./onnxruntime.js";
import { formatOpTimes, opTimes, profileFiles } from "./profile.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "codistill-profile-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

for (const binding of ["native", "official"] as const) {
  test(`counts each operation of each run and adds up its time, ${binding}`, async () => {
    const prefix = join(folder, "step");
    const engine = onnxRuntimeEngine({ threads: 1, binding, profile: prefix });
    const a = input("a", [64, 64]);
    const graph = { outputs: { sum: reduceSum(relu(matmul(matmul(a, a), a))) }, updates: {} };
    const program = await engine.compile(graph);
    for (let run = 0; run < 5; run++) await program.run({ a: filled([64, 64], 1) });
    await engine.close();
    const files = profileFiles(prefix);
    assert.equal(files.length, 1);
    const times = opTimes([...files, ...files]);
    const counts = Object.fromEntries(times.map(({ op, count }) => [op, count]));
    assert.equal(counts.Relu, 10);
    assert.equal((counts.MatMul ?? 0) + (counts.Gemm ?? 0), 20);
    assert.ok(Math.abs(times.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
    assert.ok(times.every(({ milliseconds }, i) => i === 0 || milliseconds <= (times[i - 1]?.milliseconds ?? 0)));
    assert.match(formatOpTimes(times), /^op +count +ms +share\n/);
  });
}

test("shows times in columns", () => {
  const times = [
    { op: "FusedMatMul", count: 1200, milliseconds: 95.25, share: 0.9525 },
    { op: "Add", count: 5, milliseconds: 4.75, share: 0.0475 },
  ];
  assert.deepEqual(formatOpTimes(times).split("\n"), [
    "op           count     ms   share",
    "FusedMatMul   1200  95.25  95.3 %",
    "Add              5   4.75   4.8 %",
  ]);
});

test("refuses files that are no profiles", () => {
  const path = join(folder, "other.json");
  for (const text of ["{}", "[{", '[{"cat": 1}]']) {
    writeFileSync(path, text);
    assert.throws(() => opTimes([path]), DataError);
  }
});
