/** What a step reports, from the scalars that it puts out. */
import type { WorkerUse } from "../log/events.js";
import type { StepRecord } from "./stepper.js";
import { type StudentStatistics, statisticNames, type TeacherStatistics } from "./teacher-statistics.js";

/** What one step reports; losses in nats per example. */
export interface StepMetrics {
  readonly labelLoss: number;
  /** psi against the predictions of fixed teachers; left out where there are none. */
  readonly targetLoss?: number;
  /** psi, and psi less its least value; null without teachers. */
  readonly distillLoss: number | null;
  readonly divergence: number | null;
  /** How far the last hidden layers of the student and its teachers are apart; left out where that is not taught. */
  readonly gramLoss?: number;
  /** Norm of the gradient of the whole loss, over all params. */
  readonly gradNorm: number;
  readonly learningRate: number;
  /** The mean squared norm of the gradients of its parts, of steps that measure noise. */
  readonly squaredPartNorm?: number;
  /** Which number was not finite, so that the step changed nothing. Null for a step that was taken. */
  readonly skipped: string | null;
  /** The statistics of the step's teachers, in their order, and of the student; null without teachers. */
  readonly statistics: { readonly teachers: readonly TeacherStatistics[]; readonly student: StudentStatistics } | null;
  /** How long each worker took, by rank; left out where one takes the step alone. */
  readonly workers?: readonly WorkerUse[];
  /** Of workers with params of their own: bytes that went between them after the step, as they shared params, and how long that took. */
  readonly exchange?: { readonly bytes: number; readonly seconds: number };
  /** Of asynchronous SGD: who computed the gradient, how many updates late it was, and the seconds for it and before it. */
  readonly gradient?: {
    readonly worker: number;
    readonly staleness: number;
    readonly compute: number;
    readonly wait: number;
  };
}

/** The metrics of a step with so many teachers. */
export function metricsOf(
  record: StepRecord,
  {
    learningRate = Number.NaN,
    numTeachers,
    workers = [],
  }: {
    readonly learningRate?: number | undefined;
    readonly numTeachers: number;
    readonly workers?: readonly WorkerUse[] | undefined;
  },
): StepMetrics {
  const [targetLoss, gramLoss] = [record.get("targetLoss"), record.get("gramLoss")];
  const squaredPartNorm = record.get("squaredPartNorm");
  const metrics = {
    labelLoss: record.get("labelLoss") ?? Number.NaN,
    ...(targetLoss !== undefined && { targetLoss }),
    distillLoss: record.get("distillLoss") ?? null,
    divergence: record.get("divergence") ?? null,
    ...(gramLoss !== undefined && { gramLoss }),
    gradNorm: Math.sqrt(record.get("squaredGradNorm") ?? Number.NaN),
    ...(squaredPartNorm !== undefined && { squaredPartNorm }),
    learningRate,
    statistics: statisticsOf(record, numTeachers),
    ...(workers.length > 0 && { workers }),
  };
  return { ...metrics, skipped: whySkipped(metrics) };
}

/** The rule of the step graph, in words. */
function whySkipped({
  labelLoss,
  targetLoss = 0,
  distillLoss,
  gramLoss = 0,
  gradNorm,
}: Omit<StepMetrics, "skipped">): string | null {
  const numbers = {
    "label loss": labelLoss,
    "loss against fixed teachers": targetLoss,
    "distillation loss": distillLoss ?? 0,
    "Gram loss": gramLoss,
    "gradient norm": gradNorm,
  };
  const wrong = Object.entries(numbers).filter(([, value]) => !Number.isFinite(value));
  return wrong.length > 0 ? wrong.map(([name, value]) => `${name} ${value}`).join(", ") : null;
}

function statisticsOf(record: StepRecord, numTeachers: number): StepMetrics["statistics"] {
  if (numTeachers === 0) return null;
  const statistic = (name: string) => record.get(name) ?? Number.NaN;
  const teachers = Array.from({ length: numTeachers }, (_, slot) => ({
    loss: statistic(statisticNames.teacher(slot, "loss")),
    expectedLoss: statistic(statisticNames.teacher(slot, "expectedLoss")),
    variance: statistic(statisticNames.teacher(slot, "variance")),
    distance: statistic(statisticNames.teacher(slot, "distance")),
  }));
  return {
    teachers,
    student: { variance: statistic(statisticNames.variance), priorLoss: statistic(statisticNames.priorLoss) },
  };
}
