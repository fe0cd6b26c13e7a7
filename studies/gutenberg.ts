/** Codistillation of language models of books: `npm run study:gutenberg`; `npm run study:gutenberg -- --help`. */
import { join } from "node:path";
import type { Arm } from "./arms.js";
import { bookStudy, moreWays } from "./books.js";
import { figuresOf, tableOf } from "./language-figures.js";

const BATCH = 32;
const SINGLE = "single";
const TWICE = "twice-the-batch";
const OTHERS = [SINGLE, TWICE];

const arms: readonly Arm[] = [
  { name: SINGLE, what: "two groups that train alone, each on its half", options: ["algorithm.distillWeight=0"] },
  {
    name: TWICE,
    what: "one group on all data, with twice the batch",
    options: ["numGroups=1", `globalBatchSize=${2 * BATCH}`],
  },
  { name: "codistilled", what: "two groups that codistil, each on its half, after a burn-in of 50 %", options: [] },
  ...moreWays,
];

await bookStudy({
  name: "gutenberg",
  title: "Codistillation of language models of books",
  arms,
  seeds: [1, 2, 3],
  steps: [1500],
  options: [`globalBatchSize=${BATCH}`],
  about: [
    "The recipe's books and network with 128 hidden units, batches of 32 texts of 32 bytes; nats per byte on the three test books, of",
    "the params that are best on the validation book. The mean and the standard deviation are over seeds; a seed's value is the mean of",
    "its groups. Differences are paired by seed, with Student's 95 % interval. Seeds redraw params and order, not the halves.",
    "",
    ...arms.map(({ name, what }) => `- \`${name}\`: ${what}`),
  ],
  async report(done, steps, out) {
    const place = join(out, "gutenberg");
    const figures = steps.flatMap((count) =>
      figuresOf(
        done.filter((trial) => trial.steps === count),
        arms,
        OTHERS,
        place,
      ),
    );
    const of = (count: number) => figures.filter((one) => one.steps === count);
    return {
      figures: { arms: figures },
      lines: steps.flatMap((count) => ["", `## ${count} steps`, "", ...tableOf(of(count), OTHERS)]),
    };
  },
});
