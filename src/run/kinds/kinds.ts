/** The kinds of data, each in its file and in one line here; `node/launch/kinds.ts` has those that read them. */
import type { z } from "zod";
import { ConfigError } from "../../errors.js";
import type { DataKind } from "./kind.js";
import { tableKind } from "./table.js";
import { textKind } from "./text.js";

/** By what `data.kind` says. */
const dataKinds = { table: tableKind, text: textKind } as const;

export type DataKindName = keyof typeof dataKinds;
export const dataKindNames = Object.keys(dataKinds) as DataKindName[];

/** Of data that does not say its kind. */
const DEFAULT: DataKindName = "table";

/** A configuration of a kind of data with every default filled in: plain data, stored with every run. */
export type ConfigOf<K extends DataKindName> = z.output<(typeof dataKinds)[K]["schema"]>;

/** What users write of it. */
export type InputOf<K extends DataKindName> =
  (typeof dataKinds)[K] extends DataKind<infer _, infer Input> ? Input : never;

/** A configuration of any kind, as {@link ConfigOf} one. */
export type RunConfig = { readonly [K in DataKindName]: ConfigOf<K> }[DataKindName];

/** What users write: a configuration of any kind. */
export type RunInput = { readonly [K in DataKindName]: InputOf<K> }[DataKindName];

/** A kind, for configurations of it alone, which their types do not say. */
type AnyKind = DataKind<z.ZodType<RunConfig>, unknown>;
const byName: Readonly<Record<DataKindName, AnyKind>> = dataKinds;

/** The name of the kind that `data.kind` says; undefined when it says another one. */
export function kindNamed(kind: unknown = DEFAULT): DataKindName | undefined {
  return dataKindNames.find((name) => name === kind);
}

/** The name of the kind of a configuration's data. */
export function kindNameOf({ data }: RunConfig): DataKindName {
  return data.kind ?? DEFAULT;
}

/** The rules of a kind of data. */
export function rulesOf(name: DataKindName): AnyKind {
  return byName[name];
}

/** The rules of a configuration's own kind. */
export function kindOf(config: RunConfig): AnyKind {
  return byName[kindNameOf(config)];
}

/**
 * A configuration that must be of a kind. Throws {@link ConfigError} for one of another kind, which says what needs it (`what`)
 * and whose configuration it is (`whose`).
 */
export function configOfKind<K extends DataKindName>(
  config: RunConfig,
  name: K,
  what: string,
  whose = "this configuration",
): ConfigOf<K> {
  if (kindNameOf(config) === name) return config as ConfigOf<K>;
  throw new ConfigError(`${what} is for ${byName[name].noun}, and ${whose} is of ${kindOf(config).noun}`);
}
