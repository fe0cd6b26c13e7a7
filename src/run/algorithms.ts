/** All algorithms by which a group can train: a new one is a file in `algorithms/` and a line in the table. */
import { z } from "zod";
import type { Schedule } from "../optim/schedules.js";
import type { Algorithm } from "../train/algorithm.js";
import { type FollowerOptions, follow } from "../train/follower.js";
import type { Distillation } from "../train/graphs.js";
import { asynchronousSgd } from "./algorithms/async-sgd.js";
import { codistillation } from "./algorithms/codistill.js";
import { controlRemark } from "./algorithms/control.js";
import type { AlgorithmContext, AlgorithmKind, Base, BaseContext, RunShape } from "./algorithms/kind.js";
import { diloco, localSgd } from "./algorithms/local-sgd.js";
import { mutualLearning } from "./algorithms/mutual.js";
import { plainTraining } from "./algorithms/plain.js";

const algorithms = {
  codistill: codistillation,
  plain: plainTraining,
  asyncSgd: asynchronousSgd,
  localSgd,
  diloco,
  mutual: mutualLearning,
};

/** The algorithm of a configuration that names none. */
export const DEFAULT_ALGORITHM = "codistill" satisfies keyof typeof algorithms;

type Kinds = typeof algorithms;
type Parsed = { [K in keyof Kinds]: z.output<Kinds[K]["schema"]> }[keyof Kinds];

/** How groups train, as a configuration gives it. */
export type AlgorithmInput = { [K in keyof Kinds]: z.input<Kinds[K]["schema"]> }[keyof Kinds];
/** An algorithm's options with defaults filled in, and shares of the run converted to steps. */
export type AlgorithmConfig = { [K in keyof Kinds]: ReturnType<Kinds[K]["inSteps"]> }[keyof Kinds];

/**
 * The kinds by name. A kind only takes its own options; that they belong to it follows from the configuration's `kind`.
 */
const kinds: Readonly<Record<AlgorithmConfig["kind"], AlgorithmKind<AlgorithmInput, Parsed, AlgorithmConfig>>> =
  algorithms;

export const algorithmSchema = z.union(
  Object.values(kinds).map(({ schema }) => schema),
  `must be ${Object.keys(kinds)
    .map((kind) => `{ kind: "${kind}", ... }`)
    .join(" or ")}`,
);

export function algorithmInSteps(parsed: Parsed, numSteps: number): AlgorithmConfig {
  return kinds[parsed.kind].inSteps(parsed, numSteps);
}

/** The algorithm of a run, as {@link AlgorithmKind} describes it. */
export function algorithmOf({
  algorithm,
  numSteps,
}: {
  readonly algorithm: AlgorithmConfig;
  readonly numSteps: number;
}) {
  const kind = kinds[algorithm.kind];
  return {
    problems: (run: RunShape): string[] => kind.problems(algorithm, run),
    declared: { algorithm: algorithm.kind, ...kind.declared(algorithm) },
    distillation: (batchSize: number): Distillation => kind.distillation(algorithm, batchSize),
    teachesFrom: kind.teachesFrom(algorithm),
    /** What is to be said of the run wherever it is seen, as it is a control; null of any other. */
    remark: controlRemark(algorithm),
    learningRate: (rate: Schedule, peak: number): Schedule =>
      kind.learningRate?.(algorithm, rate, { peak, numSteps }) ?? rate,
    base: async (context: BaseContext): Promise<Base | null> => kind.base?.(algorithm, context) ?? null,
    follow: (options: FollowerOptions): Promise<void> => (kind.follow ?? follow)(options),
    start: (context: AlgorithmContext): Algorithm => kind.start(algorithm, context),
  };
}

/**
 * A remark on shipped params of a step that no other group has taught; null where one has, or where the algorithm never teaches.
 * `taughtFrom` is the first step in which the group had a teacher; null without one.
 */
export function untaughtRemark(
  config: { readonly algorithm: AlgorithmConfig; readonly numGroups: number; readonly numSteps: number },
  step: number,
  taughtFrom: number | null,
): string | null {
  const { teachesFrom } = algorithmOf(config);
  if (config.numGroups === 1 || teachesFrom === null) return null;
  const untaught = `no other group has taught the shipped params: they are of step ${step}, the best by validation, and`;
  if (step <= teachesFrom) {
    return (
      `${untaught} groups teach one another from step ${teachesFrom} on. Let them begin earlier (algorithm.burnInSteps), ` +
      "or learn more slowly (optimizer.learningRate)."
    );
  }
  if (taughtFrom !== null && taughtFrom < step) return null;
  const found =
    taughtFrom === null ? "the group never had a teacher" : `the group had its first teacher in step ${taughtFrom}`;
  return (
    `${untaught} ${found}, though groups teach one another from step ${teachesFrom} on: it found no snapshot of another group before. ` +
    "Let groups publish and look for snapshots more often (publishInterval, exchangeInterval), train for more steps, or see in the logs why another group was late."
  );
}
