/** The settings of codistillation that are tried on the flights, one varied at a time, and how the best are found. */
import { mean } from "../src/study/statistics.js";
import type { Arm } from "./arms.js";

/** A setting, and a value of it that is not the recipe's. */
export interface SettingArm extends Arm {
  readonly setting: string;
}

const setting = (name: string, values: Readonly<Record<string, readonly string[]>>): SettingArm[] =>
  Object.entries(values).map(([value, options]) => ({
    name: `${name}-${value.replace("%", "")}`,
    what: `${name} ${value}`,
    setting: name,
    options,
  }));

const weight = (text: string) => [`algorithm.distillWeight=${text}`];
const interval = (steps: number) => [`algorithm.publishInterval=${steps}`, `algorithm.exchangeInterval=${steps}`];

/** As it is: burn-in 50 %, weight 1 from there on, an exchange every 50 steps, temperature 1, no average. */
export const recipeArm: SettingArm = { name: "recipe", what: "the recipe's settings", setting: "", options: [] };

export const settingArms: readonly SettingArm[] = [
  ...setting("burn-in", {
    "10%": ["algorithm.burnInSteps=10%"],
    "25%": ["algorithm.burnInSteps=25%"],
    "75%": ["algorithm.burnInSteps=75%"],
  }),
  ...setting("weight", { "0.5": weight("0.5"), "2": weight("2"), "4": weight("4") }),
  ...setting("ramp", { "25%": weight('{"from":0,"to":1,"steps":"25%"}') }),
  ...setting("interval", { "10": interval(10), "250": interval(250) }),
  ...setting("temperature", { "2": ["algorithm.temperature=2"] }),
  ...setting("ema", { "0.99": ["ema.decay=0.99"], "0.999": ["ema.decay=0.999"] }),
];

/** The validation loss of an arm, over the same seeds as that of the others. */
export interface Validated<A extends Arm = Arm> {
  readonly arm: A;
  readonly losses: readonly number[];
  /** The loss on the test split, which takes no part in a choice. */
  readonly testLosses: readonly number[];
}

const lossOf = ({ losses }: Validated) => mean(losses);

/** The one of lowest validation loss. */
export function bestOf<A extends Arm>(arms: readonly Validated<A>[]): Validated<A> {
  return arms.reduce((best, arm) => (lossOf(arm) < lossOf(best) ? arm : best));
}

/** Of each setting the value of lowest validation loss, where that is below the recipe's, all together. */
export function combined(recipe: Validated, arms: readonly Validated<SettingArm>[]): Arm {
  const settings = [...new Set(arms.map(({ arm }) => arm.setting))];
  const chosen = settings
    .map((name) => bestOf(arms.filter(({ arm }) => arm.setting === name)))
    .filter((best) => lossOf(best) < lossOf(recipe))
    .map(({ arm }) => arm);
  // Of a weight and its ramp, which are one option, the better one alone.
  const rivals = arms.filter(({ arm }) => chosen.includes(arm) && ["weight", "ramp"].includes(arm.setting));
  const beaten = rivals.length > 1 ? rivals.filter((rival) => rival !== bestOf(rivals)).map(({ arm }) => arm) : [];
  const kept = chosen.filter((arm) => !beaten.includes(arm));
  return {
    name: `together-${kept.map(({ name }) => name).join("-")}`,
    what: kept.map(({ what }) => what).join(", "),
    options: kept.flatMap(({ options }) => options),
  };
}
