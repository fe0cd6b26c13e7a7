/** The end of a run on text: every group's best checkpoint scored once on the test documents, alone and together. */
import { numPredicted } from "../data/text/whole.js";
import type { Engine } from "../engine/engine.js";
import type { RunResult } from "../log/events.js";
import type { NamedArrays } from "../runtime/array.js";
import { withPrefix } from "../runtime/named.js";
import { type TextScore, textScorer } from "../train/evaluate-text.js";
import { weightState } from "../train/graphs.js";
import type { TextRunConfig } from "./kinds/text.js";
import { asTestMetrics, checkParams, type ScoredGroup, scoredResult } from "./score.js";
import type { RunSpec } from "./specs.js";
import { textBatch } from "./text-network.js";
import { textMetrics } from "./text-spec.js";
import { remarksOn, remarksOnTeachers, type YardstickText, yardsticks } from "./text-yardsticks.js";

export interface ScoreTextOptions {
  readonly engine: Engine;
  readonly config: TextRunConfig;
  readonly spec: RunSpec;
  readonly text: YardstickText;
  readonly shippedGroup: number;
  /** The weights of the learner's fixed teachers. */
  readonly fixedWeights: readonly NamedArrays[];
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
  const { model, fixedTeachers } = options.spec.learner;
  const prefixes = groups.map(({ group }) => ({
    params: `models.${group}.params`,
    buffers: `models.${group}.buffers`,
  }));
  for (const [i, group] of groups.entries()) {
    checkParams(model, group);
    await engine.write(weightState(model, group.best.params, prefixes[i]?.params));
  }
  const networks = (fixedTeachers?.networks ?? []).map((network, i) => ({
    ...network,
    prefixes: { params: `teachers.${i}`, buffers: `teachers.${i}` },
  }));
  for (const [i, { prefixes: of }] of networks.entries())
    await engine.write(withPrefix(of.params, options.fixedWeights[i] as NamedArrays), { memory: "lent" });
  const against = groups.findIndex(({ group }) => group === options.shippedGroup);
  const teachers = networks.length > 0 && against >= 0 ? { networks, against } : undefined;
  const score = await textScorer(engine, model, prefixes, textBatch(config), teachers);
  const scores = await score(test, signal);
  const metricsOf = (of: TextScore) => textMetrics(of, size);
  const { ensemble } = scores;
  const measured = { ...scores, models: scores.models.map(metricsOf), ensemble: ensemble && metricsOf(ensemble) };
  const result = scoredResult(groups, measured);
  const beside = await yardsticks(text, signal);
  const shipped = result.groups.find(({ group }) => group === options.shippedGroup);
  const ofTeachers = scores.teachers && {
    ...asTestMetrics(metricsOf(scores.teachers.score)),
    distance: scores.teachers.distance,
    churn: scores.teachers.churn,
    together: asTestMetrics(metricsOf(scores.teachers.together)),
  };
  const remarks = [
    ...(shipped ? remarksOn(shipped, beside) : []),
    ...(ofTeachers ? remarksOnTeachers(ofTeachers, beside) : []),
  ];
  return {
    task: "language",
    lossName: "nats per token",
    ...result,
    ...(ofTeachers && { teachers: ofTeachers }),
    yardsticks: beside,
    ...(remarks.length > 0 && { remarks }),
    shippedGroup: options.shippedGroup,
    testRows: size.documents,
    testTokens: numPredicted(test),
  };
}
