/** The outer step of DiLoCo, of which that of local SGD is a case. */

/** How far the shared params move at an exchange. */
export interface OuterStep {
  readonly learningRate: number;
  /** Of Nesterov's kind; 0 for none. */
  readonly momentum: number;
}

/** The outer step of local SGD: the mean of the workers' params becomes everybody's. */
export const toTheMean: OuterStep = { learningRate: 1, momentum: 0 };

/** Numbers that all workers share, changed in place, and the sum over the workers of what each has come to. */
export interface Outer {
  readonly shared: Float32Array<ArrayBufferLike>;
  readonly sum: Float32Array<ArrayBufferLike>;
  readonly numWorkers: number;
  /** The momentum's memory, changed in place; left out where there is no momentum. */
  readonly velocity?: Float32Array<ArrayBufferLike> | undefined;
}

/**
 * One step of SGD with Nesterov's momentum, by the mean of what the workers moved (Douillard et al. 2023, "DiLoCo", Algorithm 1),
 *
 *     d     = theta - mean_i theta_i
 *     b     = mu b + d
 *     theta = theta - eta (d + mu b),
 *
 * computed in float64 as mean_i theta_i + (1 - eta) d - eta mu b: at rate 1 without momentum it is the mean itself, to the bit.
 */
export function outerStep({ shared, sum, numWorkers, velocity }: Outer, { learningRate, momentum }: OuterStep): void {
  for (let i = 0; i < shared.length; i++) {
    const mean = (sum[i] as number) / numWorkers;
    const moved = (shared[i] as number) - mean;
    const memory = momentum * (velocity?.[i] ?? 0) + moved;
    if (velocity) velocity[i] = memory;
    shared[i] = mean + (1 - learningRate) * moved - learningRate * momentum * memory;
  }
}
