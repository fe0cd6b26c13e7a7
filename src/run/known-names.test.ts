import assert from "node:assert/strict";
import { test } from "node:test";
import { tinyInput } from "../../test/fixtures/tiny-run.js";
import { ConfigError } from "../errors.js";
import { resolveConfig } from "./config.js";
import { rulesOf } from "./kinds/kinds.js";
import { NAMES_ELSEWHERE, unknownNameHint } from "./known-names.js";

const text = { data: { kind: "text", source: "a.txt" }, model: { kind: "lstm" } };
const transformer = { ...text, model: { kind: "transformer" } };

const meantBy = (path: string, config: unknown) => {
  const [name = "", ...place] = path.split(".").reverse();
  const { schema } = rulesOf(config === text || config === transformer ? "text" : "table");
  return unknownNameHint(schema, place.reverse(), name, config);
};

test("names that other programs have for an option lead to it, wherever it lies", () => {
  const table = tinyInput();
  for (const [path, meant, config] of [
    ["steps", "numSteps", table],
    ["maxSteps", "numSteps", table],
    ["max_steps", "numSteps", table],
    ["batchSize", "globalBatchSize", table],
    ["batch_size", "globalBatchSize", table],
    ["gradient_accumulation_steps", "accumulate", table],
    ["groups", "numGroups", table],
    ["num_workers", "workers", table],
    ["random_state", "seed", table],
    ["eval_every", "validationInterval", table],
    ["patience", "earlyStopping", table],
    ["lr", "optimizer.learningRate", table],
    ["learning_rate", "optimizer.learningRate", table],
    ["optimizer.lr", "learningRate", table],
    ["optimizer.learning_rate", "learningRate", table],
    ["optimizer.rate", "learningRate", table],
    ["weight_decay", "optimizer.weightDecay", table],
    ["optimizer.eps", "epsilon", table],
    ["optimizer.lr_scheduler", "schedule", table],
    ["optimizer.numSteps", "numSteps", table],
    ["topology", "algorithm.topology", table],
    ["alpha", "algorithm.distillWeight", table],
    ["target", "data.label", table],
    ["data.target", "label", table],
    ["hidden_layers", "model.hidden", table],
    ["model.layers", "hidden", table],
    ["model.hidden_size", "hidden", text],
    ["model.num_layers", "layers", text],
    ["model.d_model", "width", transformer],
    ["model.n_head", "heads", transformer],
    ["data.block_size", "sequenceLength", transformer],
  ] as const) {
    assert.equal(meantBy(path, config), `; did you mean "${meant}"?`, path);
  }
});

test("epochs lead to steps, with what an epoch is in them", () => {
  for (const name of ["epochs", "num_train_epochs", "nEpochs"])
    assert.match(meantBy(name, tinyInput()), /did you mean "numSteps"\? It counts .*globalBatchSize.*one epoch/);
});

test("a name that means nothing is told those that there are", () => {
  assert.match(meantBy("flavour", tinyInput()), /^; known names: name, data, task, .*threads$/);
  assert.match(meantBy("optimizer.flavour", tinyInput()), /^; known names: kind, learningRate, /);
});

test("the message of a configuration has the option's path", () => {
  assert.throws(
    () => resolveConfig({ ...tinyInput(), lr: 0.1 }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /\n {2}lr: unknown name; did you mean "optimizer\.learningRate"\?$/);
      return true;
    },
  );
});

test("names of other programs lead to options that there are, and are none themselves", () => {
  const configs = [tinyInput(), text, transformer];
  for (const [ours, others] of Object.entries(NAMES_ELSEWHERE)) {
    for (const other of others) {
      assert.match(other, /^[a-z0-9]+$/);
      const hints = configs.map((config) => meantBy(other, config));
      assert.ok(
        hints.some((hint) => new RegExp(`did you mean "([a-zA-Z]+\\.)?${ours}"`).test(hint)),
        `${other}: ${hints}`,
      );
    }
  }
});
