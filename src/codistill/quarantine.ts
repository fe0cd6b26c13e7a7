/**
 * Teachers that are ill, as a student sees on its own batches. A sick teacher is left out, and tried again later.
 *
 * - Predictions that are not finite: at once.
 * - Constant predictions (variance below 1e-10, while the student's is above 1e-6): at once.
 * - Absurd predictions: a label loss that over the last 20 steps is more than 3 times the larger of the student's and that
 *   of guessing by the frequency of the labels, and 0.1 nats more. A young, stale or foreign teacher is not that bad.
 *
 * It is out for 100 student steps, and until it has published another snapshot. Each time that it is found ill again,
 * before it has taught for 500 steps, it is out for twice as long.
 */
import type { QuarantineEvent } from "../train/events.js";
import type { StepMetrics, Teacher } from "../train/student.js";

const FIRST_STEPS_OUT = 100;
const STEPS_TO_BE_WELL = 500;
const WATCHED_STEPS = 20;
const CONSTANT_VARIANCE = 1e-10;
const VARIED_VARIANCE = 1e-6;
const ABSURD_FACTOR = 3;
const ABSURD_MARGIN = 0.1;

interface Record {
  /** Out until this step, and until it has another snapshot than this; null while it teaches. */
  out: { readonly until: number; readonly digest: string } | null;
  /** Times that it was found ill without being well in between. */
  times: number;
  /** Steps that it has taught since. */
  taught: number;
  /** The last losses of the teacher, and what they may be at most. */
  losses: { readonly own: number; readonly fair: number }[];
}

export interface Quarantine {
  /** Whether a teacher may teach at this step. */
  admits(teacher: Teacher, step: number): boolean;
  /** Look at what a step has shown of its teachers. */
  judge(step: number, teachers: readonly Teacher[], metrics: StepMetrics): void;
}

/** The quarantine of one group. */
export function makeQuarantine(group: number, onEvent: (event: QuarantineEvent) => void): Quarantine {
  const records = new Map<number, Record>();
  const recordOf = (from: number): Record => {
    const record = records.get(from) ?? { out: null, times: 0, taught: 0, losses: [] };
    records.set(from, record);
    return record;
  };

  return {
    admits(teacher, step) {
      const record = recordOf(teacher.group);
      if (!record.out) return true;
      if (step < record.out.until || teacher.digest === record.out.digest) return false;
      record.out = null;
      onEvent({ event: "teacher-returned", group, from: teacher.group, step });
      return true;
    },
    judge(step, teachers, metrics) {
      for (const [slot, teacher] of teachers.entries()) {
        const record = recordOf(teacher.group);
        const reason = illness(record, slot, metrics);
        if (++record.taught >= STEPS_TO_BE_WELL) record.times = 0;
        if (reason === null) continue;
        const until = step + FIRST_STEPS_OUT * 2 ** record.times;
        Object.assign(record, {
          out: { until, digest: teacher.digest },
          times: record.times + 1,
          taught: 0,
          losses: [],
        });
        onEvent({ event: "teacher-quarantined", group, from: teacher.group, step, untilStep: until, reason });
      }
    },
  };
}

/** What is wrong with a teacher, or null. */
function illness(record: Record, slot: number, { labelLoss, signs }: StepMetrics): string | null {
  const teacher = signs?.teachers[slot];
  if (!signs || !teacher) return null;
  const { loss, variance } = teacher;
  if (![loss, variance].every(Number.isFinite)) return "its predictions are not finite";
  if (variance < CONSTANT_VARIANCE && signs.student.variance > VARIED_VARIANCE) {
    return `its predictions are constant (variance ${variance.toExponential(1)}, the student's ${signs.student.variance.toExponential(1)})`;
  }
  if (!Number.isFinite(labelLoss)) return null;
  record.losses = [...record.losses, { own: loss, fair: Math.max(labelLoss, signs.student.chance) }].slice(
    -WATCHED_STEPS,
  );
  if (record.losses.length < WATCHED_STEPS) return null;
  const own = meanOf(record.losses.map((losses) => losses.own));
  const limit = ABSURD_FACTOR * meanOf(record.losses.map(({ fair }) => fair)) + ABSURD_MARGIN;
  if (own <= limit) return null;
  return `its predictions are absurd (label loss ${own.toFixed(4)} over ${WATCHED_STEPS} steps, at most ${limit.toFixed(4)})`;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
