/** Rules of a configuration that span several options. */
import { outputNames } from "../train/task.js";
import { hint } from "./known-names.js";
import { optimizerProblems } from "./optimizer-schema.js";
import { isOfText, type RunConfig, type TableRunConfig, type TextRunConfig } from "./schema.js";

/** A line for each rule that is broken. */
export function crossChecks(config: RunConfig): string[] {
  const { codistill, numSteps } = config;
  const problems = [
    ...optimizerProblems(config.optimizer, numSteps),
    ...(isOfText(config) ? textProblems(config) : tableProblems(config)),
  ];
  if (Array.isArray(codistill.topology) && codistill.topology.length !== config.numGroups) {
    const given = codistill.topology.length;
    problems.push(
      `codistill.topology: must list the teachers of each of ${config.numGroups} groups, got ${given} lists`,
    );
  }
  if (Array.isArray(codistill.topology)) {
    for (const [group, teachers] of codistill.topology.entries()) {
      const wrong = teachers.find(
        (teacher, i) => teacher === group || teacher >= config.numGroups || teachers.indexOf(teacher) < i,
      );
      if (wrong !== undefined)
        problems.push(`codistill.topology.${group}: must hold other groups, each once, got ${wrong}`);
    }
  }
  if (codistill.mix === "convex" && Math.max(codistill.distillWeight.from, codistill.distillWeight.to) > 1) {
    problems.push('codistill.distillWeight: must be at most 1 when codistill.mix is "convex"');
  }
  if (codistill.burnInSteps > numSteps) {
    problems.push(`codistill.burnInSteps: must be at most numSteps (${numSteps}), got ${codistill.burnInSteps}`);
  }
  if (config.globalBatchSize % config.accumulate !== 0) {
    problems.push(`accumulate: must divide globalBatchSize (${config.globalBatchSize}), got ${config.accumulate}`);
  }
  if (config.accumulate > 1 && config.optimizer.touchedRows?.length) {
    problems.push(
      `accumulate: must be 1 with optimizer.touchedRows, as sums of gradients are of whole tables, got ${config.accumulate}`,
    );
  }
  return problems;
}

function tableProblems(config: TableRunConfig): string[] {
  const { data, model, codistill } = config;
  const problems: string[] = [];
  for (const [path, names] of [
    ["model.embeddings", model.embeddings],
    ["model.hashed", model.hashed ?? {}],
    ["data.vocabularies", data.vocabularies ?? {}],
  ] as const) {
    const known = Object.keys(data.categorical);
    for (const name of Object.keys(names).filter((one) => !Object.hasOwn(data.categorical, one))) {
      problems.push(`${path}.${name}: must be a name in data.categorical${hint(name, known)}`);
    }
  }
  for (const name of Object.keys(data.numeric)) {
    if (Object.hasOwn(data.categorical, name))
      problems.push(`data.numeric.${name}: is a name in data.categorical too; rename one`);
  }
  if (data.split.kind === "rows") {
    const { shares, stratify } = data.split;
    const held = shares.validation + shares.test;
    if (held >= 1) {
      problems.push(
        `data.split.shares: validation and test must be below 1 together, got ${shares.validation} and ${shares.test}`,
      );
    }
    if (stratify && config.task.kind === "regression") {
      problems.push('data.split.stratify: is of classes, which task "regression" has none of; leave it out');
    }
  }
  if (data.positive !== undefined && config.task.kind !== "binary") {
    problems.push(`data.positive: is of yes/no labels, and task is "${config.task.kind}"; leave it out`);
  }
  const output = outputNames[config.task.kind];
  for (const kind of ["categorical", "numeric"] as const) {
    if (Object.hasOwn(data[kind], output))
      problems.push(`data.${kind}.${output}: is the name of the exported model's output; rename it`);
  }
  if (config.task.kind === "regression" && codistill.temperature !== 1) {
    problems.push(
      `codistill.temperature: softens probabilities, which task "regression" has none of; leave it out, got ${codistill.temperature}`,
    );
  }
  if (Object.keys(data.categorical).length + Object.keys(data.numeric).length === 0) {
    problems.push("data: needs at least one feature in data.categorical or data.numeric");
  }
  if (data.filters && data.filters.length !== config.numGroups) {
    problems.push(
      `data.filters: must list one predicate for each of ${config.numGroups} groups, got ${data.filters.length}`,
    );
  }
  if (data.filters && data.regime !== "disjoint") {
    problems.push(`data.filters: must be left out unless data.regime is "disjoint", and it is "${data.regime}"`);
  }
  return problems;
}

function textProblems({ data, model }: TextRunConfig): string[] {
  const shares = [data.validation, data.test].reduce<number>(
    (sum, split) => sum + (typeof split === "number" ? split : 0),
    0,
  );
  return [
    ...(shares >= 1 ? [`data: the shares of validation and test must be below 1 together, got ${shares}`] : []),
    ...modelProblems(model),
  ];
}

function modelProblems(model: TextRunConfig["model"]): string[] {
  if (model.kind === "lstm") {
    if (!model.tied || model.width === model.hidden) return [];
    return [`model.width: must be model.hidden (${model.hidden}) when model.tied is true, got ${model.width}`];
  }
  if (model.width % (2 * model.heads) === 0) return [];
  return [`model.heads: must divide model.width (${model.width}) into heads of an even depth, got ${model.heads}`];
}
