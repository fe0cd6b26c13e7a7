/** How long a step of several workers takes, by a model of compute, waiting for the slowest, and adding up gradients. */

/** What the seconds of a step are computed from. */
export interface TimeModel {
  /** Seconds that a worker takes over its part of a step: measured. */
  readonly computeSeconds: number;
  /** Bytes of the gradient: 4 for each param. */
  readonly gradientBytes: number;
  readonly link: Link;
  /** The mean delay of a worker in a step, as a share of its compute: declared. */
  readonly spread: number;
}

/** How workers reach one another. */
export interface Link {
  readonly bytesPerSecond: number;
  readonly latencySeconds: number;
  readonly isMeasured: boolean;
}

/** What workers are taken to reach one another by where nothing is declared or measured: ordinary Ethernet. */
export const DEFAULT_LINK = { gigabits: 10, microseconds: 50 };

/** The seconds of a step, by what they go to. */
export interface StepSeconds {
  readonly compute: number;
  readonly waiting: number;
  readonly reduce: number;
  readonly total: number;
}

/**
 * A step of w workers. Gradients are added up by halving and doubling (Thakur et al. 2005): 2 ceil(log2 w) messages one after the other,
 * and 2 (w - 1) / w of their bytes through each worker's link. Each worker is late by an exponential delay of mean spread x compute, of
 * which the slowest of w has H(w) = 1 + 1/2 + ... + 1/w times the mean; what one worker takes has its own delay in it already.
 */
export function stepSeconds({ computeSeconds, gradientBytes, link, spread }: TimeModel, workers: number): StepSeconds {
  const messages = 2 * Math.ceil(Math.log2(workers));
  const reduce =
    messages * link.latencySeconds + ((2 * (workers - 1)) / workers) * (gradientBytes / link.bytesPerSecond);
  const waiting = computeSeconds * spread * (harmonic(workers) - 1);
  return { compute: computeSeconds, waiting, reduce, total: computeSeconds + waiting + reduce };
}

function harmonic(n: number): number {
  let sum = 0;
  for (let i = n; i >= 1; i--) sum += 1 / i;
  return sum;
}

/** The link that a measured time for adding up would have, without latency. */
export function measuredLink(gradientBytes: number, workers: number, reduceSeconds: number): Link {
  const bytes = ((2 * (workers - 1)) / workers) * gradientBytes;
  return { bytesPerSecond: bytes / reduceSeconds, latencySeconds: 0, isMeasured: true };
}
