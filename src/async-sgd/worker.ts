/** A worker of asynchronous SGD: it computes gradients by params that it is sent, and sends them back. */
import { soleWorker } from "../comm/communicator.js";
import type { Letter, Mail } from "../comm/mail.js";
import { isSameCursor, nextBatches, type Stream } from "../data/stream.js";
import type { Engine } from "../engine/engine.js";
import { weightSpecs } from "../nn/model.js";
import { type NamedArrays, scalar } from "../runtime/array.js";
import type { Key } from "../runtime/random.js";
import { gradientNormGraph, type Learner, stateNames, sumSpecs, weightState } from "../train/graphs.js";
import { programCache } from "../train/program-cache.js";
import { splitStepper } from "../train/stepper.js";
import { partsOf } from "../train/student.js";
import { teacherTensors } from "../train/teacher-precision.js";
import { work } from "./async-sgd.js";
import { type Gradient, gradientLetter, type Params, pullLetter, readParams, readTeacher } from "./letters.js";

export interface GradientOptions {
  readonly engine: Engine;
  /** The same as the leader's. */
  readonly learner: Learner;
  /** The batches of the group, of which this worker reads those that it is dealt. */
  readonly stream: Pick<Stream, "next" | "cursor" | "goTo">;
  /** The key of the leader's student. */
  readonly key: Key;
  /** Batches of one gradient. */
  readonly accumulate: number;
}

export interface Gradients {
  /** Have a teacher in a slot, whose weights never change again. */
  teach(slot: number, weights: NamedArrays): Promise<void>;
  /** The gradient of a batch by params. Its arrays are valid until the next call. */
  of(params: Params): Promise<Omit<Gradient, "compute" | "wait">>;
  close(): Promise<void>;
}

/** Gradients on an engine. A gradient of several batches is their mean, as in a step of `accumulate` batches. */
export function gradients({ engine, learner, stream, key, accumulate }: GradientOptions): Gradients {
  // The half of a step before the update, which the servers make.
  const stepper = splitStepper(engine, learner, { comm: soleWorker(), updater: null });
  const programs = programCache(engine);
  const sumNames = Object.keys(sumSpecs(learner.model));
  return {
    teach: (slot, weights) => engine.write(teacherTensors(learner, slot, weights), { memory: "lent" }),
    async of({ batch, cursor, weights, numTeachers, distillWeight }) {
      await engine.write(weights);
      if (!isSameCursor(stream.cursor, cursor)) stream.goTo(cursor);
      const batches = await nextBatches(stream, accumulate);
      const parts = partsOf(learner, batches, { seed: key, step: batch, numTeachers });
      const { record } = await stepper.run({ parts, numTeachers, distillWeight, scalars: {} });
      const norm = await programs.get("norm", () => gradientNormGraph(learner));
      const { squaredGradNorm = scalar(Number.NaN) } = await norm.run({});
      const sums = await engine.share(sumNames);
      const loss = Number(sums[stateNames.lossSum]?.data[0]);
      const said = [...record, ["squaredGradNorm", Number(squaredGradNorm.data[0])]] as [string, number][];
      // The sum of losses may be too large for float32 where none of them is, and no server would update by it.
      return { batch, sums, record: new Map(Number.isFinite(loss) ? said : [...said, ["labelLoss", loss]]) };
    },
    async close() {
      await Promise.all([stepper.close(), programs.close()]);
    },
  };
}

/**
 * Be a worker of a group, until its leader says that this is the end.
 *
 * Throws {@link WorkerError} when the mail is broken, and what the engine and the stream throw.
 */
export async function workByMail(mail: Mail, options: GradientOptions): Promise<void> {
  const { model } = options.learner;
  const weights = weightState(model, weightSpecs(model));
  const own = gradients(options);

  /** The next letter with params, or null at the end; teachers that come before it are taken. */
  async function params(): Promise<Letter | null> {
    for (;;) {
      const { letter } = await mail.next();
      if (letter.kind === "end") return null;
      if (letter.kind === "params") return letter;
      const teacher = readTeacher(letter, weightSpecs(model));
      await own.teach(teacher.slot, teacher.weights);
    }
  }

  try {
    await work<Params & { readonly wait: number }, Gradient>({
      async pull() {
        const started = performance.now();
        mail.send(0, pullLetter);
        const letter = await params();
        return letter && { ...readParams(letter, weights), wait: secondsSince(started) };
      },
      async gradient({ wait, ...params }) {
        const started = performance.now();
        const gradient = await own.of(params);
        return { ...gradient, wait, compute: secondsSince(started) };
      },
      push: (gradient) => mail.send(0, gradientLetter(gradient)),
    });
  } finally {
    await own.close();
  }
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
