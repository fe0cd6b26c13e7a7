/** Where a run can be started, by name: the one place that knows which targets there are. */
import { ConfigError } from "../../errors.js";
import type { Launch, Plan } from "./plan.js";
import { k8s } from "./targets/k8s.js";
import { local } from "./targets/local.js";
import { mpirun } from "./targets/mpirun.js";
import { slurm } from "./targets/slurm.js";
import { ssh } from "./targets/ssh.js";

export type TargetName = "local" | "mpirun" | "slurm" | "ssh" | "k8s";

/** Flags that mean something on some targets alone. */
export type TargetFlag =
  | "store"
  | "hosts"
  | "mpirun"
  | "mpi"
  | "image"
  | "claim"
  | "mount"
  | "program"
  | "option"
  | "out"
  | "run";

interface Target {
  readonly launch: (plan: Plan) => Launch;
  /** The flags that it can do something with, and those that it cannot do without. */
  readonly takes: readonly TargetFlag[];
  readonly needs: readonly TargetFlag[];
}

export const targets: { readonly [Name in TargetName]: Target } = {
  local: { launch: local, takes: ["run"], needs: [] },
  mpirun: { launch: mpirun, takes: ["store", "hosts", "mpirun", "program", "option", "run"], needs: [] },
  slurm: { launch: slurm, takes: ["store", "mpi", "program", "option", "out"], needs: [] },
  ssh: { launch: ssh, takes: ["store", "hosts", "program", "option", "run"], needs: ["hosts"] },
  k8s: { launch: k8s, takes: ["store", "image", "claim", "mount", "program", "out"], needs: ["image"] },
};

const names = Object.keys(targets) as readonly TargetName[];

/** The targets, for people. */
export const targetNames = names.join(", ");

/**
 * The target of this name, which these flags were given for.
 *
 * Throws {@link ConfigError} when there is none, it can do nothing with a flag, or it lacks one.
 */
export function targetFor(name: string, given: readonly TargetFlag[]): Target {
  if (!Object.hasOwn(targets, name)) throw new ConfigError(`--target must be one of ${targetNames}, got "${name}"`);
  const target = targets[name as TargetName];
  for (const flag of given) {
    if (target.takes.includes(flag)) continue;
    const others = names.filter((other) => targets[other].takes.includes(flag));
    throw new ConfigError(`--${flag} goes with ${others.join(", ")}, and the target is ${name}; leave it out`);
  }
  for (const flag of target.needs) {
    if (!given.includes(flag)) throw new ConfigError(`--target ${name} needs --${flag}`);
  }
  return target;
}
