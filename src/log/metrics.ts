/** What a run learns, and what is measured of it, as logs name it. */

/** What is learned of a row: one of two answers, one of several classes, or a number. */
export type TaskKind = "binary" | "multiclass" | "regression";

/** What a run learns: a task of a table, or "language", next-token prediction in text. */
export type RunKind = TaskKind | "language";

/** What is measured of predictions beside the loss; which of them depends on the task. See docs/run-log.md. */
export type MetricName =
  | "perplexity"
  | "bitsPerByte"
  | "logLoss"
  | "auc"
  | "accuracy"
  | "top5Accuracy"
  | "calibrationError"
  | "rmse"
  | "mae"
  | "r2";

/** Metrics by name; not finite where they are not defined. */
export type Metrics = { readonly [M in MetricName]?: number };

/** The loss and the metrics of predictions on the test split: `testLoss`, `testAuc` and so on. */
export type TestMetrics = { readonly testLoss: number } & {
  readonly [M in MetricName as `test${Capitalize<M>}`]?: number;
};
