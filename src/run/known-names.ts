/** Hints on unknown names in a configuration: which option was probably meant. */
import { z } from "zod";
import { nearest } from "../nearest.js";
import { isRecord } from "./plain-data.js";

/** Our options, and the names that other programs have for them: in lower case, letters and digits alone. */
export const NAMES_ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  numSteps: [
    "maxsteps",
    "totalsteps",
    "trainsteps",
    "trainingsteps",
    "iterations",
    "numiterations",
    "niter",
    "maxiter",
    "maxiters",
    "numiters",
    "numtrainsteps",
  ],
  globalBatchSize: [
    "batch",
    "bs",
    "minibatch",
    "minibatchsize",
    "trainbatchsize",
    "perdevicetrainbatchsize",
    "microbatchsize",
  ],
  workers: ["numworkers", "replicas", "numreplicas", "worldsize", "nprocpernode", "numprocesses"],
  accumulate: [
    "gradientaccumulation",
    "gradientaccumulationsteps",
    "gradaccum",
    "gradaccumsteps",
    "accumulategradbatches",
    "accumulationsteps",
  ],
  numGroups: ["models", "nummodels", "students", "peers"],
  seed: ["randomseed", "randomstate", "rngseed", "manualseed"],
  validationInterval: [
    "evalinterval",
    "evalevery",
    "evalsteps",
    "evaluationinterval",
    "validateevery",
    "valinterval",
    "valcheckinterval",
  ],
  logInterval: ["logevery", "logsteps", "loggingsteps", "logeverynsteps"],
  checkpointInterval: ["saveinterval", "saveevery", "savesteps", "checkpointevery"],
  earlyStopping: ["patience", "earlystop", "earlystoppingpatience", "earlystoppingrounds"],
  ema: ["emadecay", "averaging", "swa"],
  init: ["weights", "pretrained", "initweights", "checkpoint"],
  device: ["accelerator", "gpu", "backend"],
  threads: ["numthreads", "njobs", "nthreads", "intraopthreads"],
  learningRate: ["lr", "eta", "stepsize", "baselr", "initiallr", "maxlr"],
  forBatch: ["basebatchsize", "referencebatchsize", "baselrbatchsize", "scalelr", "autoscalelr", "linearscaling"],
  weightDecay: ["wd", "l2", "l2reg", "l2regularization", "decay"],
  schedule: ["scheduler", "lrscheduler", "lrschedule", "lrdecay", "lrschedulertype"],
  warmUp: ["warmupsteps", "numwarmupsteps", "warmupratio", "warmupiters"],
  clip: [
    "gradclip",
    "clipnorm",
    "clipgradnorm",
    "maxgradnorm",
    "gradientclipping",
    "gradientclipval",
    "clipvalue",
    "gradclipnorm",
  ],
  epsilon: ["eps"],
  beta1: ["betas", "beta"],
  distillWeight: ["alpha", "kdweight", "distillationweight", "distillalpha", "lambda"],
  temperature: ["temp", "tau"],
  burnInSteps: ["burnin", "warmstart", "burninepochs"],
  layers: ["nlayer", "nlayers", "numlayers", "depth", "numhiddenlayers"],
  hidden: [
    "hiddensize",
    "hiddensizes",
    "hiddendim",
    "hiddenlayers",
    "layers",
    "numlayers",
    "hiddenunits",
    "units",
    "layersizes",
  ],
  width: ["dmodel", "nembd", "embeddim", "embeddingdim", "embeddingsize", "hiddensize", "dim"],
  heads: ["nhead", "nheads", "numheads", "numattentionheads"],
  sequenceLength: ["seqlen", "seqlength", "blocksize", "contextlength", "maxlength", "maxseqlength", "bptt", "ctxlen"],
  label: ["target", "y", "targetcolumn", "labelcolumn", "labels", "outcome"],
  numeric: ["numerical", "numericcolumns", "continuous", "features"],
  categorical: ["categoricalcolumns", "categories", "catfeatures"],
  source: ["path", "file", "files", "trainfile", "input", "csv"],
  split: ["testsize", "valsplit", "validationsplit", "testsplit", "trainsplit"],
};

