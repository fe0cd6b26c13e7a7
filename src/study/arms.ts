/** The arms of a comparison: ways to train one configuration, as changes of it. */

import type { DataRegime } from "../data/shard.js";
import { ConfigError } from "../errors.js";
import { nearest } from "../nearest.js";
import type { RunConfig } from "../run/schema.js";

/** One way to train. */
export interface Arm {
  readonly name: string;
  /** In a few words. */
  readonly what: string;
  /** What it changes in the configuration, each a path and a value as `--set` has them. */
  readonly options: readonly string[];
  /** The arm whose groups this one is the mean of: it trains nothing by itself. */
  readonly ensembleOf?: string | undefined;
  /** The one seed that it is trained with, whatever the seeds of the others are. */
  readonly seed?: number | undefined;
  /** The arm of one seed to whose model it stays close. */
  readonly closeTo?: string | undefined;
}

/** The arm that others are compared with unless another is named, and whose groups make the ensemble. */
export const SINGLE = "single";
const ENSEMBLE = "ensemble";
export const TWICE = "twice-the-batch";
/** The model to whose predictions anchored arms stay close, trained once. */
export const IN_USE = "in-use";
/** Its seed, which no other arm has beside it: as in life, nothing of the draws is the same. */
const IN_USE_SEED = 0;

/** The arms that arms cannot do without, which are trained before them. */
const needed: Readonly<Record<string, string>> = { [ENSEMBLE]: SINGLE, anchored: IN_USE };

/** What arms of smoothing and of the confidence penalty set, where nothing was tuned (Szegedy et al. 2016; Pereyra et al. 2017). */
const AMOUNT = 0.1;
const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;
const ALONE = 'algorithm={"kind":"plain"}';

type Make = (config: RunConfig, numGroups: number) => Omit<Arm, "name">;

/** Several groups, by default each on its part of the data, whatever the configuration says of one group or of several. */
const groupsOf = (numGroups: number, regime: DataRegime = "disjoint") => [
  `numGroups=${numGroups}`,
  `data.regime=${regime}`,
];
const ONE_GROUP = ["numGroups=1", "data.regime=all"];
const exchanging = (config: RunConfig) =>
  config.algorithm.kind === "codistill" ? [] : ['algorithm={"kind":"codistill"}'];

/** Codistillation with something else that teaches: its gain must vanish. */
function control(name: "random" | "shuffled" | "own", teachers: string): Make {
  return (config, n) => ({
    what: `a control: as codistilled, but taught by ${teachers}`,
    options: [...groupsOf(n), ...exchanging(config), `algorithm.control=${name}`],
  });
}

const LOCAL_STEPS = 50;

/** As many steps as there are between two snapshots, so that groups that codistil send as much. */
function localSteps({ algorithm, numSteps }: RunConfig): number {
  const own = algorithm.kind === "codistill" ? algorithm.publishInterval : LOCAL_STEPS;
  return Math.min(typeof own === "number" ? own : LOCAL_STEPS, numSteps);
}

function local(kind: "localSgd" | "diloco", config: RunConfig, n: number): string[] {
  const algorithm = JSON.stringify({ kind, localSteps: localSteps(config) });
  return [...ONE_GROUP, `workers=${n}`, `globalBatchSize=${n * config.globalBatchSize}`, `algorithm=${algorithm}`];
}

/** A task with more options; numbers have no classes to smooth over. */
function withTask(config: RunConfig, name: string, more: object): string {
  if (config.task.kind === "regression") {
    throw new ConfigError(
      `arm ${name}: is of the probabilities of classes or tokens, which a label that is a number (task "regression") has none of. Leave the arm out.`,
    );
  }
  return `task=${JSON.stringify({ ...config.task, ...more })}`;
}

/** Nothing to set: the model in use is known once it is trained. Throws {@link ConfigError} of data whose models have no anchors. */
function anchorable({ data }: RunConfig): string[] {
  if (data.kind !== "images") return [];
  throw new ConfigError(
    "arm anchored: stays close to a model in use, which networks of images cannot yet (teachers). Leave the arm out.",
  );
}

