/** The end of a run on text: every group's best checkpoint scored once on the test documents, alone and together. */
import { numPredicted } from "../data/text/whole.js";
import type { Engine } from "../engine/engine.js";
import type { RunResult } from "../log/events.js";
import { type TextScore, textScorer } from "../train/evaluate-text.js";
import { weightState } from "../train/graphs.js";
import type { TextRunConfig } from "./kinds/text.js";
import { checkParams, type ScoredGroup, scoredResult } from "./score.js";
import type { RunSpec } from "./specs.js";
import { textBatch, textMetrics } from "./text-spec.js";
import { remarksOn, type YardstickText, yardsticks } from "./text-yardsticks.js";

export interface ScoreTextOptions {
  readonly engine: Engine;
  readonly config: TextRunConfig;
  readonly spec: RunSpec;
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
  const { model } = options.spec.learner;
  const prefixes = groups.map(({ group }) => ({
    params: `models.${group}.params`,
    buffers: `models.${group}.buffers`,
  }));
  for (const [i, group] of groups.entries()) {
    checkParams(model, group);
    await engine.write(weightState(model, group.best.params, prefixes[i]?.params));
  }
  const score = await textScorer(engine, model, prefixes, textBatch(config));
  const scores = await score(test, signal);
  const metricsOf = (of: TextScore) => textMetrics(of, size);
  const { ensemble } = scores;
  const measured = { ...scores, models: scores.models.map(metricsOf), ensemble: ensemble && metricsOf(ensemble) };
  const result = scoredResult(groups, measured);
  const beside = await yardsticks(text, signal);
  const shipped = result.groups.find(({ group }) => group === options.shippedGroup);
  const remarks = shipped ? remarksOn(shipped, beside) : [];
  return {
    task: "language",
    lossName: "nats per token",
    ...result,
    yardsticks: beside,
    ...(remarks.length > 0 && { remarks }),
    shippedGroup: options.shippedGroup,
    testRows: size.documents,
    testTokens: numPredicted(test),
  };
}
