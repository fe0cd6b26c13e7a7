/** What a configuration may say of its optimizer; docs/optimizers.md gives rules, sources and defaults. */

import type { StepsOrShare } from "../steps.js";

/** The learning rate as it is. */
export interface ConstantScheduleInput {
  readonly kind: "constant";
}

/** In a straight line, or along half a cosine, to a share of the learning rate. */
export interface FallingScheduleInput<K extends "linear" | "cosine"> {
  readonly kind: K;
  /** A share of the learning rate; 0 by default. */
  readonly to?: number | undefined;
  /** How long it takes, from the end of the warm-up; to the end of the run by default. */
  readonly steps?: StepsOrShare | undefined;
}

/** Times a factor at some steps. */
export interface StepScheduleInput {
  readonly kind: "step";
  /** The steps, from the end of the warm-up. */
  readonly at: readonly StepsOrShare[];
  /** 0.1 by default. */
  readonly factor?: number | undefined;
}

/** Times a factor in every so many steps, a little with each. */
export interface ExponentialScheduleInput {
  readonly kind: "exponential";
  /** Above 0, at most 1. */
  readonly factor: number;
  /** In so many steps. */
  readonly every: StepsOrShare;
}

/** Constant for some steps, then falling with the inverse square root of their number. */
export interface InverseSquareRootScheduleInput {
  readonly kind: "inverseSquareRoot";
  /** For how many it is constant; 10,000 by default. */
  readonly steps?: StepsOrShare | undefined;
}

/** Up to the learning rate and down again. */
export interface OneCycleScheduleInput {
  readonly kind: "oneCycle";
  /** Where it is highest; "30%" by default. */
  readonly peakAt?: StepsOrShare | undefined;
  /** Where it begins, a share of the learning rate; 1/25 by default. */
  readonly from?: number | undefined;
  /** Where it ends, a share of `from`; 1e-4 by default. */
  readonly to?: number | undefined;
  /** How long it takes, from the end of the warm-up; to the end of the run by default. */
  readonly steps?: StepsOrShare | undefined;
}

/** The learning rate by step, from its full height at the end of the warm-up: by name, or with options. */
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

/** What params shrink by, and which do not. */
export interface WeightDecayOptionsInput {
  /** In learning rates for each step. */
  readonly rate: number;
  /** Patterns of params that do not shrink, as "*.bias"; none by default. */
  readonly except?: readonly string[] | undefined;
}

/** What params shrink by in learning rates for each step: all of them, or with exceptions. */
export type WeightDecayInput = number | WeightDecayOptionsInput;

/** What all optimizers have alike. */
export interface CommonOptimizerInput {
  /** The size of a step. */
  readonly learningRate: number;
  /** How the learning rate changes; "linear" to 0 by default. */
  readonly schedule?: ScheduleInput | undefined;
  /** Steps in which the learning rate rises in a straight line from 0, or from a share of itself. */
  readonly warmUp?: StepsOrShare | { readonly steps: StepsOrShare; readonly from?: number | undefined } | undefined;
  /** Bounds on the gradient: on each value, and on the norm over all params. */
  readonly clip?: { readonly value?: number | undefined; readonly norm?: number | undefined } | undefined;
  /** Multiples of the learning rate by pattern on the names of params, as { "embeddings.*": 0.5 }; the first counts. */
  readonly multipliers?: Record<string, number> | undefined;
  /** Patterns of tables of which a step changes only the rows that its batch reads, as ["embeddings.*"]; none by default. */
  readonly sparseParams?: readonly string[] | undefined;
}

interface Decaying {
  /** Shrink the params; with a number all of them, with `{ rate, except }` all but some. */
  readonly weightDecay?: WeightDecayInput | undefined;
}

interface Moments {
  /** Decay of the mean of the gradient; 0.9 by default. */
  readonly beta1?: number | undefined;
  /** Decay of the mean of its square; 0.999 by default. */
  readonly beta2?: number | undefined;
  /** Added to the root of that, so that nothing is divided by 0. */
  readonly epsilon?: number | undefined;
}

/** Adam (Kingma and Ba 2015). */
export interface AdamInput extends CommonOptimizerInput, Decaying, Moments {
  readonly kind: "adam";
}

/** Adam with weight decay apart from the moments, 0.01 by default (Loshchilov and Hutter 2019). */
export interface AdamWInput extends CommonOptimizerInput, Decaying, Moments {
  readonly kind: "adamW";
}

/** Stochastic gradient descent. */
export interface SgdInput extends CommonOptimizerInput, Decaying {
  readonly kind: "sgd";
  /** Share of the last step that goes into the next; none by default. */
  readonly momentum?: number | undefined;
  /** Look ahead by the momentum; needs one. */
  readonly nesterov?: boolean | undefined;
}

/** Adagrad (Duchi et al. 2011). */
export interface AdagradInput extends CommonOptimizerInput, Decaying {
  readonly kind: "adagrad";
  /** 1e-10 by default. */
  readonly epsilon?: number | undefined;
  /** What the sums of squares begin with; 0 by default. */
  readonly initialSum?: number | undefined;
}

/** RMSProp (Tieleman and Hinton 2012). */
export interface RmspropInput extends CommonOptimizerInput, Decaying {
  readonly kind: "rmsprop";
  /** Decay of the mean square; 0.99 by default. */
  readonly alpha?: number | undefined;
  /** 1e-8 by default. */
  readonly epsilon?: number | undefined;
  /** Share of the last step that goes into the next; none by default. */
  readonly momentum?: number | undefined;
  /** By the variance of the gradient in place of its mean square; false by default. */
  readonly centred?: boolean | undefined;
}

/** LAMB (You et al. 2020). */
export interface LambInput extends CommonOptimizerInput, Decaying, Moments {
  readonly kind: "lamb";
  /** Patterns of params that take the step of Adam as it is. */
  readonly trustExcept?: readonly string[] | undefined;
}

/** LARS (You et al. 2017). */
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

/** Adafactor (Shazeer and Stern 2018). */
export interface AdafactorInput extends CommonOptimizerInput, Decaying {
  readonly kind: "adafactor";
  /** Whether the learning rate is relative to the root mean square of each param; true by default. */
  readonly relativeStep?: boolean | undefined;
  /** Bound on the root mean square of a step; 1 by default. */
  readonly maxRms?: number | undefined;
  /** The least root mean square of a param that a relative step counts by; 1e-3 by default. */
  readonly minRms?: number | undefined;
  /** How fast the mean of the squares forgets less; 0.8 by default. */
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
  | AdafactorInput;
