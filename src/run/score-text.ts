/** The end of a run on text: every group's best checkpoint scored once on the test documents, alone and together. */
import { numPredicted } from "../data/text/whole.js";
import type { Engine } from "../engine/engine.js";
import type { RunResult } from "../log/events.js";
import { type TextScore, textScorer } from "../train/evaluate-text.js";
import { weightState } from "../train/graphs.js";
import type { TextRunConfig } from "./kinds/text.js";
import { asTestMetrics, checkParams, type ScoredGroup } from "./score.js";
import { textBatch, textMetrics } from "./text-work.js";
import { remarksOn, type YardstickText, yardsticks } from "./text-yardsticks.js";
import type { Work } from "./workload.js";

export interface ScoreTextOptions {
  readonly engine: Engine;
  readonly config: TextRunConfig;
  readonly work: Work;
  readonly text: YardstickText;
  readonly shippedGroup: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Score the groups' best params and their ensemble in one pass. Rejects with the signal's reason when that cancels it.
 *
 * Throws {@link CheckpointError} when params are of another model.
 */
export async function scoreTextRun(options: ScoreTextOptions, groups: readonly ScoredGroup[]): Promise<RunResult> {
  const { engine, config, text, signal } = options;
  const { test, size } = text;
  const { model } = options.work.learner;
  const prefixes = groups.map(({ group }) => ({
    params: `models.${group}.params`,
    buffers: `models.${group}.buffers`,
  }));
  for (const [i, group] of groups.entries()) {
    checkParams(model, group);
    await engine.write(weightState(model, group.best.params, prefixes[i]?.params));
  }
  const score = await textScorer(engine, model, prefixes, textBatch(config));
  const { models, ensemble, disagreement, churn } = await score(test, signal);
  const metricsOf = (of: TextScore) => asTestMetrics(textMetrics(of, size));
  const scored = groups.map(({ best: { step, validationLoss }, ...record }, i) => ({
    ...record,
    step,
    validationLoss,
    ...metricsOf(models[i] as TextScore),
  }));
  const beside = await yardsticks(text, signal);
  const shipped = scored.find(({ group }) => group === options.shippedGroup);
  const remarks = shipped ? remarksOn(shipped, beside) : [];
  return {
    task: "language",
    lossName: "nats per token",
    groups: scored,
    ensemble: ensemble && metricsOf(ensemble),
    disagreement,
    churn,
    yardsticks: beside,
    ...(remarks.length > 0 && { remarks }),
    shippedGroup: options.shippedGroup,
    testRows: size.documents,
    testTokens: numPredicted(test),
  };
}
