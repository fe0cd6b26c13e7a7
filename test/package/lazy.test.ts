/** What importing the package loads: no parser of schemas or of models before one is needed. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { consumer } from "./consumer.js";

const project = consumer("module");
after(() => project.remove());

/** Tells of every package that is loaded, on a line of its own. */
const watch = `
  import { writeSync } from "node:fs";
  export async function resolve(specifier, context, next) {
    const found = await next(specifier, context);
    const packaged = found.url.split("/node_modules/").at(-1).match(/^(@[^/]+\\/)?[^/]+/)[0];
    if (found.url.includes("/node_modules/")) writeSync(1, "loads " + packaged + "\\n");
    return found;
  }`;

function output(program: string): string[] {
  project.write("watch.mjs", watch);
  project.write("program.mjs", program);
  project.write(
    "main.mjs",
    `import { register } from "node:module";
     import { writeSync } from "node:fs";
     globalThis.say = (line) => writeSync(1, line + "\\n");
     register("./watch.mjs", import.meta.url);
     await import("./program.mjs");`,
  );
  const { status, stdout, stderr } = project.run("main.mjs");
  assert.equal(status, 0, stderr);
  // A package is loaded by many files.
  return [...new Set(stdout.trim().split("\n"))];
}

test("the core loads no package when it is imported, and then what is asked for", () => {
  const lines = output(`
    import * as core from "codistill";
    const x = core.ops.input("x", ["batch", 2]);
    core.gradients(core.ops.reduceSum(core.ops.mul(x, x)), [x]);
    core.defineRun({});
    say("imported and used");
    await core.toOnnx({ outputs: { y: core.ops.mul(x, 2) }, updates: {} });
    say("a graph encoded");
    await core.resolveConfig({}).catch(({ code }) => say(code));
  `);
  const at = (line: string) => lines.indexOf(line);
  assert.deepEqual(lines[0], "imported and used");
  assert.ok(at("loads protobufjs") > 0 && at("loads protobufjs") < at("a graph encoded"), lines.join());
  assert.ok(at("loads zod") > at("a graph encoded") && at("loads zod") < at("CONFIG"), lines.join());
});
