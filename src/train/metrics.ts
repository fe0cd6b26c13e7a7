/** Measures of predictions, computed in float64 on the host. */

/** Mean of -y log p - (1 - y) log(1 - p) in nats; probabilities are kept away from 0 and 1 by 1e-7. */
export function logLoss(probs: Float32Array, labels: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < probs.length; i++) {
    const p = Math.min(1 - 1e-7, Math.max(1e-7, probs[i] ?? Number.NaN));
    sum -= labels[i] === 1 ? Math.log(p) : Math.log1p(-p);
  }
  return sum / probs.length;
}

/**
 * Area under the ROC curve: the chance that a positive example is ranked above a negative one, ties counted half.
 * NaN when one of the classes is missing.
 */
export function auc(probs: Float32Array, labels: Float32Array): number {
  const positives = probs.filter((_, i) => labels[i] === 1).sort();
  const negatives = probs.filter((_, i) => labels[i] !== 1).sort();
  let below = 0;
  let notAbove = 0;
  let wins = 0;
  for (const p of positives) {
    while (below < negatives.length && (negatives[below] ?? 0) < p) below++;
    while (notAbove < negatives.length && (negatives[notAbove] ?? 0) <= p) notAbove++;
    wins += (below + notAbove) / 2;
  }
  return wins / (positives.length * negatives.length);
}

/** Mean absolute difference between two sets of predictions: between retrained models, the paper's churn. */
export function meanAbsoluteDifference(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum / a.length;
}

/** The mean of several sets of predictions: an ensemble. */
export function meanOfProbs(sets: readonly Float32Array[]): Float32Array {
  return Float32Array.from(
    sets[0] ?? [],
    (_, i) => sets.reduce((sum, probs) => sum + (probs[i] ?? 0), 0) / sets.length,
  );
}
