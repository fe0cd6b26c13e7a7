/** The arms of a sweep: ways to train, each with every value of one setting. */
import { ConfigError } from "../errors.js";
import type { RunConfig } from "../run/schema.js";
import type { Arm } from "./arms.js";
import type { SweepStudy } from "./study.js";
import type { Setting } from "./sweeps.js";

const LONGEST_NAME = 40;

export interface SweepPlan {
  readonly arms: readonly Arm[];
  readonly study: SweepStudy;
  /** The arm that others are compared with. */
  readonly reference: string;
}

/**
 * The arms of a sweep: of each arm one for each value, but one alone where the setting does not concern it. `resolve` gives the
 * configuration with some options.
 *
 * Throws {@link ConfigError} for a value that is there twice, and an arm that the setting would turn into another.
 */
export function sweepOf(
  over: string,
  setting: Setting,
  values: readonly string[],
  arms: readonly Arm[],
  resolve: (options: readonly string[]) => RunConfig,
): SweepPlan {
  const twice = values.find((value, i) => values.indexOf(value) !== i);
  if (twice !== undefined) throw new ConfigError(`--over ${over}: ${twice} is there twice. Name each value once.`);
  const lines: { arm: string; arms: string[] }[] = [];
  const beside: string[] = [];
  const all: Arm[] = [];
  for (const arm of arms) {
    const source = arms.find(({ name }) => name === arm.ensembleOf) ?? arm;
    const config = resolve(source.options);
    if (setting.isOfCodistilling && config.algorithm.kind !== "codistill") {
      beside.push(arm.name);
      all.push(arm);
      continue;
    }
    const names = values.map((value, i) => nameOf(arm.name, value, i, values));
    lines.push({ arm: arm.name, arms: names });
    all.push(...values.map((value, i) => valued(over, setting, arm, { value, name: names[i] ?? "", values, config })));
  }
  const [first] = lines;
  if (!first) {
    throw new ConfigError(
      `--over ${over}: is a setting of codistillation, and none of the arms (${arms.map(({ name }) => name).join(", ")}) codistils. Add codistilled to --arms.`,
    );
  }
  const main = lines.find(({ arm }) => arm === "codistilled") ?? first;
  const of = arms.find(({ name }) => name === main.arm);
  const own = setting.own(resolve(of?.ensembleOf ? [] : (of?.options ?? [])));
  const at = Math.max(
    0,
    values.findIndex((value) => isSame(value, own)),
  );
  return {
    arms: all,
    study: { kind: "sweep", over, what: setting.what, why: setting.why, values, own, lines, beside, main: main.arm },
    reference: main.arms[at] ?? "",
  };
}

/** Whether two values are one, however they are typed. */
function isSame(value: string, own: string | null): boolean {
  if (own === null) return false;
  return value === own || (value.trim() !== "" && Number(value) === Number(own));
}

/** A name of a folder: the arm's and the value's, or its place where that does not tell it from the others. */
function nameOf(arm: string, value: string, place: number, values: readonly string[]): string {
  const slug = (text: string) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "");
  const own = slug(value);
  const name = `${arm}-${own}`;
  const isAlone = values.filter((one) => slug(one) === own).length === 1;
  return own !== "" && isAlone && name.length <= LONGEST_NAME
    ? name
    : `${arm.slice(0, LONGEST_NAME - 4)}-v${place + 1}`;
}

function valued(
  over: string,
  setting: Setting,
  arm: Arm,
  of: { readonly value: string; readonly name: string; readonly values: readonly string[]; readonly config: RunConfig },
): Arm {
  const { value, name, values, config } = of;
  if (arm.closeTo !== undefined || arm.seed !== undefined) {
    throw new ConfigError(
      `--over ${over}: arm ${arm.name} is of one model in use, and a sweep would need one for each value. Leave the arm out.`,
    );
  }
  const what = `${arm.name}, ${over} ${value}`;
  if (arm.ensembleOf !== undefined) {
    return { name, what, options: [], ensembleOf: nameOf(arm.ensembleOf, value, values.indexOf(value), values) };
  }
  const options = setting.options(value, { config, all: values });
  const changesGroups = options.some((option) => /^(numGroups|data\.regime|data\.shares)=/.test(option));
  if (changesGroups && arm.options.includes("numGroups=1")) {
    throw new ConfigError(
      `--over ${over}: changes the groups and their data, and arm ${arm.name} is one group on all data by its nature. Leave the arm out.`,
    );
  }
  return { name, what, options: [...arm.options, ...options] };
}

/** Values that are parted by commas, but for those inside brackets and quotes. */
export function valuesIn(text: string): string[] {
  const values: string[] = [""];
  let depth = 0;
  let isQuoted = false;
  for (const mark of text) {
    if (mark === '"') isQuoted = !isQuoted;
    else if (!isQuoted && /[[{(]/.test(mark)) depth++;
    else if (!isQuoted && /[\]})]/.test(mark)) depth--;
    if (mark === "," && depth === 0 && !isQuoted) values.push("");
    else values[values.length - 1] += mark;
  }
  return values.map((value) => value.trim()).filter((value) => value !== "");
}
