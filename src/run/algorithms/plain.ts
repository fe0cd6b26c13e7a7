/** Plain training in a configuration and in a run. */
import { z } from "zod";
import { plain } from "../../baselines/plain.js";
import type { Documented } from "../documented.js";
import type { AlgorithmKind } from "./kind.js";

/** Plain training: groups train apart, each on its own part of the data, and exchange nothing. */
export interface PlainInput {
  readonly kind: "plain";
}

const schema = z.strictObject({ kind: z.literal("plain") });

type Options = z.output<typeof schema>;

export const plainTraining: AlgorithmKind<PlainInput, Options, Options> = {
  schema: schema satisfies Documented<typeof schema, PlainInput>,
  inSteps: (options) => options,
  problems: () => [],
  declared: () => ({}),
  distillation: () => ({}),
  teachesFrom: () => null,
  start: (_, { student, stream, numSteps, accumulate }) => ({
    prepare: () => student.prepare(0, accumulate),
    steps: (signal) => plain({ student, stream, numSteps, accumulate, signal }),
    save: () => ({ info: {}, arrays: {} }),
  }),
};
