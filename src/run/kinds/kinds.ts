/** The kinds of data, each in its file and in one line here; `node/launch/kinds.ts` has those that read them. */
import type { z } from "zod";
import { ConfigError } from "../../errors.js";
import { imageKind } from "./images.js";
import type { DataKind } from "./kind.js";
import { tableKind } from "./table.js";
import { textKind } from "./text.js";

/** The kinds by the value of `data.kind`. */
const dataKinds = { table: tableKind, text: textKind, images: imageKind } as const;

export type DataKindName = keyof typeof dataKinds;
export const dataKindNames = Object.keys(dataKinds) as DataKindName[];

/** The kind of data that names none. */
const DEFAULT: DataKindName = "table";

/** A configuration of a kind of data with every default filled in: plain data, stored with every run. */
export type ConfigOf<K extends DataKindName> = z.output<(typeof dataKinds)[K]["schema"]>;

/** A configuration of a kind of data as users write it. */
export type InputOf<K extends DataKindName> =
  (typeof dataKinds)[K] extends DataKind<infer _, infer Input> ? Input : never;

/** A configuration of any kind, with every default filled in. */
export type RunConfig = { readonly [K in DataKindName]: ConfigOf<K> }[DataKindName];

/** A configuration of any kind, as users write it. */
export type RunInput = { readonly [K in DataKindName]: InputOf<K> }[DataKindName];

/** A kind of data whose methods must be given configurations of that kind, although their types take any. */
type AnyKind = DataKind<z.ZodType<RunConfig>, unknown>;
const byName: Readonly<Record<DataKindName, AnyKind>> = dataKinds;

/** The kind that a value of `data.kind` names; undefined when there is no such kind. */
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
 * The configuration, typed as of a kind. Throws {@link ConfigError} when it is of another kind, with a sentence that
 * says what needs that kind (`what`) and which configuration this is (`whose`).
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
