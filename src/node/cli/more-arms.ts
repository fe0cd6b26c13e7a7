/** Seeds and arms that come to a comparison which goes on: what is done stays as it is. */
import { ConfigError } from "../../errors.js";
import { type Arm, chosenArms } from "../../study/arms.js";
import { armsWith, type Comparison, checkSeeds } from "../runs/comparison.js";
import { typed } from "./study-command.js";

export interface More {
  readonly seeds?: readonly number[] | undefined;
  /** Names of arms that are known; those that are there already stay. */
  readonly names: readonly string[];
  readonly own: readonly Arm[];
}

/** The comparison with them. Throws {@link ConfigError} where a seed would be left out, or an arm would change. */
export async function withMore(before: Comparison, { seeds = before.seeds, names, own }: More): Promise<Comparison> {
  const lost = before.seeds.filter((seed) => !seeds.includes(seed));
  if (lost.length > 0) {
    throw new ConfigError(
      `--seeds: a comparison goes on with its seeds, to which others may come, and ${lost.join(", ")} would be left out. Name at least ${before.seeds.join(",")}.`,
    );
  }
  for (const arm of own) checkSame(arm, before.arms);
  const known = before.arms.map(({ name }) => name);
  const all = chosenArms(
    [...new Set(names)],
    own.filter(({ name }) => !known.includes(name)),
    before.base,
    0,
  );
  const arms = await armsWith(
    all.filter(({ name }) => !known.includes(name)),
    before.given,
  );
  const more = {
    ...before,
    arms: [...before.arms, ...arms],
    seeds: [...before.seeds, ...seeds.filter((seed) => !before.seeds.includes(seed))],
    commands: [...before.commands, typed()],
  };
  checkSeeds(more);
  return more;
}

function checkSame({ name, options }: Arm, arms: readonly Arm[]): void {
  const before = arms.find((one) => one.name === name);
  if (before === undefined || JSON.stringify(before.options) === JSON.stringify(options)) return;
  throw new ConfigError(
    `--arm: ${name} is an arm of the comparison with ${before.options.join(", ")}, whose runs stay as they are, got ${options.join(", ")}. Name yours otherwise.`,
  );
}
