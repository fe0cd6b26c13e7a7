/** The settings that `codistill sweep` knows by a name: what values of each are tried, and why. */
import { teachersOf } from "../codistill/topology.js";
import { ConfigError } from "../errors.js";
import { nearest } from "../nearest.js";
import type { RunConfig } from "../run/schema.js";

/** A setting that is varied while all others stay. */
export interface Setting {
  /** What is varied, with its unit: the name of an axis. */
  readonly what: string;
  /** The values where none are given, as they are typed. */
  readonly values: readonly string[];
  /** Why it is varied, and why over these values. */
  readonly why: string;
  /** Whether only groups that codistil have it, so that other arms are trained once and stand beside it. */
  readonly isOfCodistilling: boolean;
  /** The arms that are trained where none are named. */
  readonly arms: readonly string[];
  /** The value that a configuration has, as it is typed; null where it is none that can be typed. */
  readonly own: (config: RunConfig) => string | null;
  /** What a value changes, as `--set` has it; `all` are the values of the sweep. Throws {@link ConfigError} for a wrong one. */
  readonly options: (value: string, context: SettingContext) => readonly string[];
}

export interface SettingContext {
  /** The configuration of the arm without the setting. */
  readonly config: RunConfig;
  readonly all: readonly string[];
}

const CODISTILLED = "codistilled";
const BESIDE = ["single", CODISTILLED];
/** What algorithm a configuration has, with its options by name. */
const algorithmOf = ({ algorithm }: RunConfig) =>
  algorithm as { readonly kind: string; readonly [name: string]: unknown };
const shown = (value: unknown): string | null =>
  typeof value === "number" || typeof value === "string" ? String(value) : null;
/** An option of codistillation, given as it is typed. */
const ofAlgorithm = (name: string) => ({
  isOfCodistilling: true,
  arms: BESIDE,
  own: (config: RunConfig) => shown(algorithmOf(config)[name]),
  options: (value: string) => [`algorithm.${name}=${value}`],
});
/** A weight in full is a line. */
const constantWeight = (config: RunConfig): string | null => {
  const { distillWeight } = algorithmOf(config);
  if (typeof distillWeight !== "object" || distillWeight === null) return null;
  const { from, to } = distillWeight as { readonly from?: number; readonly to?: number };
  return from === to ? shown(from) : null;
};

/** The longest interval between two exchanges of a sweep of staleness, in steps. */
const STALE_INTERVAL = 10;

