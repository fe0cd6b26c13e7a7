/**
 * Teachers that are unhealthy, as a student sees on its own batches, whose labels a teacher has not seen. Such a teacher is left out,
 * and tried again later.
 *
 * - Predictions that are not finite: at once.
 * - Constant predictions (variance below 1e-10, while the student's is above 1e-6): at once.
 * - Predictions that are no better than guessing, by the label losses of the last 20 steps. `priorLoss` is the loss of guessing by
 *   the frequency of the labels, `student` the larger of the student's loss and of its last validation loss, `expectedLoss` the loss that
 *   the teacher expects of itself.
 *   - Beside a student that has shown in a validation that it is better than guessing (by a twentieth) a teacher must have a tenth
 *     of its lead: at most priorLoss - (priorLoss - student) / 10.
 *   - Otherwise it may be unsure, but not sure and wrong: at most max(priorLoss, student, expectedLoss) and half of |priorLoss - student|, or
 *     a twentieth, more. So young teachers of a young student stay, and those that know their own rows by heart as it does.
 *   A mean that is within 3 standard errors of the limit is let pass. In its first 200 steps a student does not decide this.
 * - In these steps, and where groups have data of different kinds (`data.filters`, `data.shardBy`) so that an honest teacher may be
 *   worse than guessing, only absurd predictions are unhealthy: more than 3 times the larger of priorLoss and student, and 0.1 more.
 *
 * It is out for 100 student steps, and until it has published another snapshot. Each time that it is found unhealthy again,
 * before it has taught for 500 steps, it is out for twice as long.
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

/** What one step has shown: losses. */
interface Watched {
  readonly teacher: number;
  readonly expectedLoss: number;
  readonly student: number;
  readonly priorLoss: number;
}

interface Record {
  /** Out until this step, and until it has another snapshot than this; null while it teaches. */
  out: { readonly until: number; readonly digest: string } | null;
  /** Times that it was found unhealthy without being well in between. */
  times: number;
  /** Steps that it has taught since. */
  taught: number;
  /** The last steps. */
  watched: readonly Watched[];
}

export interface Quarantine {
  /** Whether a teacher may teach at this step. */
  admits(teacher: Teacher, step: number): boolean;
  /** Look at what a step has shown of its teachers. */
  observe(step: number, teachers: readonly Teacher[], metrics: StepMetrics): void;
  /** Note the student's loss on rows that it does not learn from. */
  validated(loss: number): void;
}

/** The quarantine of one group. `isAlike` says whether chance alone deals the groups' data. */
export function teacherQuarantine(
  group: number,
  onEvent: (event: QuarantineEvent) => void,
  isAlike = true,
): Quarantine {
  const records = new Map<number, Record>();
  let validation = Number.NEGATIVE_INFINITY;
  const recordOf = (from: number): Record => {
    const record = records.get(from) ?? { out: null, times: 0, taught: 0, watched: [] };
    records.set(from, record);
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
      const record = recordOf(teacher.group);
      if (!record.out) return true;
      if (step < record.out.until || teacher.digest === record.out.digest) return false;
      record.out = null;
      onEvent({ event: "teacher-returned", group, from: teacher.group, step });
      return true;
    },
    observe(step, teachers, metrics) {
      for (const [slot, teacher] of teachers.entries()) {
        const record = recordOf(teacher.group);
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

/** `isProved`: the student was validated. */
function noBetterThanGuessing(watched: readonly Watched[], isProved: boolean): string | null {
  const [priorLoss, student] = [meanOf(watched, (one) => one.priorLoss), meanOf(watched, (one) => one.student)];
  const isAhead = isProved && student < (1 - MARGIN) * priorLoss;
  const limitOf = (one: Watched): number => {
    if (isAhead) return one.priorLoss - LEAST_SHARE * (priorLoss - student);
    const fair = Math.max(one.priorLoss, one.student, one.expectedLoss);
    return fair + Math.max(Math.abs(priorLoss - student) / 2, MARGIN * fair);
  };
  // Step by step: how hard a batch is shows in all of its losses.
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
