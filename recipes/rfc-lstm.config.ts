/** A recurrent language model of the RFCs, with tokens learned from them: two layers of the paper's kind, smaller. */
import { defineRun } from "codistill";
import { rfcs } from "./rfc/rfcs.js";

export default defineRun({
  name: "rfc-lstm",
  data: {
    ...(await rfcs()),
    // A text of the batch stays with a document for steps on end, and the network learns that document: short ones mix.
    longest: 4000,
    sequenceLength: 64,
  },
  model: { kind: "lstm", width: 128, hidden: 256 },
  optimizer: { kind: "adam", learningRate: 3e-3, schedule: "cosine", clip: { norm: 1 } },
  numGroups: 2,
  numSteps: 2500,
  globalBatchSize: 16,
  algorithm: { kind: "codistill", burnInSteps: "50%", distillWeight: 1, publishInterval: 50, exchangeInterval: 50 },
  validationInterval: 500,
});
