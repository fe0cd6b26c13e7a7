import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { descent } from "../../test/fixtures/descent.js";
import { tinyConfig, tinyInput } from "../../test/fixtures/tiny-run.js";
import { ConfigError } from "../errors.js";
import { formatGraph, rootsOf } from "../graph/graph.js";
import { input } from "../graph/ops.js";
import { topologicalOrder } from "../graph/tensor.js";
import { adafactor, adagrad, adam, adamW, lamb, lars, lion, muon, rmsprop, sgd } from "../optim/optimizers.js";
import { linearSchedule } from "../optim/schedules.js";
import type { GradientTransformation } from "../optim/transformations.js";
import { mapValues } from "../runtime/named.js";
import { applyOverrides, resolveConfig } from "./config.js";
import { tableLearner } from "./learner.js";
import { configuredOptimizer, configuredSchedule, learningRateFor } from "./optimizer.js";
import { type OptimizerConfig, type OptimizerInSteps, optimizerInSteps, optimizerSchema } from "./optimizer-schema.js";
import type { RunInput } from "./schema.js";

type OptimizerInput = RunInput["optimizer"];

const NUM_STEPS = 200;
const resolved = (optimizer: unknown): OptimizerInSteps =>
  resolveConfig({ ...tinyInput(), numSteps: NUM_STEPS, optimizer }).optimizer;
const shapes = { "a.weight": { shape: [2, 3] }, "a.bias": { shape: [3] } };

/** An optimizer, as far as it can be seen: what it is fed at the first step, what it keeps, and its whole update. */
function seen(parts: GradientTransformation) {
  const fed: Record<string, number> = mapValues(parts.scalars, (schedule) => schedule(0));
  const memory = Object.keys(parts.stateSpec(shapes)).filter((name) => name.endsWith("a.weight"));
  const graph = descent(parts, shapes, (params) => mapValues(params, (param, name) => input(`g.${name}`, param.shape)));
  const bounds = topologicalOrder(rootsOf(graph)).flatMap(({ op, attributes }) => (op === "clamp" ? [attributes] : []));
  return { fed, memory, bounds, update: formatGraph(graph) };
}

const made = (optimizer: unknown) =>
  seen(configuredOptimizer({ optimizer: resolved(optimizer), numSteps: NUM_STEPS, globalBatchSize: 8 }));

const RATE = 0.5;
const rate = linearSchedule(RATE, 0, NUM_STEPS);

/**
 * What each kind is with its learning rate alone: its defaults, and the optimizer that is made by them by hand; keyed by all
 * kinds, so that a new one must be added.
 */
const kinds: {
  readonly [K in OptimizerConfig["kind"]]: { readonly defaults: object; readonly chain: GradientTransformation };
} = {
  sgd: { defaults: {}, chain: sgd(rate) },
  adagrad: { defaults: { epsilon: 1e-10, initialSum: 0 }, chain: adagrad(rate, { epsilon: 1e-10, initialSum: 0 }) },
  rmsprop: {
    defaults: { alpha: 0.99, epsilon: 1e-8, centred: false },
    chain: rmsprop(rate, { alpha: 0.99, epsilon: 1e-8, isCentered: false }),
  },
  adam: {
    defaults: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    chain: adam(rate, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }),
  },
  adamW: {
    defaults: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
    chain: adamW(rate, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: { rate: 0.01 } }),
  },
  lamb: {
    defaults: { beta1: 0.9, beta2: 0.999, epsilon: 1e-6, weightDecay: 0.01, trustExcept: [] },
    chain: lamb(rate, { beta1: 0.9, beta2: 0.999, epsilon: 1e-6, decay: { rate: 0.01 } }),
  },
  lars: {
    defaults: { momentum: 0.9, coefficient: 0.001, weightDecay: 0.0005 },
    chain: lars(rate, { momentum: 0.9, coefficient: 0.001, decay: 0.0005 }),
  },
  lion: {
    defaults: { beta1: 0.9, beta2: 0.99, weightDecay: 0 },
    chain: lion(rate, { beta1: 0.9, beta2: 0.99 }),
  },
  muon: {
    defaults: { momentum: 0.95, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, adamFor: [] },
    chain: muon(rate, { momentum: 0.95, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: { rate: 0.01 } }),
  },
  adafactor: {
    defaults: {
      relativeStep: true,
      maxRms: 1,
      minRms: 1e-3,
      decayExponent: 0.8,
      epsilon: 1e-30,
      weightDecay: 0,
    },
    chain: adafactor(rate, { isRelative: true, maxRms: 1, minRms: 1e-3, decayExponent: 0.8, epsilon: 1e-30 }),
  },
};