const known: Readonly<Record<string, Make>> = {
  [SINGLE]: (_, n) => ({
    what: `${n} groups that train alone, each on its part of the data`,
    options: [...groupsOf(n), ALONE],
  }),
  "single-all": () => ({ what: "one group that trains alone, on all data", options: [...ONE_GROUP, ALONE] }),
  [TWICE]: ({ globalBatchSize }, n) => ({
    what: `one group on all data, with ${n} times the batch and the same learning rate`,
    options: [...ONE_GROUP, `globalBatchSize=${n * globalBatchSize}`, ALONE],
  }),
  "twice-the-steps": ({ numSteps }, n) => ({
    what: `one group on all data, over ${n} times the steps`,
    options: [...ONE_GROUP, `numSteps=${n * numSteps}`, ALONE],
  }),
  codistilled: (config, n) => ({
    what: `${n} groups that codistil, each on its part of the data`,
    options: [...groupsOf(n), ...exchanging(config)],
  }),
  "codistilled-all": (config, n) => ({
    what: `${n} groups that codistil, all on all data in orders of their own`,
    options: [...groupsOf(n, "all"), ...exchanging(config)],
  }),
  "same-data": (config, n) => ({
    what: `${n} groups that codistil, all on the part of the first`,
    options: [...groupsOf(n, "same"), ...exchanging(config)],
  }),
  "control-random": control("random", "teachers of random weights, which never learn"),
  "control-shuffled": control("shuffled", "what the others predict for the next row of the batch"),
  "control-own": control("own", "their own copies of before"),
  mutual: (_, n) => ({
    what: `one group of ${n} students that learn from one another on the same batches of all data (deep mutual learning)`,
    options: [...ONE_GROUP, `algorithm={"kind":"mutual","students":${n}}`],
  }),
  "local-sgd": (config, n) => ({
    what: `${n} workers, each with the batch, whose params become their mean every ${localSteps(config)} steps`,
    options: local("localSgd", config, n),
  }),
  diloco: (config, n) => ({
    what: "as local-sgd, with an outer step along what the workers moved",
    options: local("diloco", config, n),
  }),
  [ENSEMBLE]: (_, n) => ({
    what: `the mean of the ${n} groups of ${SINGLE}, at ${n} times the cost of serving`,
    options: [],
    ensembleOf: SINGLE,
  }),
  [IN_USE]: (_, n) => ({
    what: `the model in use, to which anchored models stay close: as ${SINGLE}, with seed ${IN_USE_SEED} alone`,
    options: [...groupsOf(n), ALONE],
    seed: IN_USE_SEED,
  }),
  anchored: (config, n) => ({
    what: `as ${SINGLE}, but half of the label loss is against what the model in use predicts`,
    options: [...groupsOf(n), ALONE, ...anchorable(config)],
    closeTo: IN_USE,
  }),
  "uniform-smoothing": (config, n) => ({
    what: `as ${SINGLE}, with uniform label smoothing of ${AMOUNT}, not tuned`,
    options: [
      ...groupsOf(n),
      ALONE,
      withTask(config, "uniform-smoothing", { labelSmoothing: { amount: AMOUNT, prior: "uniform" } }),
    ],
  }),
  "unigram-smoothing": (config, n) => ({
    what: `as ${SINGLE}, with label smoothing of ${AMOUNT} towards the frequencies of the labels, not tuned`,
    options: [
      ...groupsOf(n),
      ALONE,
      withTask(config, "unigram-smoothing", { labelSmoothing: { amount: AMOUNT, prior: "unigram" } }),
    ],
  }),
  "confidence-penalty": (config, n) => ({
    what: `as ${SINGLE}, with a confidence penalty of ${AMOUNT}, not tuned`,
    options: [...groupsOf(n), ALONE, withTask(config, "confidence-penalty", { confidencePenalty: AMOUNT })],
  }),
};

/** The arms that can be named. */
export const armNames: readonly string[] = Object.keys(known);

/** The arms of a comparison that names none. */
export const DEFAULT_ARMS: readonly string[] = [SINGLE, TWICE, "codistilled", "ensemble"];

/** How many groups the arms with several have: those of the configuration, two at least. */
export function numGroupsOf({ numGroups }: Pick<RunConfig, "numGroups">): number {
  return Math.max(2, numGroups);
}

/**
 * An arm of one's own, written as name:--set path=value, with as many --set as it takes.
 *
 * Throws {@link ConfigError} for another form.
 */
export function parseArm(text: string): Arm {
  const [, name = "", rest = ""] = /^([^:]*):(.*)$/s.exec(text) ?? [];
  const parts = ` ${rest.trim()}`.split(/\s--set[\s=]+/);
  const [before = "", ...options] = parts.map((part) => part.trim());
  if (name === "" || before !== "" || options.length === 0 || options.some((option) => !/^[^=\s]+=/.test(option))) {
    throw new ConfigError(
      `--arm is a name and what it sets, as in --arm "slow:--set optimizer.learningRate=0.001 --set numSteps=100", got "${text}"`,
    );
  }
  if (!NAME.test(name)) {
    throw new ConfigError(
      `--arm: a name has up to 40 lower-case letters, digits and dashes, as it names folders, got "${name}"`,
    );
  }
  if (Object.hasOwn(known, name)) {
    throw new ConfigError(`--arm: ${name} is an arm that --arms knows already. Name yours otherwise.`);
  }
  return { name, what: options.join(", "), options };
}

/**
 * The names of the arms of a comparison: those that are named, then one's own. An ensemble brings the arm that it is the mean of,
 * before it, and an anchored arm the model in use. They are known before any configuration is.
 *
 * Throws {@link ConfigError} for an unknown name, an arm that is there twice, and for fewer than `least`.
 */
export function namesOfArms(names: readonly string[], own: readonly Arm[], least = 2): string[] {
  const unknown = names.find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined) throw unknownArm(unknown);
  const named = names.flatMap((name) => {
    const before = needed[name];
    return before === undefined || names.includes(before) ? [name] : [before, name];
  });
  const all = [...named, ...own.map(({ name }) => name)];
  const twice = all.find((name, i) => all.indexOf(name) !== i);
  if (twice !== undefined) throw new ConfigError(`arms: ${twice} is there twice. Each has a name of its own.`);
  if (all.length < least) {
    throw new ConfigError(
      `a comparison is of two arms or more, got ${all.join(", ") || "none"}. Name another with --arms or --arm.`,
    );
  }
  return all;
}

/** The arms of {@link namesOfArms}. Throws what that throws, and {@link ConfigError} for an arm that a task has no use for. */
export function chosenArms(names: readonly string[], own: readonly Arm[], config: RunConfig, least = 2): Arm[] {
  return namesOfArms(names, own, least).flatMap((name) => {
    const make = Object.hasOwn(known, name) ? known[name] : undefined;
    const arm = make ? { name, ...make(config, numGroupsOf(config)) } : own.find((one) => one.name === name);
    return arm ?? [];
  });
}

function unknownArm(name: string): ConfigError {
  const near = nearest(name, armNames);
  return new ConfigError(
    `--arms: must be of ${armNames.join(", ")}, got "${name}"${near === undefined ? "." : `; did you mean ${near}?`} One of your own is written as --arm "name:--set path=value".`,
  );
}
