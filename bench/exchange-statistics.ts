/** From the steps of `exchange-cost.ts` to its figures. */
import { mean, median } from "./statistics.js";

/** Some steps in a row: wall time of each, and what the process and its main thread did meanwhile. */
export interface Block {
  readonly stepMs: readonly number[];
  readonly cpuMs: number;
  readonly mainMs: number;
}

/** First steps of a block that an exchange in it can touch; it is over long before. */
const NUM_TOUCHED = 10;

/** Figures of pairs of blocks, with the exchange (on) and without (off). */
export function pairStatistics(pairs: readonly { readonly on: Block; readonly off: Block }[]) {
  const overPairs = (figure: (pair: { on: Block; off: Block }) => number) => median(pairs.map(figure));
  const perStep = ({ stepMs }: Block, ms: number) => ms / stepMs.length;
  const worst = ({ stepMs }: Block) => Math.max(...stepMs.slice(0, NUM_TOUCHED)) / median(stepMs);
  // Against the same block's later steps: robust where the machine drifts from one block to the next.
  const extra = ({ stepMs }: Block) => {
    const usual = median(stepMs.slice(NUM_TOUCHED));
    return stepMs.slice(0, NUM_TOUCHED).reduce((sum, ms) => sum + ms - usual, 0) / (usual * stepMs.length);
  };
  return {
    medianStepMsOff: median(pairs.flatMap(({ off }) => off.stepMs)),
    medianStepMsOn: median(pairs.flatMap(({ on }) => on.stepMs)),
    /** Mean step time, on over off, of the median pair. */
    stepTimeRatio: overPairs(({ on, off }) => mean(on.stepMs) / mean(off.stepMs)),
    cpuRatio: overPairs(({ on, off }) => perStep(on, on.cpuMs) / perStep(off, off.cpuMs)),
    /** What the first steps took beyond the usual, as a share of the block's time. */
    extraShareOn: overPairs(({ on }) => extra(on)),
    extraShareOff: overPairs(({ off }) => extra(off)),
    /** The slowest of the first steps over the median step: of the median pair, and of all. */
    worstOverMedianOn: overPairs(({ on }) => worst(on)),
    worstOverMedianOff: overPairs(({ off }) => worst(off)),
    maxWorstOverMedianOn: Math.max(...pairs.map(({ on }) => worst(on))),
    maxWorstOverMedianOff: Math.max(...pairs.map(({ off }) => worst(off))),
    mainThreadMsPerExchange: overPairs(
      ({ on, off }) => (perStep(on, on.mainMs) - perStep(off, off.mainMs)) * on.stepMs.length,
    ),
  };
}
