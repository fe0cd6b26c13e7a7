import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { input, matmul, reduceSum, relu } from "../../graph/ops.js";
import { filled } from "../../runtime/array.js";
import { onnxRuntimeEngine } from "./onnxruntime.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "codistill-profile-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

for (const binding of ["native", "official"] as const) {
  test(`an engine that is closed has written the time of each operation of each run, ${binding}`, async () => {
    const engine = onnxRuntimeEngine({ threads: 1, binding, profile: join(folder, "step") });
    const a = input("a", [64, 64]);
    const graph = { outputs: { sum: reduceSum(relu(matmul(matmul(a, a), a))) }, updates: {} };
    const program = await engine.compile(graph);
    for (let run = 0; run < 5; run++) await program.run({ a: filled([64, 64], 1) });
    await engine.close();
    const [file = "", ...others] = readdirSync(folder);
    assert.match(file, /^step.*\.json$/);
    assert.deepEqual(others, []);
    const events: { name?: string; args?: { op_name?: string } }[] = JSON.parse(
      readFileSync(join(folder, file), "utf8"),
    );
    const relus = events.filter(({ name, args }) => args?.op_name === "Relu" && name?.endsWith("_kernel_time"));
    assert.equal(relus.length, 5);
  });
}
