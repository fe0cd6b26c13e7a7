/**
 * The quarantine of unhealthy teachers. A student judges its teachers on its own batches, whose labels the teachers
 * have not seen. An unhealthy teacher is left out, and tried again later. A teacher is unhealthy when its predictions
 * are:
 *
 * - Not finite: at once.
 * - Constant (variance below 1e-10, while the student's is above 1e-6): at once.
 * - No better than guessing, by the label losses of the last 20 steps. `priorLoss` is the loss of guessing by the
 *   frequency of the labels, `student` the larger of the student's loss and its last validation loss, `expectedLoss`
 *   the loss that the teacher expects of itself.
 *   - When a validation has shown the student to be better than guessing by a twentieth, a teacher must have a tenth of
 *     the student's lead: a loss of at most priorLoss - (priorLoss - student) / 10.
 *   - Otherwise a teacher may be unsure, but not sure and wrong: a loss of at most
 *     f + max(|priorLoss - student| / 2, f / 20), where f = max(priorLoss, student, expectedLoss). So a young student
 *     keeps young teachers, and an overfitted student keeps overfitted ones.
 *   A mean within 3 standard errors of the limit passes. In the student's first 200 steps this rule does not apply.
 * - Absurd: a loss of more than 3 times the larger of priorLoss and student, plus 0.1. This rule replaces the one
 *   before in the first 200 steps, and where groups have data of different kinds (`data.filters`, `data.shardBy`), so
 *   that an honest teacher may be worse than guessing.
 *
 * The teacher is out for 100 student steps, and until it has published another snapshot. Each time that it is found
 * unhealthy again before it has taught for 500 steps, it is out for twice as long.
 */
import type { QuarantineEvent } from "../log/events.js";
import type { StepMetrics, Teacher } from "../train/student.js";

const FIRST_STEPS_OUT = 100;
const STEPS_TO_BE_HEALTHY = 500;
const WATCHED_STEPS = 20;
const CONSTANT_VARIANCE = 1e-10;
const VARIED_VARIANCE = 1e-6;
const STANDARD_ERRORS = 3;
const LEAST_SHARE = 0.1;
const MARGIN = 0.05;
const EARLY_STEPS = 200;
const ABSURD_FACTOR = 3;
const ABSURD_MARGIN = 0.1;

/** The losses of one step. */
interface Watched {
  readonly teacher: number;
  readonly expectedLoss: number;
  readonly student: number;
  readonly priorLoss: number;
}

interface Record {
  /** Out until this step, and until it has a snapshot of another digest; null while it teaches. */
  out: { readonly until: number; readonly digest: string } | null;
  /** How often it was found unhealthy without 500 healthy steps in between. */
  times: number;
  /** Steps that it has taught since it was last found unhealthy. */
  taught: number;
  /** The last steps. */
  watched: readonly Watched[];
}

export interface Quarantine {
  /** Whether a teacher may teach at this step. */
  admits(teacher: Teacher, step: number): boolean;
  /** Judge the teachers by the metrics of a step. */
  observe(step: number, teachers: readonly Teacher[], metrics: StepMetrics): void;
  /** Note the student's loss on rows that it does not learn from. */
  validated(loss: number): void;
}

/**
 * The quarantine of one group. `isAlike` says whether the groups' data are dealt at random, and `nameOf` what is judged as one: a group by
 * default.
 */
