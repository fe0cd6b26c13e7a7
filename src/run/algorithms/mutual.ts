/** Deep mutual learning, in a configuration and in a run. */
import { z } from "zod";
import { mutualStudent } from "../../baselines/mutual.js";
import { plain } from "../../baselines/plain.js";
import type { Step } from "../../train/algorithm.js";
import type { Documented } from "../documented.js";
import type { AlgorithmKind, RunShape } from "./kind.js";

/**
 * Deep mutual learning (Zhang et al. 2018): several students in each group learn from the same batches, and in every step each is
 * pulled towards the mean of what the others predict now. The first student is validated and shipped. Groups train apart.
 *
 * @example
 * { kind: "mutual", students: 2, distillWeight: 1 }
 */
export interface MutualInput {
  readonly kind: "mutual";
  /** How many students each group has; 2 by default. A step takes as many times as long. */
  readonly students?: number | undefined;
  /** Weight of the distillation loss; 1 by default, as in the paper. */
  readonly distillWeight?: number | undefined;
  /** Temperature of the distillation loss; 1 by default. */
  readonly temperature?: number | undefined;
}

const schema = z.strictObject({
  kind: z.literal("mutual"),
  students: z.int().min(2).max(8).default(2),
  distillWeight: z.number().positive().default(1),
  temperature: z.number().positive().default(1),
});

type Options = z.output<typeof schema>;

function problemsOf({ temperature }: Options, { workers, record, init, task }: RunShape): string[] {
  const problems: string[] = [];
  if (workers > 1) {
    problems.push(
      `workers: must be 1 with algorithm "mutual", whose students take turns in one process, got ${workers}; give it more threads`,
    );
  }
  if (record)
    problems.push('record: must be false with algorithm "mutual", whose teachers are in every step those of now');
  if (init !== undefined) {
    problems.push(
      'init: must be left out with algorithm "mutual", whose students must begin apart: alike they would learn the same from the same batches',
    );
  }
  if (task.kind === "regression" && temperature !== 1) {
    problems.push(
      `algorithm.temperature: softens probabilities, which task "regression" has none of; leave it out, got ${temperature}`,
    );
  }
  return problems;
}

export const mutualLearning: AlgorithmKind<MutualInput, Options, Options> = {
  schema: schema satisfies Documented<typeof schema, MutualInput>,
  inSteps: (options) => options,
  problems: problemsOf,
  declared: ({ students }) => ({ students }),
  distillation: ({ temperature }) => ({ temperature }),
  teachesFrom: () => null,
  base: async ({ students, distillWeight }, { engine, startEngine, ...context }) => {
    const others = Array.from({ length: students - 1 }, startEngine);
    return { student: mutualStudent({ ...context, engines: [engine, ...others], distillWeight }) };
  },
  start: ({ distillWeight }, { student, stream, numSteps, accumulate }) => ({
    prepare: () => student.prepare(0, accumulate),
    async *steps(signal): AsyncGenerator<Step> {
      for await (const step of plain({ student, stream, numSteps, accumulate, signal }))
        yield { ...step, distillWeight };
    },
    save: () => ({ info: {}, arrays: {} }),
  }),
};
