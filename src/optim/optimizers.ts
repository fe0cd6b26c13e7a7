/** Ready-made optimizers: chains of the parts beside this file. `docs/optimizers.md` compares them. */
import { clipByGlobalNorm, clipByRms, clipByValue } from "./clip.js";
import {
  addDecay,
  type DecayOptions,
  type LarsRatioOptions,
  scaleByLarsRatio,
  scaleByParamRms,
  scaleByTrustRatio,
} from "./decay.js";
import { type FactoredOptions, scaleByFactoredRms } from "./factored.js";
import {
  type AdagradOptions,
  type AdamOptions,
  addMomentum,
  type LionOptions,
  type MomentumOptions,
  type RmsOptions,
  scaleByAdagrad,
  scaleByAdam,
  scaleByLion,
  scaleByRms,
} from "./moments.js";
import { type MuonOptions, scaleByMuon } from "./muon.js";
import type { Selection } from "./patterns.js";
import type { Schedule } from "./schedules.js";
import { touchingRows } from "./sparse-updates.js";
import { chain, type GradientTransformation, scaleByLearningRate, scaleByPattern } from "./transformations.js";

/** Options of every optimizer. */
export interface CommonOptions {
  /** Bounds on the gradient, before anything else: of each element, then of the norm over all params. */
  readonly clip?: { readonly value?: number | undefined; readonly norm?: number | undefined };
  /** Multiples of the learning rate by pattern on the names of params; the first that matches counts. */
  readonly multipliers?: Readonly<Record<string, number>> | undefined;
  /**
   * Names or patterns of params with sparse updates: a step changes only the rows that its batch reads
   * ({@link touchingRows}).
   */
  readonly sparseParams?: readonly string[] | undefined;
}

/** Options of optimizers that take weight decay. */
export interface WithDecay extends CommonOptions {
  readonly decay?: DecayOptions | undefined;
}

/** Stochastic gradient descent, with momentum or Nesterov's if asked for: torch.optim.SGD. Decay is coupled. */
export function sgd(learningRate: Schedule, options: MomentumOptions & WithDecay = {}): GradientTransformation {
  const moving = options.momentum ? [addMomentum(options)] : [];
  return assemble(options, [...decayOf(options.decay), ...moving, scaleByLearningRate(learningRate)]);
}

/** Adagrad: torch.optim.Adagrad. Decay is coupled. */
export function adagrad(learningRate: Schedule, options: AdagradOptions & WithDecay = {}): GradientTransformation {
  return assemble(options, [...decayOf(options.decay), scaleByAdagrad(options), scaleByLearningRate(learningRate)]);
}

/** RMSProp, with momentum on the scaled gradient if asked for: torch.optim.RMSprop. Decay is coupled. */
export function rmsprop(
  learningRate: Schedule,
  options: RmsOptions & Pick<MomentumOptions, "momentum"> & WithDecay = {},
): GradientTransformation {
  const { momentum } = options;
  const moving = momentum ? [addMomentum({ momentum })] : [];
  return assemble(options, [
    ...decayOf(options.decay),
    scaleByRms(options),
    ...moving,
    scaleByLearningRate(learningRate),
  ]);
}

/** Adam: torch.optim.Adam. Decay is coupled. */
export function adam(learningRate: Schedule, options: AdamOptions & WithDecay = {}): GradientTransformation {
  return assemble(options, [...decayOf(options.decay), scaleByAdam(options), scaleByLearningRate(learningRate)]);
}

/** Adam with decoupled decay (Loshchilov and Hutter 2019, Algorithm 2), of 0.01 by default: torch.optim.AdamW. */
export function adamW(learningRate: Schedule, options: AdamOptions & WithDecay = {}): GradientTransformation {
  const { decay = { rate: 0.01 } } = options;
  return assemble(options, [scaleByAdam(options), ...decayOf(decay), scaleByLearningRate(learningRate)]);
}

export interface LambOptions extends AdamOptions, WithDecay {
  /** Params that are scaled by the trust ratio, all by default; the others take Adam's step as it is. */
  readonly trust?: Selection | undefined;
}

/** LAMB (You et al. 2020, Algorithm 2): Adam's step with decay, 0.01 by default, scaled to the norm of the param. */
export function lamb(learningRate: Schedule, options: LambOptions = {}): GradientTransformation {
  const { decay = { rate: 0.01 }, epsilon = 1e-6, trust } = options;
  return assemble(options, [
    scaleByAdam({ ...options, epsilon }),
    ...decayOf(decay),
    scaleByTrustRatio(trust),
    scaleByLearningRate(learningRate),
  ]);
}

/** LARS (You, Gitman and Ginsburg 2017, Algorithm 1): a rate for each param, then momentum, 0.9 by default. */
export function lars(
  learningRate: Schedule,
  options: LarsRatioOptions & Pick<MomentumOptions, "momentum"> & CommonOptions = {},
): GradientTransformation {
  const { momentum = 0.9 } = options;
  return assemble(options, [scaleByLarsRatio(options), scaleByLearningRate(learningRate), addMomentum({ momentum })]);
}

/** Lion (Chen et al. 2023, Algorithm 2). Decay is decoupled. */
export function lion(learningRate: Schedule, options: LionOptions & WithDecay = {}): GradientTransformation {
  return assemble(options, [scaleByLion(options), ...decayOf(options.decay), scaleByLearningRate(learningRate)]);
}

/** Muon for matrices and Adam for all else, with decoupled decay, of 0.01 by default ({@link scaleByMuon}). */
export function muon(learningRate: Schedule, options: MuonOptions & WithDecay = {}): GradientTransformation {
  const { decay = { rate: 0.01 } } = options;
  return assemble(options, [scaleByMuon(options), ...decayOf(decay), scaleByLearningRate(learningRate)]);
}

export interface AdafactorOptions extends FactoredOptions, WithDecay {
  /** Bound on the root mean square of a param's update; 1 by default. */
  readonly maxRms?: number | undefined;
  /** Whether the learning rate is relative to the root mean square of the param; true by default. */
  readonly isRelative?: boolean | undefined;
  /** Least value that a param's root mean square counts as; 1e-3 by default. */
  readonly minRms?: number | undefined;
}

/** Adafactor (Shazeer and Stern 2018, Algorithms 4 and 5), whose learning rate is the paper's rho. Decay is decoupled. */
export function adafactor(learningRate: Schedule, options: AdafactorOptions = {}): GradientTransformation {
  const { maxRms = 1, isRelative = true, minRms = 1e-3 } = options;
  return assemble(options, [
    scaleByFactoredRms(options),
    clipByRms(maxRms),
    ...(isRelative ? [scaleByParamRms(minRms)] : []),
    ...decayOf(options.decay),
    scaleByLearningRate(learningRate),
  ]);
}

/** The chain of an optimizer's parts: bounds on the gradient before them, factors of the learning rate after them. */
function assemble(
  { clip = {}, multipliers, sparseParams = [] }: CommonOptions,
  parts: readonly GradientTransformation[],
): GradientTransformation {
  const whole = chain(
    ...(clip.value === undefined ? [] : [clipByValue(clip.value)]),
    ...(clip.norm === undefined ? [] : [clipByGlobalNorm(clip.norm)]),
    ...parts,
    ...(multipliers ? [scaleByPattern(multipliers)] : []),
  );
  return sparseParams.length > 0 ? touchingRows(whole, sparseParams) : whole;
}

function decayOf(decay: DecayOptions | undefined): GradientTransformation[] {
  return decay && decay.rate > 0 ? [addDecay(decay)] : [];
}
