/** How the studies of the flights train. */
import { loadConfig } from "../src/node/runs/load-config.js";
import type { Study } from "./runner.js";
import { hasPredictions, keepPredictions } from "./trial.js";

/**
 * Of the flights: the recipe's configuration, with burn-in as a share of the steps. The seed redraws everything: params, the order
 * of the data, and the halves, whose hash it salts. Arms of one seed have the same halves and, group by group, the
 * same first params.
 */
export const flightsStudy: Study = {
  configOf: ({ arm, seed, steps }) =>
    loadConfig("recipes/flights.config.ts", [
      `seed=${seed}`,
      `numSteps=${steps}`,
      `data.shardBy=concat_ws('|', origin, destination, date, delay, distance, 'seed ${seed}')`,
      "algorithm.burnInSteps=50%",
      `validationInterval=${Math.round(steps / 10)}`,
      `checkpointInterval=${Math.round(steps / 10)}`,
      ...arm.options,
    ]),
  keep: keepPredictions,
  isKept: hasPredictions,
};