export function teacherQuarantine(
  group: number,
  onEvent: (event: QuarantineEvent) => void,
  isAlike = true,
  nameOf: (teacher: Teacher) => number | string = (teacher) => teacher.group,
): Quarantine {
  const records = new Map<number | string, Record>();
  let validation = Number.NEGATIVE_INFINITY;
  const recordOf = (teacher: Teacher): Record => {
    const name = nameOf(teacher);
    const record = records.get(name) ?? { out: null, times: 0, taught: 0, watched: [] };
    records.set(name, record);
    return record;
  };

  /** What is wrong with a teacher, or null. */
  function fault(record: Record, slot: number, step: number, { labelLoss, statistics }: StepMetrics): string | null {
    const teacher = statistics?.teachers[slot];
    if (!statistics || !teacher) return null;
    const { loss, variance, expectedLoss } = teacher;
    if (![loss, variance].every(Number.isFinite)) return "its predictions are not finite";
    if (variance < CONSTANT_VARIANCE && statistics.student.variance > VARIED_VARIANCE) {
      return `its predictions are constant (variance ${variance.toExponential(1)}, the student's ${statistics.student.variance.toExponential(1)})`;
    }
    if (!Number.isFinite(labelLoss)) return null;
    const { priorLoss } = statistics.student;
    const watched = { teacher: loss, expectedLoss, priorLoss, student: Math.max(labelLoss, validation) };
    record.watched = [...record.watched, watched].slice(-WATCHED_STEPS);
    if (record.watched.length < WATCHED_STEPS) return null;
    return isAlike && step >= EARLY_STEPS
      ? noBetterThanGuessing(record.watched, validation > Number.NEGATIVE_INFINITY)
      : absurd(record.watched);
  }

  return {
    admits(teacher, step) {
      const record = recordOf(teacher);
      if (!record.out) return true;
      if (step < record.out.until || teacher.digest === record.out.digest) return false;
      record.out = null;
      onEvent({ event: "teacher-returned", group, from: teacher.group, step });
      return true;
    },
    observe(step, teachers, metrics) {
      for (const [slot, teacher] of teachers.entries()) {
        const record = recordOf(teacher);
        const reason = fault(record, slot, step, metrics);
        if (++record.taught >= STEPS_TO_BE_HEALTHY) record.times = 0;
        if (reason === null) continue;
        const until = step + FIRST_STEPS_OUT * 2 ** record.times;
        Object.assign(record, {
          out: { until, digest: teacher.digest },
          times: record.times + 1,
          taught: 0,
          watched: [],
        });
        onEvent({ event: "teacher-quarantined", group, from: teacher.group, step, untilStep: until, reason });
      }
    },
    validated(loss) {
      validation = loss;
    },
  };
}

/** `isProved`: the student has been validated. */
function noBetterThanGuessing(watched: readonly Watched[], isProved: boolean): string | null {
  const [priorLoss, student] = [meanOf(watched, (one) => one.priorLoss), meanOf(watched, (one) => one.student)];
  const isAhead = isProved && student < (1 - MARGIN) * priorLoss;
  const limitOf = (one: Watched): number => {
    if (isAhead) return one.priorLoss - LEAST_SHARE * (priorLoss - student);
    const fair = Math.max(one.priorLoss, one.student, one.expectedLoss);
    return fair + Math.max(Math.abs(priorLoss - student) / 2, MARGIN * fair);
  };
  // Compared step by step, because a hard batch raises all of its losses.
  const over = watched.map((one) => one.teacher - limitOf(one));
  const mean = meanOf(over, (value) => value);
  const std = Math.sqrt(meanOf(over, (value) => (value - mean) ** 2));
  if (mean <= (STANDARD_ERRORS * std) / Math.sqrt(over.length)) return null;
  const own = meanOf(watched, (one) => one.teacher);
  return `its predictions are no better than guessing (label loss ${own.toFixed(4)} over ${WATCHED_STEPS} steps, by the frequency of the labels ${priorLoss.toFixed(4)}, the student's ${student.toFixed(4)})`;
}

function absurd(watched: readonly Watched[]): string | null {
  const own = meanOf(watched, (one) => one.teacher);
  const limit =
    ABSURD_FACTOR * meanOf(watched, ({ priorLoss, student }) => Math.max(priorLoss, student)) + ABSURD_MARGIN;
  if (own <= limit) return null;
  return `its predictions are absurd (label loss ${own.toFixed(4)} over ${WATCHED_STEPS} steps, at most ${limit.toFixed(4)})`;
}

function meanOf<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((sum, value) => sum + of(value), 0) / values.length;
}
