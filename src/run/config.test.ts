import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { tinyConfig, tinyInput } from "../../test/fixtures/tiny-run.js";
import { ConfigError } from "../errors.js";
import { resolveConfig } from "./config.js";
import { configOfKind } from "./kinds/kinds.js";
import { defineRun, type RunConfig, type RunInput } from "./schema.js";

/** The least that a user must write. */
const least: RunInput = {
  name: "least",
  data: {
    source: "flights.csv",
    label: "late",
    categorical: { origin: "origin", weekday: "weekday" },
    split: { train: "a", validation: "b", test: "c" },
  },
  model: { kind: "mlp" },
  optimizer: { kind: "adam", learningRate: 0.001 },
  algorithm: { burnInSteps: 5 },
  numSteps: 10,
  globalBatchSize: 4,
};

/** The lines of the ConfigError that a call must end in, the heading apart. */
function problems(call: () => unknown): string[] {
  let lines: string[] = [];
  assert.throws(call, (error) => {
    assert.ok(error instanceof ConfigError, String(error));
    const [head = "", ...rest] = error.message.split("\n  ");
    assert.equal(head, `the configuration has ${rest.length} problem${rest.length === 1 ? "" : "s"}:`);
    lines = rest;
    return true;
  });
  return lines;
}

/** The least configuration with the value at a dotted path replaced, or left out. */
function withValue(path: string, value: unknown): unknown {
  const config: unknown = structuredClone(least);
  const names = path.split(".");
  const last = names.pop() ?? "";
  let record = config as Record<string, unknown>;
  for (const name of names) record = record[name] as Record<string, unknown>;
  if (value === undefined) delete record[last];
  else record[last] = value;
  return config;
}

describe("resolveConfig", () => {
  test("fills in every default", () => {
    const expected: RunConfig = {
      name: "least",
      data: {
        source: "flights.csv",
        label: "late",
        categorical: { origin: "origin", weekday: "weekday" },
        numeric: {},
        split: { train: "a", validation: "b", test: "c" },
        regime: "disjoint",
      },
      task: { kind: "binary" },
      model: { kind: "mlp", embeddings: {}, embeddingWidth: 16, hidden: [128, 64] },
      optimizer: {
        kind: "adam",
        learningRate: 0.001,
        schedule: "linear",
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
      },
      algorithm: {
        kind: "codistill",
        burnInSteps: 5,
        distillWeight: { from: 1, to: 1, steps: 0 },
        temperature: 1,
        mix: "sum",
        teacherPrecision: "float32",
        distillShare: 1,
        freshInputs: 0,
        gramWeight: 0,
        publishInterval: 50,
        exchangeInterval: 50,
        maxStaleness: 1000,
        topology: "all",
        keepSnapshots: 10,
      },
      numGroups: 2,
      numSteps: 10,
      globalBatchSize: 4,
      accumulate: 1,
      workers: 1,
      seed: 1,
      validationInterval: 500,
      checkpointInterval: 500,
      logInterval: 20,
      restarts: 3,
      record: false,
    };
    assert.deepEqual(resolveConfig(least), expected);
  });

  test("keeps what is given, and gives sgd no options of adam", () => {
    const optimizer = { kind: "sgd", learningRate: 0.5 } as const;
    const config = resolveConfig({ ...least, optimizer, device: "webgpu", threads: 3, numGroups: 64, seed: 0 });
    assert.deepEqual(config.optimizer, { kind: "sgd", learningRate: 0.5, schedule: "linear" });
    assert.deepEqual([config.device, config.threads, config.numGroups, config.seed], ["webgpu", 3, 64, 0]);
  });

  test("leaves what it was given as it was", () => {
    const given = structuredClone(least);
    resolveConfig(given);
    assert.deepEqual(given, least);
  });

  test("gives plain data that survives JSON and resolves to itself", () => {
    const configs = [least, tinyInput(), tinyInput({ threads: 2, optimizer: { kind: "sgd", learningRate: 1e-300 } })];
    for (const input of configs) {
      const config = resolveConfig(input);
      assert.deepEqual(JSON.parse(JSON.stringify(config)), config);
      assert.deepEqual(resolveConfig(config), config);
    }
  });

  test("takes any numbers that keep the rules", () => {
    const batches = fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }));
    const steps = fc
      .tuple(fc.integer({ min: 1 }), fc.integer({ min: 0 }))
      .map(([a, b]) => [Math.max(a, b), b] as const);
    const betas = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(batches, steps, betas, ([accumulate, part], [numSteps, burnInSteps], beta1) => {
        const optimizer = { kind: "adam", learningRate: 1, beta1 } as const;
        const globalBatchSize = accumulate * part;
        const algorithm = { burnInSteps };
        const config = resolveConfig({ ...least, numSteps, globalBatchSize, accumulate, algorithm, optimizer });
        assert.equal(config.accumulate, accumulate);
        assert.deepEqual(resolveConfig(JSON.parse(JSON.stringify(config))), config);
      }),
    );
  });
});

