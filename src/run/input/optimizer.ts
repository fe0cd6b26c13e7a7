/** Options of a configuration's optimizer; docs/optimizers.md gives rules, sources and defaults. */

import type { StepsOrShare } from "../steps.js";

/** The learning rate stays the same. */
export interface ConstantScheduleInput {
  readonly kind: "constant";
}

/** The learning rate falls to a share of itself, in a straight line ("linear") or along half a cosine ("cosine"). */
export interface FallingScheduleInput<K extends "linear" | "cosine"> {
  readonly kind: K;
  /** Where it ends, as a share of the learning rate; 0 by default. */
  readonly to?: number | undefined;
  /** How long it takes, from the end of the warm-up; to the end of the run by default. */
  readonly steps?: StepsOrShare | undefined;
}

/** The learning rate is multiplied by a factor at given steps. */
export interface StepScheduleInput {
  readonly kind: "step";
  /** The steps, from the end of the warm-up. */
  readonly at: readonly StepsOrShare[];
  /** 0.1 by default. */
  readonly factor?: number | undefined;
}

/** The learning rate times factor^(step / every). */
export interface ExponentialScheduleInput {
  readonly kind: "exponential";
  /** Above 0, at most 1. */
  readonly factor: number;
  /** The number of steps in which the learning rate is multiplied by `factor` once. */
  readonly every: StepsOrShare;
}

/** The learning rate is constant for `steps` steps, then falls with the inverse square root of the number of steps. */
export interface InverseSquareRootScheduleInput {
  readonly kind: "inverseSquareRoot";
  /** How many steps it is constant for; 10,000 by default. */
  readonly steps?: StepsOrShare | undefined;
}

/** The learning rate rises to its peak and falls again, along half a cosine each way. */
export interface OneCycleScheduleInput {
  readonly kind: "oneCycle";
  /** The step of the peak; "30%" by default. */
  readonly peakAt?: StepsOrShare | undefined;
  /** Where it begins, as a share of the learning rate; 1/25 by default. */
  readonly from?: number | undefined;
  /** Where it ends, as a share of where it began; 1e-4 by default. */
  readonly to?: number | undefined;
  /** How long it takes, from the end of the warm-up; to the end of the run by default. */
  readonly steps?: StepsOrShare | undefined;
}

/** The learning rate by step, counted from the end of the warm-up: a schedule by name, or with options. */
export type ScheduleInput =
  | "constant"
  | "linear"
  | "cosine"
  | ConstantScheduleInput
  | FallingScheduleInput<"linear">
  | FallingScheduleInput<"cosine">
  | StepScheduleInput
  | ExponentialScheduleInput
  | InverseSquareRootScheduleInput
  | OneCycleScheduleInput;

/** Weight decay with exceptions. */
export interface WeightDecayOptionsInput {
  /**
   * The decay lambda: lambda x param is added to the gradient (adam, sgd, adagrad, rmsprop, lars), or to the update
   * before it is multiplied by the learning rate (the others).
   */
  readonly rate: number;
  /** Other rates by pattern on the names of params, for example { "embeddings.*": 2 }; the first that matches counts. Not of lars. */
  readonly rates?: Record<string, number> | undefined;
  /** Patterns of params that do not decay, for example "*.bias"; none by default. */
  readonly except?: readonly string[] | undefined;
}

/** Weight decay: a rate for all params, or `{ rate, rates, except }`. */
export type WeightDecayInput = number | WeightDecayOptionsInput;

/** Options of every optimizer. */
export interface CommonOptimizerInput {
  /** The learning rate, before `schedule` and `warmUp` change it by step. */
  readonly learningRate: number;
  /**
   * The `globalBatchSize` that `learningRate` is meant for: with another one the learning rate grows in proportion
   * ("linear", the default) or with the square root of the ratio ("squareRoot"). Larger batches also want a `warmUp`.
   */
  readonly forBatch?: { readonly rows: number; readonly rule?: "linear" | "squareRoot" | undefined } | undefined;
  /** How the learning rate changes; "linear" to 0 by default. */
  readonly schedule?: ScheduleInput | undefined;
  /**
   * Steps before the schedule begins, in which the learning rate rises in a straight line from 0, or from the share
   * `from` of its first value.
   */
  readonly warmUp?: StepsOrShare | { readonly steps: StepsOrShare; readonly from?: number | undefined } | undefined;
  /** Bounds on the gradient: on each value, and on the norm over all params. */
  readonly clip?: { readonly value?: number | undefined; readonly norm?: number | undefined } | undefined;
  /**
   * Pattern of param names to a factor of the learning rate, for example { "embeddings.*": 0.5 }; the first pattern
   * that matches a param counts.
   */
  readonly multipliers?: Record<string, number> | undefined;
  /**
   * Patterns of embedding tables, for example ["embeddings.*"], in which a step changes only the rows that its batch
   * reads; none by default.
   */
  readonly sparseParams?: readonly string[] | undefined;
}

