/** Presets for well-known data and networks, by name: what they set is not inferred. */
import type { TableRunInput } from "../run/input/run.js";
import type { RoleOverrides } from "./roles.js";

export interface Preset {
  /** In a few words, for help and errors. */
  readonly what: string;
  /** How the data is read. */
  readonly data?: Pick<TableRunInput["data"], "columns"> & { readonly label: string; readonly roles: RoleOverrides };
  /** What is trained on it. */
  readonly training: Pick<TableRunInput, "optimizer"> & { readonly hidden: readonly number[] };
}

/** The click network of Anil et al. 2018, section 4.1: ReLU layers of 2560, 1024 and 256, Adagrad. */
const wide: Preset["training"] = {
  hidden: [2560, 1024, 256],
  optimizer: { kind: "adagrad", learningRate: 1e-3 },
};

const numbered = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
const [integers, names] = [numbered("I", 13), numbered("C", 26)];

export const presets = {
  wide: { what: "the click network of the paper, 2560-1024-256 with Adagrad", training: wide },
  criteo: {
    what: "Criteo's click logs in their own form (TSV without a header: label, 13 counts, 26 names), with the wide network",
    data: {
      columns: ["label", ...integers, ...names],
      label: "label",
      roles: { numeric: integers, categorical: names },
    },
    training: wide,
  },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof presets;

export const presetNames = Object.keys(presets) as PresetName[];
