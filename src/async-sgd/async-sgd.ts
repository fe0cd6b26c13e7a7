/** Asynchronous SGD: the rule of a worker and that of the parameter servers. */
import type { Desk, UnderWay } from "./desk.js";

/** What a worker does; null instead of params says that this is the end. */
export interface WorkerSide<Params, Gradient> {
  pull(): Promise<Params | null>;
  gradient(params: Params): Promise<Gradient>;
  push(gradient: Gradient, params: Params): void;
}

/**
 * A worker of asynchronous SGD (Dean et al. 2012, section 4.1, with an update after every batch):
 *
 *     while active:
 *         (theta, v) = pull()
 *         g = gradient(theta, next batch)
 *         push(g, v)
 */
export async function work<P, G>({ pull, gradient, push }: WorkerSide<P, G>): Promise<void> {
  for (let params = await pull(); params !== null; params = await pull()) push(await gradient(params), params);
}

export interface ServerSide<Gradient> {
  readonly desk: Desk<Gradient>;
  /** Send the params of now to a worker, and the batch for its gradient. */
  answer(worker: number, underWay: UnderWay): void;
  /** Take the next letter to the desk when it comes. Rejects with the reason of the signal that is aborted first. */
  receive(signal: AbortSignal | undefined): Promise<void>;
  /** theta = update(theta, gradient, rate(staleness)). */
  update(gradient: Gradient, staleness: number, worker: number): Promise<void>;
}

/**
 * The next update of the parameter servers, which together have one version of all params:
 *
 *     on pull from a worker:
 *         send (theta, version)
 *     on push(g, v):
 *         staleness = version - v
 *         theta = update(theta, g, rate(step, staleness))
 *         version = version + 1
 *
 * Gradients are applied in the order in which they come, but for those that {@link Desk} lets wait.
 */
export async function serve<G>({ desk, answer, receive, update }: ServerSide<G>, signal?: AbortSignal): Promise<void> {
  for (;;) {
    for (let worker = desk.nextPull(); worker !== null; worker = desk.nextPull()) answer(worker, desk.give(worker));
    const push = desk.nextPush();
    if (push) {
      await update(push.gradient, desk.version - push.version, push.worker);
      desk.applied(push);
      return;
    }
    await receive(signal);
  }
}
