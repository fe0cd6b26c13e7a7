import type { RunKind, TestMetrics } from "./metrics.js";

/** The outcome of a run on the test split. */
export interface RunResult {
  /** What was learned; binary where a result of an older version does not say. */
  readonly task?: RunKind;
  /** What the losses are, in words: "log loss", "weighted log loss", "squared error". */
  readonly lossName?: string;
  /** The weight of a row as SQL, where losses and metrics weight rows. */
  readonly weight?: string;
  readonly groups: readonly ({
    readonly group: number;
    /** The step of the scored checkpoint: the best by validation. */
    readonly step: number;
    readonly validationLoss: number;
    readonly stepsPerSecond: number;
    readonly bytesPublished: number;
    readonly bytesFetched: number;
    /** How the group ended; a group that failed is scored by its last best checkpoint. */
    readonly ended: "finished" | "stopped" | "failed";
    /** Of asynchronous SGD: how many gradients had each staleness, 0, 1 and so on; 255 stands for more, too. */
    readonly staleness?: readonly number[];
  } & TestMetrics)[];
  /** The mean of the groups' predictions: of probabilities, or of numbers. */
  readonly ensemble: TestMetrics | null;
  /** Mean over pairs of groups of the absolute difference of predictions (of several classes half its sum over them). */
  readonly disagreement: number | null;
  /** The same for decisions: the share of rows that two groups decide differently; for numbers, the disagreement. */
  readonly churn?: number | null;
  /** Of fixed teachers, the scores of their mean, and how far the shipped model is from it: as `disagreement`, as `churn`. */
  readonly teachers?: TestMetrics & {
    readonly distance: number;
    readonly churn: number;
    /** The mean of the shipped model and its teachers, each one half; of text alone. */
    readonly together?: TestMetrics;
  };
  /** Scores that a model must beat to have learned something, easiest first; `remarks` compare the model with them. */
  readonly yardsticks?: readonly Yardstick[];
  readonly remarks?: readonly string[];
  readonly shippedGroup: number;
  /** Rows of the test split; of text its documents, of which `testTokens` are predicted. */
  readonly testRows: number;
  readonly testTokens?: number;
}

/** The test scores of something simple, as the best feature alone; `rivals` are features as good, within chance. */
export type Yardstick = { readonly name: string; readonly rivals?: readonly string[] } & TestMetrics;