/** Names that other programs have for the length of a run in epochs, which is `numSteps` here. */
const EPOCHS = ["epochs", "numepochs", "nepochs", "maxepochs", "epoch", "numtrainepochs", "totalepochs"];

/**
 * The end of a message on an unknown name at a path of a configuration: the option that was meant, there or elsewhere,
 * else the names that are known there.
 */
export function unknownNameHint(schema: unknown, path: readonly PropertyKey[], name: string, config: unknown): string {
  const here = knownNames(schema, path, config);
  // LARS takes both from one list.
  if (name === "trustExcept" && here.includes("coefficient")) return didYouMean("weightDecay.except");
  const atTop = knownNames(schema, [], config);
  const letters = lettersOf(name);
  if (name === "codistill" && atTop.includes("algorithm")) return '; write algorithm: { kind: "codistill", ... }';
  if (EPOCHS.includes(letters) && atTop.includes("numSteps")) {
    return '; did you mean "numSteps"? It counts optimizer steps: the rows of a group divided by globalBatchSize are one epoch';
  }
  // First where the name stands, then at the top, then in every part of the configuration.
  const places = [path, [], ...atTop.map((part) => [part])];
  const optionOf = (wanted: string) => {
    for (const place of places) {
      const found = knownNames(schema, place, config).find((one) => lettersOf(one) === wanted);
      if (found !== undefined) return place === path ? found : [...place, found].join(".");
    }
    return undefined;
  };
  const others = Object.keys(NAMES_ELSEWHERE).filter((ours) => NAMES_ELSEWHERE[ours]?.includes(letters));
  const known = others.filter((ours) => here.includes(ours));
  const found =
    // For "numLayers" the option "layers" goes before "hidden", where both are known.
    known.find((ours) => letters.includes(lettersOf(ours))) ??
    known[0] ??
    others.flatMap((ours) => optionOf(lettersOf(ours)) ?? [])[0] ??
    nearest(name, here) ??
    optionOf(letters);
  return found === undefined ? hint(name, here) : didYouMean(found);
}

const lettersOf = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

/** The end of a message on an unknown name: the nearest known name, else all of them. */
export function hint(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  if (meant !== undefined) return didYouMean(meant);
  return known.length > 0 ? `; known names: ${known.join(", ")}` : "";
}

const didYouMean = (meant: string) => `; did you mean "${meant}"?`;

/** The names that a schema knows at a path, in the union's member that the configuration chose. */
function knownNames(schema: unknown, path: readonly PropertyKey[], config: unknown): string[] {
  let [at, value] = [schema, config];
  for (const name of path) {
    at = shapeOf(at, value)[String(name)];
    value = isRecord(value) ? value[String(name)] : undefined;
  }
  return Object.keys(shapeOf(at, value));
}

/** The shape of an object schema; of a union, the shape of the member whose `kind` the value has. */
function shapeOf(schema: unknown, value: unknown): Readonly<Record<string, unknown>> {
  if (schema instanceof z.ZodObject) return schema.shape;
  if (schema instanceof z.ZodPipe) return shapeOf(schema.in, value);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return shapeOf(schema.unwrap(), value);
  if (!(schema instanceof z.ZodUnion)) return {};
  const kind = isRecord(value) ? value.kind : undefined;
  const shapes = schema.options.map((option) => shapeOf(option, value));
  // A record without `kind` means the member whose `kind` has a default.
  const isMeant = ({ kind: own }: Readonly<Record<string, unknown>>) =>
    literalOf(own) === kind || (kind === undefined && own instanceof z.ZodDefault);
  return shapes.find(isMeant) ?? {};
}

function literalOf(schema: unknown): unknown {
  if (schema instanceof z.ZodDefault) return literalOf(schema.unwrap());
  return schema instanceof z.ZodLiteral ? schema.value : undefined;
}
