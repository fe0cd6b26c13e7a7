/** The names of a batch's arrays. */

/** The label of each example. */
export const labelsName = "labels";

/** By how much the losses of each example count, 1 on average, where that differs. */
export const weightsName = "weights";

/** What fixed teachers predict for each example: their mean prediction, which the student is pulled towards. */
export const targetsName = "targets";

/** The tokens of texts. */
export const idsName = "ids";

/** The pixels of images. */
export const imagesName = "images";

/** The array of all numeric features of a table, where they are many. */
export const numbersName = "numbers";

/** The array of one feature of a table. */
export function featureName(feature: string): string {
  return `features.${feature}`;
}
