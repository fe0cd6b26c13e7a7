/** Binary search among ascending numbers. */

/** The index of the last number, of the first `count`, that is at most `value`; 0 when there is none. */
export function lastAtMost(ascending: ArrayLike<number>, count: number, value: number): number {
  let [low, high] = [0, count - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((ascending[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
