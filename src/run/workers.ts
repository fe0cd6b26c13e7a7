/** How many workers share each batch of a run. */

/** None of asynchronous SGD do: each has batches of its own. */
export function sharersOf(config: { readonly workers: number; readonly algorithm: { readonly kind: string } }): number {
  return config.algorithm.kind === "asyncSgd" ? 1 : config.workers;
}
