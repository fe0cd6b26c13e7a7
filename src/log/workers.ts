/** What the workers of a group did, in the step events of a run. Times are in seconds. */

/** How long a worker took over its part of a step. */
export interface WorkerUse {
  /** Seconds for the gradients of its own rows. */
  readonly compute: number;
  /** Seconds for adding them up with those of the others, waiting for the others included. */
  readonly reduce: number;
}

/** Of asynchronous SGD: gradients, and by how many updates they were late. */
export interface GradientUse {
  readonly meanStaleness: number;
  readonly maxStaleness: number;
  /** Of each worker that brought any: its rank from 1 on, how many, their mean staleness, and mean seconds. */
  readonly workers: readonly {
    readonly worker: number;
    readonly gradients: number;
    readonly meanStaleness: number;
    /** Seconds for the gradient, and of waiting for the params before it. */
    readonly compute: number;
    readonly wait: number;
  }[];
}
