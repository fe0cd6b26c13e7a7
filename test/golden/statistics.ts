/** What statistics of studies are computed of, as data for `statistics.py` and as cases for the test. */
import { fold, normal, rootKey, uniform } from "../../src/runtime/random.js";

/** Shares and degrees of freedom of Student's distribution. */
export const quantiles: readonly (readonly [share: number, degrees: number])[] = [
  ...[1, 2, 3, 4, 7, 10, 29, 30, 31, 100, 1000].map((degrees) => [0.975, degrees] as const),
  ...[0.6, 0.9, 0.995, 0.9999, 0.025].flatMap((share) => [1, 4, 12.5].map((degrees) => [share, degrees] as const)),
];

/** Losses of two arms with the same seeds. */
export const pairs: Readonly<Record<string, readonly (readonly [own: number, other: number])[]>> = {
  "two seeds": drawnPairs("two", 2),
  "five seeds": drawnPairs("five", 5),
  "forty seeds": drawnPairs("forty", 40),
};

function drawnPairs(name: string, count: number): (readonly [number, number])[] {
  const [own, other] = ["own", "other"].map((which) => normal(fold(fold(rootKey(3), name), which), count));
  return Array.from({ length: count }, (_, i) => [0.45 + 0.01 * (own?.[i] ?? 0), 0.46 + 0.01 * (other?.[i] ?? 0)]);
}

/** The scores of two models, and labels; of the second many are equal. */
export const scored = (() => {
  const draw = (name: string) => [...uniform(fold(rootKey(4), name), 120)];
  const [own, noise, luck] = [draw("own"), draw("noise"), draw("luck")];
  return {
    own,
    other: own.map((score, i) => Math.round(8 * (0.6 * score + 0.4 * (noise[i] ?? 0))) / 8),
    labels: own.map((score, i) => Number((luck[i] ?? 0) < score)),
  };
})();

/** The data that `statistics.py` reads. */
export function statisticsData(): object {
  return { quantiles, pairs, scored };
}
