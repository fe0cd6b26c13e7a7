/** The smallest run that has every part of a real one: a table of two features, its preprocessing, a configuration. */
import { memoryStore, type Store } from "../src/checkpoint/store.js";
import { type Preprocessing, type Rows, recordLayout, tableRows } from "../src/data/table.js";
import type { Engine } from "../src/engine/engine.js";
import { resolveConfig } from "../src/run/config.js";
import type { TableRunInput } from "../src/run/input/run.js";
import type { TableRunConfig } from "../src/run/kinds/table.js";
import { type RunLearner, tableLearner } from "../src/run/learner.js";
import { fold, normal, rootKey, uniform } from "../src/runtime/random.js";
import type { Serving } from "../src/serving/expression.js";

export const tinyPreprocessing: Preprocessing = {
  vocabularies: { colour: ["red", "green", "blue"] },
  numeric: { size: { mean: 0.5, std: 2 } },
};

/** Features that are columns as they are. */
export function tinyServing({ vocabularies, numeric }: Preprocessing = tinyPreprocessing): Serving {
  const of = (type: "text" | "number") => (name: string) => [name, { type, expression: { input: name } }] as const;
  const features = [...Object.keys(vocabularies).map(of("text")), ...Object.keys(numeric).map(of("number"))];
  return {
    inputs: features.map(([name, { type }]) => ({ name, type, sql: name, column: name })),
    features: Object.fromEntries(features),
  };
}

/** A configuration for {@link tinyRows} as a user would write it. */
export function tinyInput(changes: Partial<TableRunInput> = {}): TableRunInput {
  return {
    name: "tiny",
    data: {
      source: "tiny.csv",
      label: "late",
      categorical: { colour: "colour" },
      numeric: { size: "size" },
      split: { train: "day < 2", validation: "day = 2", test: "day > 2" },
    },
    model: { kind: "mlp", embeddings: { colour: 2 }, hidden: [8] },
    optimizer: { kind: "adam", learningRate: 0.01, schedule: "constant" },
    algorithm: { burnInSteps: 0 },
    numGroups: 1,
    numSteps: 60,
    globalBatchSize: 8,
    validationInterval: 20,
    checkpointInterval: 20,
    logInterval: 10,
    ...changes,
  };
}

/** The same, resolved. */
export function tinyConfig(changes: Partial<TableRunInput> = {}): TableRunConfig {
  return resolveConfig(tinyInput(changes)) as TableRunConfig;
}

/** The learner of a tiny configuration. */
export function tinyLearner(changes: Partial<TableRunInput> = {}): RunLearner {
  return tableLearner(tinyConfig(changes), tinyPreprocessing);
}

/**
 * Rows by seed; blue and large ones are more often positive, and every ninth size is missing. The first `numSpoilt` have
 * a label that is NaN.
 */
export function tinyRows(numRows: number, seed: number, numSpoilt = 0): Rows {
  const draw = (name: string) => fold(fold(rootKey(seed), "tiny rows"), name);
  const colours = uniform(draw("colour"), numRows);
  const sizes = normal(draw("size"), numRows);
  const chances = uniform(draw("label"), numRows);
  const words = new Int32Array(numRows * 3);
  const floats = new Float32Array(words.buffer);
  for (let row = 0; row < numRows; row++) {
    const colour = Math.floor((colours[row] ?? 0) * 4);
    const size = 0.5 + 2 * (sizes[row] ?? 0);
    words[3 * row] = colour;
    floats[3 * row + 1] = row % 9 === 8 ? Number.NaN : size;
    const label = Number((chances[row] ?? 0) < 1 / (1 + Math.exp(1 - size - colour / 3)));
    floats[3 * row + 2] = row < numSpoilt ? Number.NaN : label;
  }
  return tableRows(recordLayout({ categorical: { colour: "colour" }, numeric: { size: "size" } }), words);
}

/** A promise, and what resolves it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** An engine in which every run of a program first waits for this. */
export function waitingEngine(engine: Engine, beforeRun: () => Promise<unknown>): Engine {
  return {
    ...engine,
    async compile(graph) {
      const program = await engine.compile(graph);
      return {
        ...program,
        async run(feeds, options) {
          await beforeRun();
          return program.run(feeds, options);
        },
      };
    },
  };
}

/** A store in memory in which some calls are answered otherwise. */
export function storeWith(changes: (inner: Store) => Partial<Store>, inner = memoryStore()): Store {
  return { ...inner, ...changes(inner) };
}