describe("an optimizer of each kind", () => {
  for (const [kind, { defaults, chain }] of Object.entries(kinds)) {
    test(`${kind} has its defaults, and they reach its parts`, () => {
      const optimizer = { kind, learningRate: RATE };
      assert.deepEqual(resolved(optimizer), { ...optimizer, schedule: "linear", ...defaults });
      assert.deepEqual(resolved(resolved(optimizer)), resolved(optimizer));
      assert.deepEqual(made(optimizer), seen(chain));
    });

    test(`${kind} takes what all take, and refuses what it does not know`, () => {
      const common = { warmUp: 10, clip: { norm: 2, value: 3 }, multipliers: { "*.bias": 0.5 } };
      const { fed, bounds } = made({
        kind,
        learningRate: 0.5,
        ...common,
        weightDecay: { rate: 0.25, except: ["*.bias"] },
      });
      assert.equal(fed["clip.norm"], 2);
      assert.deepEqual(bounds, [
        { min: -3, max: 3 },
        { min: -3, max: 3 },
      ]);
      assert.equal(fed["multiplier.*.bias"], 0.5);
      assert.equal(fed[kind === "lars" ? "lars.decay" : "decay"], 0.25);
      assert.equal(fed.learningRate, 0);
      assert.throws(() => resolved({ kind, learningRate: 1, momemtum: 0.9 }), /optimizer\.momemtum: unknown name/);
    });
  }

  test("every kind of the schema is here", () => {
    assert.equal(optimizerSchema.options.length, Object.keys(kinds).length);
  });

  test("touched rows reach the optimizer of every kind that has them, and need one batch for a step", () => {
    const sparseParams = ["*.weight"];
    const memoryOf = (options: object) => {
      const optimizer = resolved({ learningRate: 1, sparseParams, ...options });
      return Object.keys(
        configuredOptimizer({ optimizer, numSteps: NUM_STEPS, globalBatchSize: 8 }).stateSpec({
          "a.weight": { shape: [2, 3] },
        }),
      );
    };
    assert.deepEqual(memoryOf({ kind: "sgd" }), []);
    assert.deepEqual(memoryOf({ kind: "adagrad" }), ["adagrad.v.a.weight"]);
    const times = ["rows.steps.a.weight", "rows.last.a.weight"];
    assert.deepEqual(memoryOf({ kind: "sgd", momentum: 0.5 }), ["momentum.b.a.weight", ...times]);
    assert.deepEqual(memoryOf({ kind: "rmsprop" }), ["rms.v.a.weight", ...times]);
    assert.deepEqual(memoryOf({ kind: "adam" }), ["adam.m.a.weight", "adam.v.a.weight", ...times]);
    for (const kind of ["adamW", "lamb", "lars", "lion", "muon", "adafactor"]) {
      assert.throws(() => memoryOf({ kind }), /ConfigError: optimizer: "a\.weight" cannot be updated by touched rows/);
    }
    const accumulating = { ...tinyInput(), accumulate: 2, optimizer: { kind: "sgd", learningRate: 1, sparseParams } };
    assert.throws(() => resolveConfig(accumulating), /accumulate: must be 1 with optimizer\.sparseParams, .*, got 2/);
    assert.doesNotThrow(() => resolveConfig({ ...accumulating, accumulate: 1 }));
  });

  test("options that are off unless asked for", () => {
    assert.deepEqual(made({ kind: "sgd", learningRate: 1, momentum: 0.8, nesterov: true }).memory, [
      "momentum.b.a.weight",
    ]);
    const rmsprop = made({ kind: "rmsprop", learningRate: 1, momentum: 0.8, centred: true });
    assert.deepEqual(rmsprop.memory, ["rms.v.a.weight", "rms.m.a.weight", "momentum.b.a.weight"]);
    assert.equal(made({ kind: "adafactor", learningRate: 1, relativeStep: false }).fed["relative.minimum"], undefined);
  });
});

