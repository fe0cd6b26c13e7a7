/** What an editor shows of the package when the pointer is over a name, by the language server that it asks. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { consumer } from "./consumer.js";
import { type LanguageServer, languageServer } from "./language-server.js";

const project = consumer("module");
let server: LanguageServer;
let path: string;
before(async () => {
  project.write("tsconfig.json", JSON.stringify({ compilerOptions: { module: "nodenext", strict: true, types: [] } }));
  path = project.write(
    "codistill.config.ts",
    `import { adam, defineRun } from "codistill";
import { predictRows } from "codistill/node";
export default defineRun({
  name: "rides",
  data: { source: "rides.csv", label: "late", numeric: { km: "km" }, split: { kind: "rows" } },
  model: { kind: "mlp", hidden: [64] },
  optimizer: { kind: "adam", learningRate: 1e-3, beta2: 0.99 },
  numSteps: 2000,
  globalBatchSize: 256,
  validationInterval: 100,
  algorithm: { kind: "codistill", burnInSteps: 500 },
});
`,
  );
  server = await languageServer(project.folder);
});
after(() => {
  server.close();
  project.remove();
});

/** What is hovered over, and what must be shown of it: its documentation, its default. */
const expected = {
  globalBatchSize: [/Examples of one optimizer step of one group/],
  validationInterval: [/Steps between validations/, /500 by default/],
  burnInSteps: [/Steps before groups begin to teach one another/, /"50%" by default/],
  beta2: [/by default/],
  "hidden:": [/layer/i],
  adam: [/Adam/],
  defineRun: [/Type a configuration/, /@example/],
  predictRows: [/Predict rows by an exported model/, /@throws/, /DataError/, /@example/],
} as const;

for (const [name, patterns] of Object.entries(expected)) {
  test(`${name} shows its documentation`, async (t) => {
    const shown = await server.hover(path, name);
    t.diagnostic(shown.replaceAll("\n", " | "));
    for (const pattern of patterns) assert.match(shown, pattern);
  });
}
