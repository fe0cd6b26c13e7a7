/** Which classes are taken for which. */

/** Entry [label][decision] counts the examples of a class for which a class was decided. */
export function confusion(
  labels: ArrayLike<number>,
  decisions: ArrayLike<number>,
  numClasses: number,
): readonly (readonly number[])[] {
  const counts = Array.from({ length: numClasses }, () => new Array<number>(numClasses).fill(0));
  for (let i = 0; i < labels.length; i++) counts[labels[i] as number]![decisions[i] as number]! += 1;
  return counts;
}
