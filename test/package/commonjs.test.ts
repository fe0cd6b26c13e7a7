/** The package in projects of CommonJS, and under strict rules for optional properties. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { consumer } from "./consumer.js";

const project = consumer("commonjs");
after(() => project.remove());

test("require gives both doors of the package", () => {
  project.write(
    "core.cjs",
    `const { uniform, rootKey, version } = require("codistill");
const { onnxRuntimeEngine } = require("codistill/node");
const { add } = require("codistill/ops");
console.log(typeof version, uniform(rootKey(1), 2).length, typeof onnxRuntimeEngine, typeof add);`,
  );
  const { status, stdout, stderr } = project.run("core.cjs");
  assert.equal(status, 0, stderr);
  assert.equal(stdout, "string 2 function function\n");
});

test("modules of CommonJS see the types", () => {
  const source = project.write(
    "typed.cts",
    `import { defineRun, uniform, rootKey } from "codistill";
import { onnxRuntimeEngine } from "codistill/node";
const data: ArrayLike<number> = uniform(rootKey(1), 2);
const engine = onnxRuntimeEngine({ threads: 1 });
export const all = [data, engine, defineRun];
`,
  );
  assert.equal(project.typeErrors([source], "--module", "nodenext"), "");
  const wrong = project.write(
    "wrong.cts",
    'import { uniform } from "codistill";\nexport const text: string = uniform;\n',
  );
  assert.match(project.typeErrors([wrong], "--module", "nodenext"), /TS2322/);
});

test("options may be given as undefined, whatever a project says of optional properties", () => {
  const source = project.write(
    "options.mts",
    `import { adam, constantSchedule, defineRun, engineStudent, memoryStore, mlp, storeExchange, codistill } from "codistill";
import { onnxRuntimeEngine, threadedEngine } from "codistill/node";
const none = undefined;
const rate = constantSchedule(0.1);
export const made = () => [onnxRuntimeEngine({ threads: 1, binding: none }), threadedEngine({ threads: 1, binding: none }), adam(rate, { beta1: none, epsilon: none, decay: none })];
const model = mlp({ categorical: {}, numeric: {}, numbers: none, hidden: [4], numOutputs: none });
type Options = Parameters<typeof storeExchange>[0];
export const exchange: Options = {
  ...{ store: memoryStore(), group: 0, teachers: [1], model },
  ...{ incarnation: none, starts: none, burnInSteps: none, maxStaleness: none, isAlike: none },
  ...{ keepSnapshots: none, timeoutSeconds: none, known: none, onEvent: none },
};
type Loop = Parameters<typeof codistill>[0];
export const loop = (own: Pick<Loop, "student" | "stream" | "exchange">): Loop => ({
  ...own,
  ...{ numSteps: 1, burnInSteps: none, distillWeight: none, publishInterval: none },
  ...{ exchangeInterval: none, accumulate: none, signal: none },
});
type Student = Parameters<typeof engineStudent>[0];
export const student = (own: Pick<Student, "engine" | "learner">): Student => ({ ...own, key: none });
export { defineRun };
`,
  );
  for (const options of [[], ["--exactOptionalPropertyTypes"]]) {
    assert.equal(project.typeErrors([source], "--module", "nodenext", ...options), "");
  }
});
