/** Deep mutual learning: several students of one group, each taught in every step by what the others predict now. */
import type { Engine } from "../engine/engine.js";
import { CheckpointError } from "../errors.js";
import type { NamedArrays } from "../runtime/array.js";
import { type Closable, closable } from "../runtime/closable.js";
import { byFirstPart, underPrefix, withPrefix } from "../runtime/named.js";
import { fold, type Key } from "../runtime/random.js";
import type { Learner } from "../train/graphs.js";
import { engineStudent, type StepMetrics, type Student, type Teacher } from "../train/student.js";

export interface MutualOptions {
  /** One for each student; the first student is the one that is validated and shipped. */
  readonly engines: readonly Engine[];
  readonly learner: Learner;
  /** As of {@link engineStudent}: that of the first student, of which those of the others follow. */
  readonly key: Key;
  readonly accumulate: number;
  /** Weight of the distillation loss. */
  readonly distillWeight: number;
}

/** The prefix under which a checkpoint has the states of the students after the first. */
const STUDENTS = "students";

/**
 * Students that learn from one another (Zhang et al. 2018, "Deep mutual learning", equation 9):
 *
 *     for each student k, on the same batch:
 *         theta_k = theta_k - eta grad{ phi(y, F(theta_k, f)) + w psi(mean over l != k of F(theta_l, f), F(theta_k, f)) }
 *
 * All predict by the params of before the step; in the paper each student moves before the next one looks. Students begin from draws of
 * their own, and those with dropout drop by draws of their own; as teachers they drop nothing.
 */
export function mutualStudent({ engines, learner, key, accumulate, distillWeight }: MutualOptions): Student {
  const students = engines.map((engine, k) => engineStudent({ engine, learner, key: keyOf(key, k), accumulate }));
  const [first] = students;
  if (!first || students.length < 2) throw new Error("internal: mutual learning takes two students at least");
  let numSnapshots = 0;

  /** The students as they are now, as teachers of one another. */
  async function snapshots(): Promise<readonly Teacher[]> {
    numSnapshots++;
    const params = await Promise.all(students.map((student) => student.params()));
    // A student knows a teacher by its digest: this one is new in every step, also where a step comes again.
    return params.map((params, k) => ({
      group: k,
      step: students[k]?.step ?? 0,
      digest: `${k}.${numSnapshots}`,
      params,
    }));
  }

  const student: Omit<Student, keyof Closable> = {
    get step() {
      return first.step;
    },
    get learningRateScale() {
      return first.learningRateScale;
    },
    async init(from, given) {
      for (const [k, one] of students.entries()) await one.init(keyOf(from, k), k === 0 ? given : undefined);
    },
    async prepare(_, numBatches) {
      await Promise.all(students.map((one) => one.prepare(students.length - 1, numBatches)));
    },
    async restore(state, step, scale = 1) {
      const others = byFirstPart(underPrefix(STUDENTS, state));
      if (others.size !== students.length - 1) {
        throw new CheckpointError(
          `a checkpoint of mutual learning goes on with as many students as it has: ${others.size + 1}, got ${students.length}. Set algorithm.students to ${others.size + 1}.`,
        );
      }
      const own = Object.entries(state).filter(([name]) => !name.startsWith(`${STUDENTS}.`));
      for (const [k, one] of students.entries())
        await one.restore(k === 0 ? Object.fromEntries(own) : (others.get(String(k)) ?? {}), step, scale);
    },
    async learn(batches, teachers, _, signal) {
      if (teachers.length > 0) throw new Error("internal: the students of mutual learning have no other teachers");
      const now = await snapshots();
      signal?.throwIfAborted();
      const all: StepMetrics[] = [];
      // Once begun, a step comes to its end: all students take it, or none.
      for (const [k, one] of students.entries()) {
        const others = now.filter(({ group }) => group !== k);
        const { taughtBy: _, ...metrics } = await one.learn(batches, others, distillWeight);
        all.push(metrics);
      }
      const skipped = all.flatMap(({ skipped }, k) => (skipped === null ? [] : [`student ${k}: ${skipped}`]));
      return { ...(all[0] as StepMetrics), skipped: skipped.length > 0 ? skipped.join("; ") : null };
    },
    params: first.params,
    shipped: first.shipped,
    async state() {
      const states = await Promise.all(students.map((one) => one.state()));
      return Object.assign(
        {},
        ...states.map((state, k): NamedArrays => (k === 0 ? state : withPrefix(`${STUDENTS}.${k}`, state))),
      );
    },
  };
  return closable(student, async () => {
    await Promise.all(students.map((one) => one.close()));
  });
}

/** What a student draws by: the first one as a group that trains plainly. */
function keyOf(key: Key, student: number): Key {
  return student === 0 ? key : fold(key, `student ${student}`);
}
