/** Asynchronous SGD with parameter servers, in a configuration and in a run. */
import { z } from "zod";
import { dealer, dealtSchema } from "../../async-sgd/dealer.js";
import { parameterServers } from "../../async-sgd/servers.js";
import { type AsyncStudent, asyncStudent } from "../../async-sgd/student.js";
import { type Section, sectionInfo } from "../../checkpoint/checkpoint.js";
import { linearSchedule } from "../../optim/schedules.js";
import type { Algorithm, Step } from "../../train/algorithm.js";
import type { Documented } from "../documented.js";
import { type StepsOrShare, stepsOf, stepsOrShare } from "../steps.js";
import { type CodistillInput, codistillation, codistillSchema } from "./codistill.js";
import type { AlgorithmContext, AlgorithmKind, Base, BaseContext, RunShape } from "./kind.js";
import { plainTraining } from "./plain.js";

/**
 * Asynchronous SGD (Dean et al. 2012): each of a group's `workers` computes gradients of batches of its own, by the params that it
 * last had; parameter servers apply every gradient as it comes. A step is one gradient of one worker. Groups train apart, unless
 * `codistill` is given.
 *
 * @example
 * { kind: "asyncSgd", servers: 2, rampUp: { steps: "10%" }, staleLearningRate: "inverse", codistill: { burnInSteps: "20%" } }
 */
export interface AsyncSgdInput {
  readonly kind: "asyncSgd";
  /** Over how many servers the params are spread, each with an engine on a thread of its own; 1 by default. */
  readonly servers?: number | undefined;
  /**
   * Let workers begin one after the other: `from` (1 by default) at first, and all after `steps`, a number or a share of
   * `numSteps`. All at once by default.
   */
  readonly rampUp?: { readonly from?: number | undefined; readonly steps: StepsOrShare } | undefined;
  /** The most updates that may be made between a worker's pull of the params and the update by its gradient; no bound by default. */
  readonly maxStaleness?: number | undefined;
  /** "same" (default): the learning rate of the step; "inverse": divided by 1 + the staleness of the gradient. */
  readonly staleLearningRate?: "same" | "inverse" | undefined;
  /** Let the groups teach one another, with these options of codistillation; `{}` for its defaults. */
  readonly codistill?: CodistillInput | undefined;
}

const schema = z.strictObject({
  kind: z.literal("asyncSgd"),
  servers: z.int().min(1).max(64).default(1),
  rampUp: z.strictObject({ from: z.int().positive().default(1), steps: stepsOrShare }).optional(),
  maxStaleness: z.int().nonnegative().optional(),
  staleLearningRate: z.enum(["same", "inverse"]).default("same"),
  codistill: codistillSchema.optional(),
});

type Parsed = z.output<typeof schema>;
type Options = ReturnType<typeof inSteps>;

function inSteps({ codistill, rampUp, ...rest }: Parsed, numSteps: number) {
  return {
    ...rest,
    ...(rampUp && { rampUp: { from: rampUp.from, steps: stepsOf(rampUp.steps, numSteps) } }),
    ...(codistill && { codistill: codistillation.inSteps(codistill, numSteps) }),
  };
}

function problemsOf({ servers, rampUp, codistill }: Options, run: RunShape): string[] {
  const problems = (codistill ? codistillation.problems(codistill, { ...run, workers: 1 }) : []).map((problem) =>
    problem.replace(/algorithm\./g, "algorithm.codistill."),
  );
  if (codistill?.consolidate) {
    problems.push(
      'algorithm.codistill.consolidate: is not for "asyncSgd", where gradients of before a step arrive after it; leave it out, or use algorithm "codistill"',
    );
  }
  const { workers, record, device = "cpu", model, optimizer } = run;
  if (rampUp && rampUp.from > workers)
    problems.push(`algorithm.rampUp.from: must be at most workers (${workers}), got ${rampUp.from}`);
  if (servers > 1 && optimizer.clip?.norm !== undefined) {
    problems.push(
      `algorithm.servers: must be 1 with optimizer.clip.norm, as no server has the norm of the whole gradient, got ${servers}; or clip by value`,
    );
  }
  if (optimizer.sparseParams?.length) {
    problems.push(
      'optimizer.sparseParams: must be left out with algorithm "asyncSgd", whose workers send gradients of whole tables',
    );
  }
  if (model.kind === "lstm") {
    problems.push(
      'algorithm.kind: must not be "asyncSgd" with an LSTM, whose state goes from batch to batch, while each batch here goes to another worker; use model.kind "transformer", or algorithm "codistill" or "plain"',
    );
  }
  if (device !== "cpu")
    problems.push(`device: must be "cpu" with algorithm "asyncSgd", whose servers share memory, got "${device}"`);
  if (record) {
    problems.push(
      'record: must be false with algorithm "asyncSgd", whose gradients come in an order of their own, so that no run repeats another',
    );
  }
  return problems;
}

const savedSchema = z.object({
  dealt: dealtSchema,
  staleness: z.array(z.int().nonnegative()).max(256),
  /** The section of the algorithm on top. */
  inner: z.unknown(),
});

/** The workers and servers, and the student whose steps are theirs. */
async function base(
  options: Options,
  { engine, learner, accumulate, workers, startServers }: BaseContext,
): Promise<Base> {
  const { servers: numServers, rampUp, maxStaleness, staleLearningRate } = options;
  const { mail, engines } = await startServers(numServers);
  const active = rampUp ? linearSchedule(rampUp.from, workers, rampUp.steps) : () => workers;
  const student = asyncStudent({
    ...{ engine, learner, mail, accumulate, maxStaleness, staleLearningRate },
    servers: parameterServers(engine, engines, learner),
    activeAt: (step) => Math.floor(active(step)),
  });
  return {
    student,
    open(source, section, fromStep) {
      const saved = section && sectionInfo(section, "algorithm", savedSchema);
      const batches = dealer(source, accumulate, saved?.dealt ?? { next: fromStep, again: [] });
      student.begin(batches, saved?.staleness ?? []);
      return batches.stream;
    },
  };
}

/** Plain training or codistillation by the steps of the base. */
function start(options: Options, context: AlgorithmContext): Algorithm {
  const { saved, group, log } = context;
  // The student is that of the base.
  const student = context.student as AsyncStudent;
  const inner = saved && { ...saved, info: sectionInfo(saved, "algorithm", savedSchema).inner };
  const algorithm = options.codistill
    ? codistillation.start(options.codistill, { ...context, saved: inner })
    : plainTraining.start({ kind: "plain" }, { ...context, saved: inner });
  async function* steps(signal: AbortSignal): AsyncGenerator<Step> {
    try {
      yield* algorithm.steps(signal);
    } finally {
      log({ event: "staleness", group, step: student.step, counts: student.staleness() });
    }
  }
  return {
    ...algorithm,
    steps,
    save(): Section {
      const { info, arrays } = algorithm.save();
      return { info: { dealt: student.dealt(), staleness: student.staleness(), inner: info }, arrays };
    },
  };
}

export const asynchronousSgd: AlgorithmKind<AsyncSgdInput, Parsed, Options> = {
  schema: schema satisfies Documented<typeof schema, AsyncSgdInput>,
  inSteps,
  problems: problemsOf,
  declared: ({ codistill }) => (codistill ? codistillation.declared(codistill) : {}),
  distillation: ({ codistill }, batchSize) => (codistill ? codistillation.distillation(codistill, batchSize) : {}),
  teachesFrom: ({ codistill }) => (codistill ? codistillation.teachesFrom(codistill) : null),
  base,
  start,
};
