/** Step events that are logged at the interval that was asked for; after these they become rarer. */
const DENSE_EVENTS = 10_000;

/**
 * The interval of step events at a step: the given one up to step 10,000 x interval, twice that up to step 20,000 x
 * interval, and so on. So a run of n intervals has some 10,000 + 5,000 log2(n / 10,000) events: 60,000 of ten million.
 */
export function logIntervalAt(step: number, interval: number): number {
  let longer = interval;
  while (step > DENSE_EVENTS * longer) longer *= 2;
  return longer;
}
