/** What the losses of a table say: whether codistill's model is one that a data scientist would have chosen. */
import { mean } from "../../src/study/statistics.js";
import { type PeerName, peers, type Scored } from "./peers.js";

/** A trial with all that was trained on its rows. */
export interface Compared {
  readonly own: Scored;
  readonly peers: Readonly<Record<PeerName, Scored>>;
}

export type Verdict = "no worse" | "within 2 %" | "behind";

/** The losses of a table over its seeds. */
export interface TableVerdict {
  /** The booster of the lower mean loss. */
  readonly rival: PeerName;
  /** The mean loss over the rival's: below 1 where codistill is ahead. */
  readonly ratio: number;
  readonly verdict: Verdict;
  /** The mean loss over the linear model's. */
  readonly overLinear: number;
  /** The time over that of the rival's grid, of the seeds whose times were measured; null without one. */
  readonly timeRatio: number | null;
}

const CLOSE = 1.02;

/** By means over the seeds. `seeds` has one trial at least. */
export function verdictOf(seeds: readonly Compared[]): TableVerdict {
  const lossOf = (name: PeerName) => mean(seeds.map((one) => one.peers[name].testLoss));
  const own = mean(seeds.map((one) => one.own.testLoss));
  const boosters = peers.filter(({ isBooster }) => isBooster).map(({ name }) => name as PeerName);
  const rival = boosters.reduce((best, name) => (lossOf(name) < lossOf(best) ? name : best));
  const ratio = own / lossOf(rival);
  const timed = timedOf(seeds);
  const secondsOf = (of: (one: Compared) => Scored) => mean(timed.map((one) => of(one).seconds));
  return {
    rival,
    ratio,
    // A loss that is not finite is behind.
    verdict: ratio <= 1 ? "no worse" : ratio <= CLOSE ? "within 2 %" : "behind",
    overLinear: own / lossOf("linear"),
    timeRatio: timed.length === 0 ? null : secondsOf(({ own: model }) => model) / secondsOf((one) => one.peers[rival]),
  };
}

/** Those of which all was trained while nothing else ran. */
export function timedOf<T extends Compared>(seeds: readonly T[]): T[] {
  return seeds.filter(({ own, peers: all }) => [own, ...Object.values(all)].every(({ timed = true }) => timed));
}