interface Decaying {
  /** Weight decay: a rate for all params, or `{ rate, except }` for all but some. */
  readonly weightDecay?: WeightDecayInput | undefined;
}

interface Moments {
  /** Decay of the mean of the gradient; 0.9 by default. */
  readonly beta1?: number | undefined;
  /** Decay of the mean of the squared gradient; 0.999 by default. */
  readonly beta2?: number | undefined;
  /** Added to the root of that mean, so that nothing is divided by 0; 1e-8 by default, and 1e-6 for lamb. */
  readonly epsilon?: number | undefined;
}

/** Adam (Kingma and Ba 2015). */
export interface AdamInput extends CommonOptimizerInput, Decaying, Moments {
  readonly kind: "adam";
}

/** Adam with decoupled weight decay, 0.01 by default (Loshchilov and Hutter 2019). */
export interface AdamWInput extends CommonOptimizerInput, Decaying, Moments {
  readonly kind: "adamW";
}

/** Stochastic gradient descent. */
export interface SgdInput extends CommonOptimizerInput, Decaying {
  readonly kind: "sgd";
  /** Share of the last update that the next one keeps; none by default. */
  readonly momentum?: number | undefined;
  /** Whether to use Nesterov's momentum, which needs `momentum`; false by default. */
  readonly nesterov?: boolean | undefined;
}

/** Adagrad (Duchi et al. 2011). */
export interface AdagradInput extends CommonOptimizerInput, Decaying {
  readonly kind: "adagrad";
  /** 1e-10 by default. */
  readonly epsilon?: number | undefined;
  /** Initial value of the sums of squares; 0 by default. */
  readonly initialSum?: number | undefined;
}

/** RMSProp (Tieleman and Hinton 2012). */
export interface RmspropInput extends CommonOptimizerInput, Decaying {
  readonly kind: "rmsprop";
  /** Decay of the mean square; 0.99 by default. */
  readonly alpha?: number | undefined;
  /** 1e-8 by default. */
  readonly epsilon?: number | undefined;
  /** Share of the last update that the next one keeps; none by default. */
  readonly momentum?: number | undefined;
  /** Whether to divide by the root of the gradient's variance instead of its mean square; false by default. */
  readonly centred?: boolean | undefined;
}

/** LAMB (You et al. 2020), with a weight decay of 0.01 by default. */
export interface LambInput extends CommonOptimizerInput, Decaying, Moments {
  readonly kind: "lamb";
  /** Patterns of params that take Adam's step without the trust ratio; none by default. */
  readonly trustExcept?: readonly string[] | undefined;
}

/**
 * LARS (You et al. 2017), with a weight decay of 0.0005 by default. Params in `weightDecay.except`, such as norms and biases,
 * take the step of plain momentum, without the trust ratio too.
 */
export interface LarsInput extends CommonOptimizerInput, Decaying {
  readonly kind: "lars";
  /** 0.9 by default. */
  readonly momentum?: number | undefined;
  /** The trust coefficient; 0.001 by default. */
  readonly coefficient?: number | undefined;
}

/** Lion (Chen et al. 2023). */
export interface LionInput extends CommonOptimizerInput, Decaying {
  readonly kind: "lion";
  /** 0.9 by default. */
  readonly beta1?: number | undefined;
  /** 0.99 by default. */
  readonly beta2?: number | undefined;
}

/** Muon (Jordan et al. 2024) for matrices and Adam for all else, with a weight decay of 0.01 by default. */
export interface MuonInput extends CommonOptimizerInput, Decaying, Moments {
  readonly kind: "muon";
  /** Share of a matrix's last direction that the next one keeps; 0.95 by default. */
  readonly momentum?: number | undefined;
  /** Patterns of matrices that take Adam's step all the same, beside embeddings and the last layer of language models. */
  readonly adamFor?: readonly string[] | undefined;
}

/** Adafactor (Shazeer and Stern 2018). */
export interface AdafactorInput extends CommonOptimizerInput, Decaying {
  readonly kind: "adafactor";
  /** Whether the learning rate is relative to the root mean square of each param; true by default. */
  readonly relativeStep?: boolean | undefined;
  /** Bound on the root mean square of a step; 1 by default. */
  readonly maxRms?: number | undefined;
  /** A relative step takes the root mean square of a param as at least this; 1e-3 by default. */
  readonly minRms?: number | undefined;
  /** The decay of the mean of the squared gradient at step t is 1 - t^-decayExponent; 0.8 by default. */
  readonly decayExponent?: number | undefined;
  /** 1e-30 by default. */
  readonly epsilon?: number | undefined;
}

/** An optimizer and its options. */
export type OptimizerInput =
  | AdamInput
  | AdamWInput
  | SgdInput
  | AdagradInput
  | RmspropInput
  | LambInput
  | LarsInput
  | LionInput
  | MuonInput
  | AdafactorInput;
