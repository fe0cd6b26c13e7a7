/** The names of a batch's arrays. */

/** The label of each example. */
export const labelsName = "labels";

/** The tokens of texts. */
export const idsName = "ids";

/** The array of all numeric features of a table, where they are many. */
export const numbersName = "numbers";

/** The array of one feature of a table. */
export function featureName(feature: string): string {
  return `features.${feature}`;
}