describe("a schedule", () => {
  /** The learning rates of a configuration at some steps. */
  const rates = (optimizer: object, steps: readonly number[]) => {
    const config = resolved({ kind: "sgd", learningRate: 2, ...optimizer });
    return steps.map((step) => Number(configuredSchedule(config, NUM_STEPS)(step).toPrecision(12)));
  };

  test("by its name lasts to the end of the run", () => {
    assert.deepEqual(rates({ schedule: "constant" }, [0, 100, 300]), [2, 2, 2]);
    assert.deepEqual(rates({ schedule: "linear" }, [0, 100, 200]), [2, 1, 0]);
    assert.deepEqual(rates({}, [0, 100, 200]), [2, 1, 0]);
    assert.deepEqual(rates({ schedule: "cosine" }, [0, 100, 200]), [2, 1, 0]);
  });

  const byKind: readonly (readonly [schedule: object, steps: readonly number[], rates: readonly number[]])[] = [
    [{ kind: "constant" }, [0, 200], [2, 2]],
    [{ kind: "linear", to: 0.5, steps: "50%" }, [0, 50, 100, 200], [2, 1.5, 1, 1]],
    [{ kind: "cosine", to: 0.1 }, [0, 100, 200], [2, 1.1, 0.2]],
    [{ kind: "step", at: ["25%", 100] }, [49, 50, 99, 100], [2, 0.2, 0.2, 0.02]],
    [{ kind: "step", at: [10], factor: 0.5 }, [9, 10], [2, 1]],
    [{ kind: "exponential", factor: 0.5, every: "10%" }, [0, 20, 40], [2, 1, 0.5]],
    [{ kind: "exponential", factor: 0.5, every: "0.0001%" }, [0, 1], [2, 1]],
    [{ kind: "inverseSquareRoot", steps: 25 }, [0, 24, 99], [2, 2, 1]],
    [{ kind: "inverseSquareRoot", steps: 0 }, [0, 3], [2, 1]],
    [{ kind: "oneCycle", peakAt: "50%", from: 0.25, to: 0.5 }, [0, 50, 100, 199], [0.5, 1.25, 2, 0.25]],
    [{ kind: "oneCycle" }, [0, 60, 199], [0.08, 2, 8e-6]],
  ];
  for (const [schedule, steps, expected] of byKind) {
    test(JSON.stringify(schedule), () => assert.deepEqual(rates({ schedule }, steps), expected));
  }

  test("begins after the warm-up, and by default ends with the run all the same", () => {
    assert.deepEqual(rates({ warmUp: "50%" }, [0, 50, 100, 150, 200]), [0, 1, 2, 1, 0]);
    assert.deepEqual(rates({ warmUp: { steps: 100, from: 0.5 } }, [0, 50, 100]), [1, 1.5, 2]);
    assert.deepEqual(rates({ warmUp: 100, schedule: { kind: "step", at: [10] } }, [100, 109, 110]), [2, 2, 0.2]);
    assert.deepEqual(rates({ warmUp: 0 }, [0, 1]), [2, 1.99]);
    assert.equal(linearSchedule(2, 0, NUM_STEPS)(1), 1.99);
  });

  const lines: readonly object[] = [
    {},
    ...["constant", "linear", "cosine"].map((schedule) => ({ schedule })),
    ...["constant", "linear", "cosine", "inverseSquareRoot"].map((kind) => ({ schedule: { kind } })),
    { schedule: { kind: "step", at: ["50%"] } },
    { schedule: { kind: "exponential", factor: 0.5, every: "10%" } },
  ];
  for (const line of lines) {
    test(`may be nothing but its warm-up: ${JSON.stringify(line)}`, () => {
      assert.deepEqual(rates({ ...line, warmUp: "100%" }, [0, 50, 100, 199, 200]), [0, 0.5, 1, 1.99, 2]);
      assert.deepEqual(rates({ ...line, warmUp: { steps: 200, from: 0.5 } }, [0, 100, 200]), [1, 1.5, 2]);
    });
  }

  for (const kind of ["linear", "cosine"]) {
    test(`"${kind}" of no steps falls after the warm-up, which rises all the same`, () => {
      const schedule = { kind, to: 0.25, steps: 0 };
      assert.deepEqual(rates({ schedule, warmUp: 100 }, [0, 50, 99, 100, 101, 200]), [0, 1, 1.98, 2, 0.5, 0.5]);
    });
  }

  test("of one cycle may follow a warm-up that leaves it two steps", () => {
    const schedule = { kind: "oneCycle", peakAt: 1, from: 0.5, to: 0.5 };
    assert.deepEqual(rates({ schedule: { ...schedule, peakAt: 0 }, warmUp: 198 }, [0, 99, 198, 199]), [0, 1, 2, 0.5]);
    assert.deepEqual(rates({ schedule, warmUp: 198 }, [0, 99, 198]), [0, 0.5, 1]);
  });

  test("has steps in place of shares once it is resolved", () => {
    const schedule = { kind: "step", at: ["25%", 100] };
    const optimizer = resolved({ kind: "sgd", learningRate: 2, schedule, warmUp: "5%" });
    assert.deepEqual(optimizer.schedule, { kind: "step", at: [50, 100], factor: 0.1 });
    assert.equal(optimizer.warmUp, 10);
    assert.deepEqual(resolved(optimizer), optimizer);
  });
});

