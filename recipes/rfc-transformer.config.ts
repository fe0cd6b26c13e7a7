/** A transformer of the RFCs, with tokens learned from them. */
import { defineRun } from "codistill";
import { rfcs } from "./rfc/rfcs.js";

export default defineRun({
  name: "rfc-transformer",
  data: { ...(await rfcs()), sequenceLength: 128 },
  model: { kind: "transformer", size: "1M" },
  optimizer: { kind: "adam", learningRate: 2e-3, schedule: "cosine", warmUp: "5%", clip: { norm: 1 } },
  numGroups: 2,
  numSteps: 5000,
  globalBatchSize: 8,
  algorithm: { kind: "codistill", burnInSteps: "50%", distillWeight: 1, publishInterval: 50, exchangeInterval: 50 },
  validationInterval: 1000,
});
