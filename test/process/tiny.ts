/** Data and a configuration that train in a second: 6,000 rows of made-up trips, late or not. */

import type { RunInput } from "../../src/run/schema.js";
import { fold, rootKey, uniform } from "../../src/runtime/random.js";

const NUM_ROWS = 6000;
const NUM_DAYS = 150;
const cities = ["Lima", "Oslo", "Rome", "Bonn", "Kyiv", "Bern", "Cork", "Pisa"];
const kinds = ["bus", "train", "plane"];

export const csvHeader = "date,city,kind,hour,size,late";

/** The rows as CSV. City, kind, hour and size all tell something of the label. */
export function tinyCsv(): string {
  const draw = (name: string) => uniform(fold(rootKey(7), name), NUM_ROWS);
  const [day, city, kind, hour, size, luck] = ["day", "city", "kind", "hour", "size", "luck"].map(draw);
  const pick = (draws: Float32Array | undefined, row: number, count: number) => Math.floor((draws?.[row] ?? 0) * count);
  const lines = Array.from({ length: NUM_ROWS }, (_, row) => {
    const [c, k, h] = [pick(city, row, cities.length), pick(kind, row, kinds.length), pick(hour, row, 24)];
    const quantity = size?.[row] ?? 0;
    const logit = (c - 3.5) * 0.4 + (k - 1) * 1.2 + (h > 15 ? 1 : -0.5) + (quantity - 0.5) * 3;
    const isLate = (luck?.[row] ?? 0) < 1 / (1 + Math.exp(-logit));
    const date = new Date(Date.UTC(2001, 0, 1 + pick(day, row, NUM_DAYS))).toISOString().slice(0, 10);
    return [date, cities[c], kinds[k], `h${h}`, quantity, isLate].join(",");
  });
  return `${[csvHeader, ...lines].join("\n")}\n`;
}

/** Two groups; with burn-in, publication, validation and checkpoints several times in 200 steps. */
export const tinyConfig = {
  name: "tiny",
  data: {
    source: "rows.csv",
    label: "late",
    categorical: { city: "city", kind: "kind", hour: "hour" },
    numeric: { size: "size" },
    split: {
      train: "date < '2001-04-21'",
      validation: "date >= '2001-04-21' and date < '2001-05-11'",
      test: "date >= '2001-05-11'",
    },
  },
  model: { kind: "mlp", embeddingWidth: 4, hidden: [16] },
  optimizer: { kind: "adam", learningRate: 0.01 },
  numGroups: 2,
  numSteps: 200,
  globalBatchSize: 64,
  algorithm: { burnInSteps: 50, publishInterval: 10, exchangeInterval: 10 },
  validationInterval: 50,
  checkpointInterval: 50,
  logInterval: 10,
  // A group that dies stays dead, but for the tests of restarts.
  restarts: 0,
  threads: 1,
} satisfies RunInput;