const known = {
  exchangeInterval: {
    what: "steps between two exchanges",
    values: ["10", "50", "100", "250"],
    why: "How seldom groups may exchange weights: traffic falls by as much. The paper saw no loss up to 50 steps, later work little up to thousands.",
    ...ofAlgorithm("exchangeInterval"),
    options: (value: string) => [`algorithm.publishInterval=${value}`, `algorithm.exchangeInterval=${value}`],
  },
  staleness: {
    what: "age of teachers when they are taken (steps)",
    values: ["0", "50", "100", "250", "500"],
    why: "How old a teacher may be, all else equal: teachers are exactly so many steps old, whatever the exchange would allow. Old gradients are useless, old predictions hardly worse: that is what lets groups do without a fast network.",
    ...ofAlgorithm("staleness"),
    options: (value: string, { all }: SettingContext) => {
      const interval = all.map(Number).reduce(divisor, STALE_INTERVAL);
      const intervals = [`algorithm.publishInterval=${interval}`, `algorithm.exchangeInterval=${interval}`];
      return [...intervals, `algorithm.staleness=${value}`];
    },
  },
  burnIn: {
    what: "burn-in, share of the steps",
    values: ["0", "10%", "25%", "50%", "75%"],
    why: "When groups begin to teach one another: before it they know little that others do not, after it little time is left to learn it.",
    ...ofAlgorithm("burnInSteps"),
    own: (config: RunConfig) => percentOf(algorithmOf(config).burnInSteps, config.numSteps),
    options: (value: string) => [`algorithm.burnInSteps=${value}`],
  },
  weight: {
    what: "weight of the distillation loss",
    values: ["0.25", "0.5", "1", "2", "4"],
    why: "How much a teacher's prediction counts beside the label. A weight of 1 doubles the step of plain SGD as well, so that more is not better by itself.",
    ...ofAlgorithm("distillWeight"),
    own: constantWeight,
  },
  topology: {
    what: "who teaches whom, at equal traffic",
    values: ["ring", "pairs", "all"],
    why: "Whether many teachers are worth their traffic. A group that has more teachers exchanges as many times less often, so that all fetch as many bytes; of fewer than four groups all topologies are alike.",
    ...ofAlgorithm("topology"),
    options: topologyOptions,
  },
  teacherPrecision: {
    what: "numbers in which teachers multiply",
    values: ["float32", "int8"],
    why: "How inaccurate teachers may be: in 8 bits they cost less.",
    ...ofAlgorithm("teacherPrecision"),
  },
  groups: {
    what: "groups",
    values: ["2", "3", "4"],
    why: "What further groups bring. All data is dealt to them, so that each has less of it the more there are; with data.regime=all each has all.",
    isOfCodistilling: false,
    arms: BESIDE,
    own: ({ numGroups }: RunConfig) => String(numGroups),
    options: (value: string) => [`numGroups=${value}`],
  },
  data: {
    what: "data of the groups",
    values: ["disjoint", "same", "all"],
    why: "Whether what groups gain is what others know of other data: with disjoint parts they see what the others do not; with the same part there is nothing to tell; with all of it they see twice as much.",
    isOfCodistilling: false,
    arms: BESIDE,
    own: ({ data }: RunConfig) => data.regime,
    options: (value: string) => [`data.regime=${value}`],
  },
  labelNoise: {
    what: "share of training labels that are wrong",
    values: ["0", "0.1", "0.2", "0.4"],
    why: "Whether teachers help more where labels can be trusted less: what a peer predicts averages over the noise of other rows. Validation and test labels stay right.",
    isOfCodistilling: false,
    arms: BESIDE,
    own: ({ data }: RunConfig) => shown(noiseOf(data)),
    options: (value: string) => [`data.labelNoise=${value}`],
  },
  shards: {
    what: "parts of the data, group by group",
    values: ["1:1", "2:1", "4:1"],
    why: "Whether a group with little data gains and one with much loses by the other. The first group ships, and has the first part.",
    isOfCodistilling: false,
    arms: BESIDE,
    own: (config: RunConfig) => sharesOf(config).join(":"),
    options: shardOptions,
  },
  workers: {
    what: "workers of each group",
    values: ["1", "2"],
    why: "What sharing each batch among workers does to time: the steps are the same but for rounding, so that losses should not differ. What larger batches do, says another study.",
    isOfCodistilling: false,
    arms: [CODISTILLED],
    own: ({ workers }: RunConfig) => String(workers),
    options: (value: string) => [`workers=${value}`],
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** The names of settings. */
export const settingNames: readonly string[] = Object.keys(known);

/** The arm that is the configuration as it stands. */
export const AS_IT_IS = "as-it-is";

/**
 * A setting by its name, or any path of a configuration, of which values must be given. Throws {@link ConfigError} for neither.
 */
export function settingOf(name: string, hasValues: boolean): Setting {
  if (Object.hasOwn(known, name)) return known[name as keyof typeof known];
  const near = nearest(name, settingNames);
  if (near !== undefined && !name.includes(".")) {
    throw new ConfigError(
      `--over: must be of ${settingNames.join(", ")}, or a path of the configuration, got "${name}"; did you mean ${near}?`,
    );
  }
  if (!hasValues) {
    throw new ConfigError(
      `--over ${name}: is a path of the configuration, whose values must be given, as in --over ${name}=0.001,0.01. Settings that have values of their own: ${settingNames.join(", ")}.`,
    );
  }
  return {
    what: name,
    values: [],
    why: "",
    isOfCodistilling: false,
    arms: [AS_IT_IS],
    own: (config) => textAt(config, name),
    options: (value) => [`${name}=${value}`],
  };
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

function percentOf(steps: unknown, numSteps: number): string | null {
  if (typeof steps !== "number") return null;
  return steps === 0 ? "0" : `${Number(((100 * steps) / numSteps).toPrecision(4))}%`;
}

function topologyOptions(value: string, { config, all }: SettingContext): string[] {
  const { numGroups } = config;
  const degree = (topology: string) => teachersOf(topology as "all" | "ring" | "pairs", 0, numGroups).length;
  const named = all.every((one) => ["all", "ring", "pairs"].includes(one));
  const { exchangeInterval } = algorithmOf(config);
  if (!named || typeof exchangeInterval !== "number") {
    throw new ConfigError(
      `--over topology: topologies at equal traffic are ring, pairs and all, with one exchangeInterval, got ${all.join(", ")}. Others, at one interval, by their path: --over 'algorithm.topology="ring",{"degree":2}'`,
    );
  }
  const least = Math.max(1, Math.min(...all.map(degree)));
  return [
    `algorithm.topology=${value}`,
    `algorithm.exchangeInterval=${Math.round((exchangeInterval * degree(value)) / least)}`,
  ];
}

function noiseOf(data: RunConfig["data"]): number {
  return "labelNoise" in data && typeof data.labelNoise === "number" ? data.labelNoise : 0;
}

function sharesOf({ data, numGroups }: RunConfig): readonly number[] {
  return data.shares ?? Array.from({ length: numGroups }, () => 1);
}

function shardOptions(value: string): string[] {
  const shares = value.split(":").map(Number);
  if (shares.length < 2 || shares.some((share) => !(share > 0))) {
    throw new ConfigError(
      `--over shards: a value has the share of each group, two at least, as 2:1 or 4:2:1, got "${value}"`,
    );
  }
  return [`numGroups=${shares.length}`, "data.regime=disjoint", `data.shares=${JSON.stringify(shares)}`];
}

/** What a configuration has at a path, as it is typed; null where it has nothing there. */
function textAt(config: RunConfig, path: string): string | null {
  const value = path
    .split(".")
    .reduce<unknown>(
      (record, name) =>
        typeof record === "object" && record !== null && Object.hasOwn(record, name)
          ? (record as Readonly<Record<string, unknown>>)[name]
          : undefined,
      config,
    );
  if (value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}
