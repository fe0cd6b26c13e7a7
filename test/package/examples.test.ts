/** The examples of docstrings, as an editor shows them: each compiles and runs, in a project of its own. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { initWeights } from "../../src/nn/model.js";
import { smallCnn } from "../../src/nn/small-cnn.js";
import { MODEL_FORMAT, MODEL_VERSION } from "../../src/node/ort/model-file.js";
import { sgd } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import { exportModel } from "../../src/run/export.js";
import { exportImages } from "../../src/run/export-images.js";
import { rootKey } from "../../src/runtime/random.js";
import { multiclassTask } from "../../src/train/task.js";
import { shapeNames, writeShapes } from "../fixtures/image-files.js";
import { tinyLearner, tinyPreprocessing, tinyServing } from "../fixtures/tiny-run.js";
import { consumer, repository } from "./consumer.js";

const sources = join(repository, "src");

/** The examples of a file that are whole programs, which import what they use. */
function examplesOf(file: string): string[] {
  const comments = [...readFileSync(join(sources, file), "utf8").matchAll(/\/\*\*[\s\S]*?\*\//g)].map(([text]) => text);
  return comments.flatMap((comment) =>
    comment
      .split(/^ *\* @example *$/m)
      .slice(1)
      .map(
        (text) =>
          text
            .split(/^ *\* @\w|\*\/$/m)[0]
            ?.replace(/^ *\* ?/gm, "")
            .trim() ?? "",
      )
      .filter((text) => text.startsWith("import ")),
  );
}

const files = readdirSync(sources, { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
);
const examples = files.flatMap((file) => examplesOf(file).map((text) => ({ file, text })));
const project = consumer("module");
after(() => project.remove());

/** The models that examples predict by, and rows and images as they are in their files. */
before(async () => {
  const learner = tinyLearner();
  const metadata = {
    format: MODEL_FORMAT,
    version: String(MODEL_VERSION),
    name: "tiny",
    label: "late",
    reading: JSON.stringify({ columns: [] }),
  };
  for (const [seed, name] of ["model.onnx", "newer.onnx"].entries()) {
    const params = initWeights(learner.model, rootKey(seed));
    writeFileSync(join(project.folder, name), exportModel(learner, tinyPreprocessing, tinyServing(), params, metadata));
  }
  project.write("rows.csv", "colour,size,late\nblue,2.5,1\nred,-1,0\n");
  await writeShapes(join(project.folder, "photos"), 2);
  writeFileSync(join(project.folder, "photos.onnx"), modelOfImages());
});

/** A model of the images that {@link writeShapes} writes. */
function modelOfImages(): Uint8Array {
  const task = multiclassTask({ classes: shapeNames });
  const sizes = { imageSize: [12, 12] as const, channels: 3, numClasses: shapeNames.length };
  const model = smallCnn({ ...sizes, widths: [2], mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] });
  const learner = { model, objective: task.objective, task, optimizer: sgd(constantSchedule(0.1)) };
  const shape = { height: "12", width: "12", channels: "3", fit: "crop", maxPixels: "1000000" };
  return exportImages(learner, "crop", initWeights(model, rootKey(1)), {
    ...{ format: MODEL_FORMAT, version: String(MODEL_VERSION), name: "shapes", data: "images", ...shape },
  });
}

test("examples compile", () => {
  assert.ok(examples.length >= 10, `${examples.length} examples`);
  const names = examples.map(({ text }, i) => project.write(`example-${i}.ts`, text));
  assert.equal(project.typeErrors(names, "--module", "nodenext", "--exactOptionalPropertyTypes"), "");
});

test("examples run", () => {
  const names = examples.map(({ text }, i) => project.write(`example-${i}.mjs`, text));
  project.write("all.mjs", names.map((_, i) => `await import("./example-${i}.mjs");`).join("\n"));
  const { status, stderr } = project.run("all.mjs");
  assert.equal(status, 0, `${stderr}\n${examples.map(({ file }, i) => `example-${i}: ${file}`).join("\n")}`);
});