describe("a wrong optimizer is refused with the path and the rule", () => {
  const wrong: readonly (readonly [optimizer: object, says: RegExp])[] = [
    [{ schedule: { kind: "cosin" } }, /optimizer\.schedule\.kind: .*"cosine".*, got "cosin"; did you mean "cosine"\?/],
    [
      { schedule: { kind: "cosine", floor: 0.1 } },
      /optimizer\.schedule\.floor: unknown name; known names: kind, to, steps/,
    ],
    [{ schedule: { kind: "linear", to: 2 } }, /optimizer\.schedule\.to: must be <= 1, got 2/],
    [{ schedule: { kind: "step", at: [] } }, /optimizer\.schedule\.at: .*, got \[\]/],
    [{ schedule: { kind: "step", at: ["x"] } }, /optimizer\.schedule\.at\.0: must be .*"50%".*, got "x"/],
    [{ schedule: 5 }, /optimizer\.schedule: must be "constant", "linear", "cosine" or \{ kind, \.\.\. \}, got 5/],
    [{ schedule: { kind: "oneCycle", peakAt: 300 } }, /peakAt: must be at most the schedule's steps \(200\), got 300/],
    [
      { schedule: { kind: "oneCycle" }, warmUp: "100%" },
      /optimizer\.warmUp: must leave at least 2 of numSteps \(200\) to the schedule "oneCycle", got 200; shorten it or raise numSteps/,
    ],
    [
      { schedule: { kind: "oneCycle", peakAt: 0 }, warmUp: 199 },
      /optimizer\.warmUp: must leave at least 2 .*, got 199/,
    ],
    [
      { schedule: { kind: "oneCycle", peakAt: 0, steps: 0 }, warmUp: 10 },
      /optimizer\.schedule\.steps: must be at least 2 for a cycle, got 0/,
    ],
    [{ schedule: { kind: "oneCycle" }, warmUp: 300 }, /optimizer\.warmUp: must be at most numSteps \(200\), got 300/],
    [{ warmUp: "200%" }, /optimizer\.warmUp: must be at most numSteps \(200\), got 400/],
    [{ warmUp: -1 }, /optimizer\.warmUp: must be .*, got -1/],
    [{ clip: { norm: 0 } }, /optimizer\.clip\.norm: must be > 0, got 0/],
    [{ clip: { max: 1 } }, /optimizer\.clip\.max: unknown name; known names: value, norm/],
    [{ weightDecay: -1 }, /optimizer\.weightDecay: must be .*, got -1/],
    [{ nesterov: true }, /optimizer\.nesterov: needs optimizer\.momentum/],
    [{ momentum: 1 }, /optimizer\.momentum: must be < 1, got 1/],
    [{ multipliers: { "*.bias": "x" } }, /optimizer\.multipliers\.\*\.bias: must be a number, got/],
  ];
  for (const [optimizer, says] of wrong) {
    test(JSON.stringify(optimizer), () => {
      assert.throws(
        () => resolved({ kind: "sgd", learningRate: 1, ...optimizer }),
        (error) => {
          assert.ok(error instanceof ConfigError);
          assert.match(error.message, /1 problem:/);
          assert.match(error.message, says);
          return true;
        },
      );
    });
  }

  test("a pattern that is of no param, once the params are known", () => {
    const preprocessing = { vocabularies: { origin: ["a"] }, numeric: {} };
    const learner = (optimizer: OptimizerInput) => {
      const config = { ...tinyConfig(), optimizer: resolved(optimizer) };
      return tableLearner(config, preprocessing);
    };
    const decay = (except: string[]) => ({ kind: "adamW", learningRate: 1, weightDecay: { rate: 1, except } }) as const;
    assert.doesNotThrow(() => learner(decay(["*.bias", "embeddings.*"])));
    assert.throws(
      () => learner(decay(["*.bias", "layers.0.biases"])),
      /ConfigError: optimizer\.weightDecay\.except: "layers\.0\.biases" must match a param.*; did you mean "layers\.0\.bias"\?/,
    );
    assert.throws(
      () => learner({ kind: "lamb", learningRate: 1, trustExcept: ["x*"] }),
      /optimizer\.trustExcept: "x\*" must match/,
    );
    assert.throws(
      () => learner({ kind: "sgd", learningRate: 1, sparseParams: ["embedding.*"] }),
      /optimizer\.sparseParams: "embedding\.\*" must match a param/,
    );
    assert.throws(
      () => learner({ kind: "adamW", learningRate: 1, sparseParams: ["embeddings.*"] }),
      /ConfigError: optimizer: "embeddings\.origin" cannot be updated by touched rows: weight decay .*; except it from decay/,
    );
    assert.throws(
      () => learner({ kind: "sgd", learningRate: 1, multipliers: { "y*": 1 } }),
      /optimizer\.multipliers: "y\*" must match/,
    );
  });
});

test("--set reaches into an optimizer and its schedule", () => {
  const config = {
    ...tinyInput(),
    numSteps: NUM_STEPS,
    optimizer: { kind: "adamW", learningRate: 1, schedule: { kind: "cosine" } },
  };
  const overrides = [
    "optimizer.schedule.to=0.1",
    "optimizer.warmUp=5%",
    "optimizer.clip.norm=2",
    "optimizer.weightDecay=0",
  ];
  const { optimizer } = resolveConfig(applyOverrides(config, overrides));
  assert.deepEqual(optimizer, {
    ...{ kind: "adamW", learningRate: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    ...{ schedule: { kind: "cosine", to: 0.1 }, warmUp: 10, clip: { norm: 2 }, weightDecay: 0 },
  });
});

test("a learning rate that is meant for a batch grows with it, in proportion or with its square root", () => {
  const rateOf = (forBatch: object | undefined, batch: number) =>
    learningRateFor(optimizerSchema.parse({ kind: "adam", learningRate: 0.01, ...(forBatch && { forBatch }) }), batch);
  assert.equal(rateOf(undefined, 1024), 0.01);
  assert.equal(rateOf({ rows: 256 }, 1024), 0.04);
  assert.equal(rateOf({ rows: 256, rule: "linear" }, 64), 0.0025);
  assert.equal(rateOf({ rows: 256, rule: "squareRoot" }, 1024), 0.02);
  assert.equal(rateOf({ rows: 256, rule: "squareRoot" }, 256), 0.01);
  for (const wrong of [{ rows: 0 }, { rows: 1.5 }, {}, { rows: 8, rule: "cubic" }]) {
    assert.ok(!optimizerSchema.safeParse({ kind: "adam", learningRate: 0.01, forBatch: wrong }).success);
  }
  const optimizer = optimizerInSteps(
    optimizerSchema.parse({ kind: "sgd", learningRate: 0.1, schedule: "constant", forBatch: { rows: 4 } }),
    10,
  );
  const { scalars } = configuredOptimizer({ optimizer, numSteps: 10, globalBatchSize: 8 });
  assert.equal(scalars.learningRate?.(3), 0.2);
});
