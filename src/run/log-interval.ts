/** Step events that are told at the interval that was asked for; from there on they become rarer. */
const DENSE_EVENTS = 10_000;

/**
 * The interval of step events at a step: the one asked for up to 10,000 times itself, then twice as long up to twice as many
 * steps, and so on. So a run of n intervals has some 10,000 + 5,000 log2(n / 10,000) of them: 60,000 of ten million.
 */
export function logIntervalAt(step: number, interval: number): number {
  let longer = interval;
  while (step > DENSE_EVENTS * longer) longer *= 2;
  return longer;
}
