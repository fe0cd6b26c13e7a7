/** From which batch on codistillation pays for language models of books: `npm run study:batches`; `npm run study:batches -- --help`. */
import { bookStudy } from "./books.js";
import { armsOf, reportByBatch } from "./by-batch.js";

const batches = [32, 256].map((batch) => armsOf(batch));

const declared = {
  name: "batches",
  title: "Language models of books by the batch",
  // Else a text of the batch stays with one piece of a book for hundreds of steps, and the network learns that piece.
  options: ["data.longest=2000"],
};

await bookStudy({
  ...declared,
  arms: batches.flatMap(({ arms }) => arms),
  seeds: [1, 2],
  steps: [400],
  about: [
    "The recipe's books in pieces of 2,000 bytes and its network with 128 hidden units, texts of 32 bytes; nats per byte on the three test books, of the params",
    "that are best on the validation book. The mean and the standard deviation are over seeds; a seed's value is the mean of its groups.",
    "Differences are paired by seed, with Student's 95 % interval. Seeds redraw params and order, not the halves. `churn` is the",
    "share of places of the test where the models that two seeds ship have different most probable bytes.",
  ],
  report: (done, steps, out) => reportByBatch(declared, batches, done, steps, out),
});
