/** What the steps of several workers say together. */
import type { Communicator } from "../comm/communicator.js";
import { metricsOf, type StepMetrics } from "../train/step-metrics.js";
import { everyones } from "../train/stepper.js";

/**
 * The step that all workers took, each on its own: the means of their losses and norms of gradients, and how long each took. One that
 * was skipped by a worker, which then kept its params, is told as skipped, with the worker. `started` is when this worker's began.
 */
export async function everyonesMetrics(comm: Communicator, own: StepMetrics, started: number): Promise<StepMetrics> {
  if (comm.size === 1) return own;
  const seconds = (performance.now() - started) / 1000;
  const hasTargets = own.targetLoss !== undefined;
  const all = await everyones(comm, [[own.labelLoss, own.targetLoss ?? 0, own.gradNorm, seconds]]);
  const each = all.map(([labelLoss = Number.NaN, targetLoss = 0, gradNorm = Number.NaN]) => {
    const said = { labelLoss, squaredGradNorm: gradNorm ** 2, ...(hasTargets && { targetLoss }) };
    return metricsOf(new Map(Object.entries(said)), { learningRate: own.learningRate, numTeachers: 0 });
  });
  const mean = (of: (one: StepMetrics) => number) => each.reduce((sum, one) => sum + of(one), 0) / each.length;
  const skipped = each.flatMap(({ skipped }, rank) => (skipped === null ? [] : [`worker ${rank}: ${skipped}`]));
  const slowest = Math.max(...all.map(([, , , compute = 0]) => compute));
  return {
    ...own,
    labelLoss: mean(({ labelLoss }) => labelLoss),
    ...(hasTargets && { targetLoss: mean(({ targetLoss = 0 }) => targetLoss) }),
    gradNorm: mean(({ gradNorm }) => gradNorm),
    skipped: skipped.length > 0 ? skipped.join("; ") : null,
    // Those that are done wait for the slowest one.
    workers: all.map(([, , , compute = 0]) => ({ compute, reduce: slowest - compute })),
  };
}
