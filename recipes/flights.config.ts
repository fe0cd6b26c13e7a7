/**
 * Was the flight 15 or more minutes late? Three million flights of January to June 2001, from npm's vega-datasets.
 * Two groups train on disjoint halves of January to May, less its last week, which is validation; June is the test.
 *
 * Caution: `date` looks like the actual departure time, so the time of day leaks part of the delay. Read the task as
 * "was it late, given when it left".
 */
import { defineRun } from "codistill";

export default defineRun({
  name: "flights",
  data: {
    source: new URL("../data/flights-3m.parquet", import.meta.resolve("vega-datasets")).href,
    label: "delay >= 15",
    categorical: {
      origin: "origin",
      destination: "destination",
      halfHour: "hour(date) * 2 + minute(date) // 30",
      weekday: "dayofweek(date)",
      route: "origin || '-' || destination",
    },
    numeric: { logDistance: "ln(distance)" },
    split: {
      train: "date < '2001-05-25'",
      validation: "date >= '2001-05-25' AND date < '2001-06-01'",
      test: "date >= '2001-06-01'",
    },
  },
  model: {
    kind: "mlp",
    embeddings: { origin: 16, destination: 16, halfHour: 8, weekday: 4, route: 16 },
    hidden: [128, 64],
  },
  optimizer: { kind: "adam", learningRate: 2e-3, schedule: "linear" },
  numGroups: 2,
  numSteps: 3660,
  globalBatchSize: 2048,
  algorithm: { kind: "codistill", burnInSteps: 1830, distillWeight: 1, publishInterval: 50, exchangeInterval: 50 },
  validationInterval: 366,
});
