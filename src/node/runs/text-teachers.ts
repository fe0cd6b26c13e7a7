/**
 * Teachers of a run on text that do not change, as a loaded configuration has them: the files of their weights with their digests,
 * and their networks, from the runs that they name.
 */
import { existsSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { digestChange, sha256 } from "../../checkpoint/digest.js";
import { openSafetensors } from "../../checkpoint/seal.js";
import { ConfigError, messageOf } from "../../errors.js";
import { weightProblems } from "../../nn/fit.js";
import type { TextTeacherInput } from "../../run/input/run.js";
import { configOfKind, kindNameOf } from "../../run/kinds/kinds.js";
import type { TextRunConfig } from "../../run/kinds/text.js";
import { groupFiles } from "../../run/saved-group.js";
import type { RunConfig } from "../../run/schema.js";
import { MAX_TEACHERS } from "../../run/teacher-schema.js";
import { isSameNetwork, networkText } from "../../run/text-network.js";
import { type NotedTeacher, notedTeachers, teacherNetwork } from "../../run/text-teachers.js";
import type { NamedArrays } from "../../runtime/array.js";
import { readRegular } from "../files/plain-files.js";
import { checkOwnFiles } from "./own-files.js";
import { type RunFolder, runFolder } from "./run-folder.js";
import { resultOfRun } from "./run-result.js";

type Teacher = NonNullable<TextRunConfig["teachers"]>[number];
type Load = (path: string) => Promise<RunConfig>;

/**
 * A configuration whose teachers are weights of a noted content and their networks; of another kind of data, or without teachers,
 * the configuration as it is. `load` loads the configurations of the runs that teach.
 *
 * Throws {@link ConfigError} when a run is missing, has not finished, is of another kind of data or another tokenizer, or is trained on
 * shorter sequences; and when weights are damaged or do not fit their network.
 */
export async function noteTeachers(config: RunConfig, load: Load): Promise<RunConfig> {
  if (kindNameOf(config) !== "text") return config;
  const own = configOfKind(config, "text", "teachers of text");
  if (!own.teachers) return config;
  const noted: NotedTeacher[] = [];
  for (const [i, teacher] of own.teachers.entries())
    noted.push(...(await notedOf(own, teacher, `teachers.${i}`, load)));
  if (noted.length > MAX_TEACHERS) {
    throw new ConfigError(
      `teachers: are at most ${MAX_TEACHERS}, with each group of a run for one, and these are ${noted.length}. Leave groups out.`,
    );
  }
  return { ...own, teachers: noted };
}

/** A teacher, or one for each group of its run. */
async function notedOf(own: TextRunConfig, teacher: Teacher, place: string, load: Load): Promise<NotedTeacher[]> {
  if ("weights" in teacher) {
    if (teacher.sha256 === undefined) return [await checked(own, teacher, place)];
    // A run that has begun is looked at without them, and its groups check their content.
    await checkTokenizer(own, teacher.tokenizer, place, teacher.weights);
    return [teacher];
  }
  const { folder, files, config } = await openTeacher(teacher, place, load);
  checkSameTokens(own, config, folder, place);
  const tokenizer = await tokenizerDigest(config, place);
  const weight = teacher.weight / files.length;
  return Promise.all(
    files.map((weights) =>
      checked(own, { weights, network: config.model, ...(tokenizer && { tokenizer }), weight }, place, folder),
    ),
  );
}

/**
 * The weights of a teacher that names a run, and the run's configuration. `place` names the teacher in messages.
 *
 * Throws {@link ConfigError} when the run is missing, has not finished, or is of another kind of data.
 */
export async function openTeacher(teacher: TextTeacherInput, place: string, load: Load) {
  if ("weights" in teacher) throw new Error("internal: weights have no run");
  const { folder, files } = "run" in teacher ? ofRun(teacher, place) : ofModel(teacher, place);
  return { folder, files, config: await configOf(folder, place, load) };
}

/** The files of a run that teach: the shipped model, or the best params of one group or of all. */
function ofRun({ run, group }: Extract<TextTeacherInput, { run: string }>, place: string) {
  const { model, result, config } = runFolder(run);
  if (!existsSync(config)) {
    throw new ConfigError(
      `${place}: ${run} is not the folder of a run: it has no ${basename(config)}. Give the folder that codistill train made, or the model.safetensors of one as { model }.`,
    );
  }
  if (!existsSync(result)) {
    throw new ConfigError(
      `${place}: a teacher that does not change is a run that has finished, and ${run} has no ${basename(result)}. Finish it: codistill train --resume ${run}`,
    );
  }
  if (group === undefined) return { folder: run, files: [model.safetensors] };
  const groups = resultOfRun(run).groups.filter(({ ended }) => ended !== "failed");
  const known = groups.map((one) => one.group);
  if (group !== "all" && !known.includes(group)) {
    throw new ConfigError(`${place}: group must be a group of ${run} (${known.join(", ")}) or "all", got ${group}`);
  }
  const files = (group === "all" ? known : [group]).map((one) => join(runFolder(run).group(one).path, groupFiles.best));
  return { folder: run, files };
}

/** The weights of a run beside its configuration. */
function ofModel({ model }: Extract<TextTeacherInput, { model: string }>, place: string) {
  if (!model.endsWith(".safetensors")) {
    throw new ConfigError(
      `${place}: a teacher of text is the model.safetensors of a run, whose config.json beside it says its network, got ${model}. Give that file, or the run's folder as { run }.`,
    );
  }
  const folder = dirname(model);
  if (!existsSync(runFolder(folder).config)) {
    throw new ConfigError(
      `${place}: the network of ${model} is in the config.json of its run, which is not beside it. Copy it there too, or name the network: { weights: "${model}", network: { ... } }.`,
    );
  }
  return { folder, files: [model] };
}

async function configOf(folder: string, place: string, load: Load): Promise<TextRunConfig> {
  const config = configOfKind(await load(runFolder(folder).config), "text", `${place}: a teacher of text`, folder);
  // The files that it began from are no longer needed.
  const { teachers: _, init: _init, ...rest } = config;
  await checkOwnFiles(rest, runFolder(folder));
  return config;
}

/** Throws {@link ConfigError} unless a teacher's tokens end texts as the student's do, in sequences that are as long. */
function checkSameTokens(own: TextRunConfig, { data, model }: TextRunConfig, folder: string, place: string): void {
  if (data.endOfText !== own.data.endOfText) {
    const show = (end: string | null | undefined) => (end === undefined ? "left out" : JSON.stringify(end));
    throw new ConfigError(
      `${place}: a teacher's texts end by the token that ends the student's, and data.endOfText of ${folder} is ${show(data.endOfText)}, here ${show(own.data.endOfText)}. Set it alike.`,
    );
  }
  if (model.kind === "transformer" && data.sequenceLength < own.data.sequenceLength) {
    throw new ConfigError(
      `${place}: a transformer knows places up to the length of the sequences that it was trained on, ${data.sequenceLength} of ${folder}, and data.sequenceLength is ${own.data.sequenceLength}. Use sequences of ${data.sequenceLength} tokens, or a teacher of longer ones.`,
    );
  }
}

/** The teacher with the digest of its weights, which fit its network, of the student's tokenizer. */
async function checked(
  own: TextRunConfig,
  { weights, network, tokenizer, weight }: NotedTeacher,
  place: string,
  run?: string,
): Promise<NotedTeacher> {
  const bytes = read(weights, place);
  const { tensors, metadata } = await opened(weights, bytes, place);
  const theirs = tokenizer ?? metadata.tokenizerSha256 ?? (metadata.tokenizer === "bytes" ? "bytes" : undefined);
  await checkTokenizer(own, theirs, place, run ?? weights);
  const vocabulary = tensors.embedding?.shape[0] ?? 0;
  const model = teacherNetwork(own, network, Math.max(1, vocabulary));
  const [problem, ...more] = weightProblems(tensors, model);
  if (problem !== undefined) {
    const others = more.length > 0 ? ` (and ${more.length} more)` : "";
    throw new ConfigError(
      `${place}: the weights ${weights} do not fit their network, ${JSON.stringify(network)}: ${problem}${others}. Give the weights of a run with its own config.json.`,
    );
  }
  const said = metadata.network;
  if (said !== undefined && !isSameNetwork(said, networkText(network))) {
    throw new ConfigError(
      `${place}: weights predict by the network that they were trained in, and the file ${weights} says ${said}, ${run === undefined ? "network" : `the config.json of ${run}`} ${networkText(network)}. Name the network that the file says.`,
    );
  }
  const digest = await sha256(bytes);
  const isNetworkSaid = said !== undefined || run !== undefined;
  return {
    weights,
    sha256: digest,
    network,
    ...(theirs !== undefined && { tokenizer: theirs }),
    isNetworkSaid,
    weight,
  };
}

/** Throws {@link ConfigError} where a teacher's tokenizer is known and another one than the student's. */
async function checkTokenizer(own: TextRunConfig, theirs: string | undefined, place: string, whose: string) {
  const ours = await tokenizerDigest(own, place);
  if (theirs === undefined || ours === undefined || theirs === ours) return;
  const show = (of: string) => (of === "bytes" ? of : `SHA-256 ${of.slice(0, 8)}`);
  throw new ConfigError(
    `${place}: a teacher predicts the student's tokens, and the tokenizer of ${whose} is another one (${show(theirs)}) than data.tokenizer (${show(ours)}). Train the student with the teacher's tokenizer, the ${theirs === "bytes" ? '"bytes"' : "tokenizer.json in its folder"}.`,
  );
}

/** Throws {@link ConfigError} when weights of a run are to teach it. */
export function checkOthersTeach(config: RunConfig, { path }: Pick<RunFolder, "path">): void {
  if (kindNameOf(config) !== "text") return;
  for (const [i, { weights }] of notedTeachers(configOfKind(config, "text", "teachers of text")).entries()) {
    const inFolder = relative(path, weights).split(sep);
    // Its own copies of weights of others lie there too.
    if (inFolder[0] === ".." || isAbsolute(inFolder[0] ?? "") || inFolder[0] === `teacher-${i + 1}.safetensors`)
      continue;
    throw new ConfigError(
      `teachers.${i}: a teacher that does not change is another run, and ${weights} is of the run that goes on in ${path}. Name another run, or train the student in another folder.`,
    );
  }
}

/** "bytes", or the SHA-256 of the tokenizer that a configuration names; undefined where there is none, which is told later. */
async function tokenizerDigest({ data }: TextRunConfig, place: string): Promise<string | undefined> {
  if (data.tokenizer === "bytes") return data.tokenizer;
  return existsSync(data.tokenizer) ? sha256(read(data.tokenizer, place)) : undefined;
}

/**
 * The weights of the teachers of a loaded configuration, whose paths start at `folder`.
 *
 * Throws {@link ConfigError} when a file is missing or has changed, {@link CheckpointError} when it is damaged.
 */
export async function readTeachers(config: RunConfig, folder: string): Promise<readonly NamedArrays[]> {
  if (kindNameOf(config) !== "text") return [];
  const noted = notedTeachers(configOfKind(config, "text", "teachers of text"));
  return Promise.all(
    noted.map(async ({ weights, sha256: known }, i) => {
      const path = resolve(folder, weights);
      const bytes = read(path, `teachers.${i}`);
      checkDigest(path, known, await sha256(bytes), `teachers.${i}`);
      return (await openSafetensors(path, bytes)).tensors;
    }),
  );
}

function checkDigest(path: string, known: string | undefined, now: string, place: string): void {
  if (known === undefined || known === now) return;
  throw new ConfigError(
    `${place}: a teacher does not change, and ${path} has (${digestChange(known, now)}). Put it back, or start a new run.`,
  );
}

async function opened(path: string, bytes: Uint8Array, place: string): ReturnType<typeof openSafetensors> {
  return openSafetensors(path, bytes).catch((error: unknown) => {
    throw new ConfigError(`${place}: ${messageOf(error)}`, { cause: error });
  });
}

function read(path: string, place: string): Uint8Array {
  try {
    return readRegular(path);
  } catch (error) {
    throw new ConfigError(`${place}: ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