/** A path, what is wrong there, and the one line that says so. */

const wrong: readonly [path: string, value: unknown, says: string | RegExp][] = [
  ["name", undefined, "name: is missing, must be a string"],
  ["name", "Big Name", 'name: must be lower-case letters, digits and dashes, got "Big Name"'],
  ["name", "", 'name: must be lower-case letters, digits and dashes, got ""'],
  ["data", "x.csv", 'data: must be an object, got "x.csv"'],
  ["data.source", 5, "data.source: must be a path or a list of paths, got 5"],
  ["data.source", [1], "data.source: must be a path or a list of paths, got [1]"],
  ["data.source", [], /^data\.source: .*, got \[\]$/],
  ["data.label", "", /^data\.label: must .* 1 .*, got ""$/],
  ["data.categorical.origin", 5, "data.categorical.origin: must be a string, got 5"],
  ["data.split.test", undefined, "data.split.test: is missing, must be a string"],
  ["data.split.tset", "c", 'data.split.tset: unknown name; did you mean "test"?'],
  ["data.lable", "late", 'data.lable: unknown name; did you mean "label"?'],
  ["data.shardBy", "", /^data\.shardBy: must .*, got ""$/],
  ["data.filters", ["a"], "data.filters: must list one predicate for each of 2 groups, got 1"],
  ["data.filters", ["a", ""], /^data\.filters\.1: must .*, got ""$/],
  ["model.kind", "lstm", 'model.kind: must be one of "mlp"|"tabm", got "lstm"'],
  ["model.hidden", 128, "model.hidden: must be an array, got 128"],
  ["model.hidden", [128, 0], "model.hidden.1: must be > 0, got 0"],
  [
    "data.vocabularies",
    { orgin: { minRows: 5 } },
    'data.vocabularies.orgin: must be a name in data.categorical; did you mean "origin"?',
  ],
  ["data.vocabularies", { origin: { minRows: 0 } }, "data.vocabularies.origin.minRows: must be > 0, got 0"],
  ["model.embeddings", { origin: 0 }, "model.embeddings.origin: must be > 0, got 0"],
  [
    "model.embeddings",
    { orgin: 8 },
    'model.embeddings.orgin: must be a name in data.categorical; did you mean "origin"?',
  ],
  [
    "model.embeddings",
    { destination: 8 },
    "model.embeddings.destination: must be a name in data.categorical; known names: origin, weekday",
  ],
  ["model.embeddings", { toString: 8 }, /^model\.embeddings\.toString: must be a name in data\.categorical/],
  ["data.numeric", { origin: "1" }, "data.numeric.origin: is a name in data.categorical too; rename one"],
  [
    "data.numeric",
    { probability: "1" },
    "data.numeric.probability: is the name of the exported model's output; rename it",
  ],
  ["data.categorical.probability", "p", /^data\.categorical\.probability: is the name of the exported model's output/],
  ["data.categorical", {}, "data: needs at least one feature in data.categorical, data.numeric or data.labelMeans"],
  ["data.labelMeans", { origin: "origin" }, "data.labelMeans.origin: is a name in data.categorical too; rename one"],
  ["optimizer", "adam", 'optimizer: must be an object, got "adam"'],
  ["optimizer.kind", "adm", /^optimizer\.kind: .*adam.*sgd.*, got "adm"; did you mean "adam"\?$/],
  ["optimizer.kind", undefined, /^optimizer\.kind: is missing, .*adam.*sgd/],
  ["optimizer.learningRate", 0, "optimizer.learningRate: must be > 0, got 0"],
  ["optimizer.learningRate", undefined, "optimizer.learningRate: is missing, must be a number"],
  ["optimizer.learningRate", Number.POSITIVE_INFINITY, "optimizer.learningRate: must be a number, got Infinity"],
  ["optimizer.lerningRate", 1, 'optimizer.lerningRate: unknown name; did you mean "learningRate"?'],
  ["optimizer.beta1", 1, "optimizer.beta1: must be < 1, got 1"],
  ["optimizer.beta2", -0.1, "optimizer.beta2: must be >= 0, got -0.1"],
  [
    "optimizer.schedule",
    "cosin",
    'optimizer.schedule: must be "constant", "linear", "cosine" or { kind, ... }, got "cosin"; did you mean "cosine"?',
  ],
  ["algorithm.burnInSteps", -1, "algorithm.burnInSteps: must be >= 0, got -1"],
  ["algorithm.burnInSteps", "half", 'algorithm.burnInSteps: must be a share as in "50%", got "half"'],
  ["algorithm.burnInSteps", "150%", "algorithm.burnInSteps: must be at most numSteps (10), got 15"],
  [
    "algorithm.distillWeight",
    { to: -1 },
    'algorithm.distillWeight: must be a number >= 0 or { from, to, steps }, got {"to":-1}',
  ],
  ["algorithm.temperature", 0, "algorithm.temperature: must be > 0, got 0"],
  ["algorithm.topology", [[1]], "algorithm.topology: must list the teachers of each of 2 groups, got 1 lists"],
  ["algorithm.topology", [[0], [0]], "algorithm.topology.0: must hold other groups, each once, got 0"],
  ["algorithm.topology", [[2], [0]], "algorithm.topology.0: must hold other groups, each once, got 2"],
  ["algorithm.topology", [[1], [0, 0]], "algorithm.topology.1: must hold other groups, each once, got 0"],
  ["algorithm.burnInSteps", 11, "algorithm.burnInSteps: must be at most numSteps (10), got 11"],
  ["algorithm.distillWeight", -1, "algorithm.distillWeight: must be >= 0, got -1"],
  ["algorithm.publishInterval", 0, "algorithm.publishInterval: must be > 0, got 0"],
  [
    "algorithm.topology",
    "rings",
    /^algorithm\.topology: must be "all", "ring", "pairs", .*, got "rings"; did you mean "ring"\?$/,
  ],
  ["algorithm.keepSnapshots", 1, "algorithm.keepSnapshots: must be >= 2, got 1"],
  ["init", 3, 'init: must be the path of a safetensors file, or { path, fit: "transfer" }, got 3'],
  ["init", { path: "a.safetensors", fit: "transfer" }, /^init\.fit: "transfer" is for networks of images;/],
  ["numGroups", 65, "numGroups: must be <= 64, got 65"],
  ["numSteps", 0, "numSteps: must be > 0, got 0"],
  ["numSteps", 1.5, "numSteps: must be a whole number, got 1.5"],
  ["numSteps", "10", 'numSteps: must be a number, got "10"'],
  ["numSteps", null, "numSteps: must be a number, got null"],
  ["numSteps", Number.NaN, "numSteps: must be a number, got NaN"],
  ["seed", 1n, "seed: must be a number, got 1"],
  ["seed", 2 ** 60, /^seed: must be <= 9007199254740991, got 1152921504606847000$/],
  ["accumulate", 3, "accumulate: must divide globalBatchSize (4), got 3"],
  ["optimizer.sparseParams", "embeddings.*", 'optimizer.sparseParams: must be an array, got "embeddings.*"'],
  ["device", "gpu", 'device: must be one of "cpu"|"webgpu"|"cuda", got "gpu"; did you mean "cpu"?'],
  ["threads", 0, "threads: must be > 0, got 0"],
  ["numstep", 5, 'numstep: unknown name; did you mean "numSteps"?'],
  ["learningRate", 5, 'learningRate: unknown name; did you mean "optimizer.learningRate"?'],
  [
    "flavour",
    5,
    /^flavour: unknown name; known names: name, data, task, model, teachers, teacherWeight, optimizer, .*, threads$/,
  ],
];

describe("a wrong configuration is refused with the path, the rule and the value", () => {
  for (const [path, value, says] of wrong) {
    const shown = typeof value === "object" ? JSON.stringify(value) : String(value);
    test(`${path}: ${shown}`, () => {
      const [line = "", ...more] = problems(() => resolveConfig(withValue(path, value)));
      assert.deepEqual(more, []);
      if (typeof says === "string") assert.equal(line, says);
      else assert.match(line, says);
    });
  }

  test("an option of another kind of optimizer is not known to this one", () => {
    const optimizer = { kind: "sgd", learningRate: 1, beta1: 0.9 };
    assert.deepEqual(
      problems(() => resolveConfig({ ...least, optimizer })),
      [
        "optimizer.beta1: unknown name; known names: kind, learningRate, forBatch, schedule, warmUp, clip, multipliers, sparseParams, weightDecay, momentum, nesterov",
      ],
    );
  });

  test("a feature may have any name, that of an object's method too", () => {
    const data = { ...least.data, numeric: { constructor: "1", toString: "2" } };
    assert.deepEqual(Object.keys(configOfKind(resolveConfig({ ...least, data }), "table", "this").data.numeric), [
      "constructor",
      "toString",
    ]);
  });

  test("what is no record at all", () => {
    assert.deepEqual(
      problems(() => resolveConfig(null)),
      ["configuration: must be an object, got null"],
    );
    assert.deepEqual(
      problems(() => resolveConfig([])),
      ["configuration: must be an object, got []"],
    );
    assert.deepEqual(
      problems(() => resolveConfig(undefined)),
      ["configuration: is missing, must be an object"],
    );
  });

  test("all problems are told at once", () => {
    const config = {
      ...least,
      numSteps: -1,
      numGroups: 0,
      optimizer: { kind: "adam" },
      model: { kind: "mlp", hiden: [] },
    };
    assert.deepEqual(problems(() => resolveConfig(config)).sort(), [
      'model.hiden: unknown name; did you mean "hidden"?',
      "numGroups: must be >= 1, got 0",
      "numSteps: must be > 0, got -1",
      "optimizer.learningRate: is missing, must be a number",
    ]);
    const data = { ...least.data, numeric: { origin: "1" } };
    const spanning = { ...least, data, accumulate: 3, algorithm: { burnInSteps: 99 } };
    assert.equal(problems(() => resolveConfig(spanning)).length, 3);
  });
});

describe("shares and schedules", () => {
  const algorithmOf = (options: object) => {
    const { algorithm } = resolveConfig({ ...least, numSteps: 200, algorithm: { burnInSteps: 0, ...options } });
    assert.ok(algorithm.kind === "codistill");
    return algorithm;
  };

  test("of teaching have defaults, whatever the number of groups: half of the steps are burn-in", () => {
    const { algorithm: _, ...without } = least;
    for (const numGroups of [1, 2]) {
      const { algorithm } = resolveConfig({ ...without, numGroups, numSteps: 200 });
      assert.deepEqual(algorithm, algorithmOf({ burnInSteps: 100 }));
    }
    const { algorithm } = resolveConfig({ ...without, numSteps: 200, algorithm: { distillWeight: 2 } });
    assert.equal(algorithm.kind === "codistill" && algorithm.burnInSteps, 100);
  });

  test("a share of numSteps becomes steps", () => {
    assert.equal(algorithmOf({ burnInSteps: "50%" }).burnInSteps, 100);
    assert.equal(algorithmOf({ burnInSteps: "0.3%" }).burnInSteps, 1);
    assert.deepEqual(algorithmOf({ distillWeight: { to: 2, steps: "20%" } }).distillWeight, {
      from: 0,
      to: 2,
      steps: 40,
    });
  });

  test("a weight is a constant or a line", () => {
    assert.deepEqual(algorithmOf({ distillWeight: 3 }).distillWeight, { from: 3, to: 3, steps: 0 });
    const decay = { from: 1, to: 0.5, steps: 10 };
    assert.deepEqual(algorithmOf({ distillWeight: decay }).distillWeight, decay);
    assert.throws(
      () => algorithmOf({ distillWeight: 2, mix: "convex" }),
      /must be at most 1 when algorithm.mix is "convex"/,
    );
  });

  test("the share of a batch that is taught leaves whole examples for each worker", () => {
    assert.equal(algorithmOf({ distillShare: 0.5 }).distillShare, 0.5);
    for (const distillShare of [0, 1.5])
      assert.throws(() => algorithmOf({ distillShare }), /algorithm\.distillShare: /);
    assert.throws(
      () => algorithmOf({ distillShare: 0.3 }),
      /algorithm\.distillShare: must leave a whole number of the 4 examples that a worker has at once, got 0\.3, which leaves 1\.2/,
    );
  });

  test("an interval is a number of steps or a line", () => {
    const line = { from: 10, to: 100, steps: "50%" };
    const { publishInterval, exchangeInterval } = algorithmOf({ publishInterval: line, exchangeInterval: 7 });
    assert.deepEqual([publishInterval, exchangeInterval], [{ ...line, steps: 100 }, 7]);
    assert.throws(
      () => algorithmOf({ publishInterval: "often" }),
      /algorithm\.publishInterval: must be a whole number > 0 or { from, to, steps }, got "often"/,
    );
  });

  test("a topology is a name, a degree or a list", () => {
    for (const topology of ["ring", { degree: 1 }, [[1], []]])
      assert.deepEqual(algorithmOf({ topology }).topology, topology);
  });
});

describe("defineRun", () => {
  test("gives back what it was given", () => assert.equal(defineRun(least), least));

  test("has types that know every name", () => {
    // @ts-expect-error: numStep is misspelt
    const misspelt = defineRun({ ...least, numStep: 5 });
    // @ts-expect-error: sgd has no beta1
    const foreign = defineRun({ ...least, optimizer: { kind: "sgd", learningRate: 1, beta1: 0.9 } });
    for (const config of [misspelt, foreign]) assert.throws(() => resolveConfig(config), ConfigError);
    assert.equal(tinyConfig({ numSteps: 7 }).numSteps, 7);
  });
});
