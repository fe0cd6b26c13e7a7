/** What the reports of studies say beside their figures: arms, configuration, data. */
import { count } from "../report/format.js";
import { type Block, type Cell, code, list, text } from "../report/page/blocks.js";
import { type Difference, differences } from "../run/config-diff.js";
import type { RunConfig } from "../run/schema.js";
import { armNames } from "./arms.js";
import type { Target } from "./figures.js";
import { differencesTable, nonDefaults, settingsLines } from "./settings.js";
import type { Study } from "./study.js";

/** What the page says beside the figures. */
export interface ComparisonFacts {
  readonly study: Study;
  readonly base: RunConfig;
  readonly arms: readonly {
    readonly name: string;
    readonly what: string;
    readonly config: RunConfig | null;
    readonly ensembleOf?: string | undefined;
  }[];
  readonly seeds: readonly number[];
  readonly reference: string;
  readonly target: Target;
  readonly commands: readonly string[];
  /** What its user says of it. */
  readonly notes?: readonly string[] | undefined;
  /** Names of runs that are not done. */
  readonly open: readonly string[];
  /** Of the data, as the first run found it; null where none has. */
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number } | null;
  readonly machine: string;
  /** When it was measured, and by which version. */
  readonly made: string;
}

/** What each arm is, and what trains in it. */
export function armsBlocks(arms: ComparisonFacts["arms"]): Block[] {
  return [
    list(
      arms.map(({ name, what }) =>
        armNames.includes(name) ? `${name}: ${what}` : `${name}: the configuration as it stands, with ${what}`,
      ),
    ),
    groupsTable(arms),
  ];
}

/** The runs that are not done, where there are some. */
export function openBlocks(open: ComparisonFacts["open"]): Block[] {
  return open.length === 0 ? [] : [text(`Not done: ${open.length} of the runs (${open.slice(0, 20).join(", ")}).`)];
}

/** What trains in each arm: arms differ in it by their nature, and one's own has what the configuration has. */
function groupsTable(arms: ComparisonFacts["arms"]): Block {
  return {
    kind: "table",
    caption: "Groups of each arm",
    head: ["arm", "groups", "batch of a group", "data.regime", "algorithm"],
    rows: arms.flatMap(({ name, config }): Cell[][] => {
      if (config === null) return [];
      const { numGroups, globalBatchSize, data, algorithm } = config;
      const cell = (value: number): Cell => ({ text: count(value), value });
      return [[name, cell(numGroups), cell(globalBatchSize), data.regime, algorithm.kind]];
    }),
  };
}

/** The sizes of the splits, the configuration, and what is not the default in it. */
export function optionBlocks({ base, rows }: Pick<ComparisonFacts, "base" | "rows">): Block[] {
  const own = nonDefaults(base);
  return [
    ...(rows
      ? [
          text(
            `Rows or documents: ${count(rows.train)} of training, ${count(rows.validation)} of validation, ${count(rows.test)} of test.`,
          ),
        ]
      : []),
    code(settingsLines(base)),
    ...(own.length === 0
      ? [text("All other options have their defaults.")]
      : [differencesTable("Options that are not the defaults", own, ["default", "here"])]),
  ];
}

/** Of more changes than these the table is closed at first. */
const MOST_SHOWN = 12;

/** The same, and what each arm changes. */
export function configurationBlocks({ base, arms, rows }: ComparisonFacts): Block[] {
  const changes = arms.flatMap(({ name, config }) =>
    config === null
      ? []
      : changesOf(base, config).map((difference) => ({ ...difference, path: `${name}: ${difference.path}` })),
  );
  const what = "What each arm changes, and the data of its groups";
  const table = differencesTable(what, changes, ["configuration", "arm"]);
  return [
    ...optionBlocks({ base, rows }),
    changes.length > MOST_SHOWN ? { kind: "more", summary: what, blocks: [table] } : table,
  ];
}

/** What an arm changes, and what data its groups have also where that is not changed: an arm is named by it. */
function changesOf(base: RunConfig, config: RunConfig): Difference[] {
  const changes = differences(base, config);
  const [path, before, now] = ["data.regime", base.data.regime, config.data.regime];
  return changes.some((change) => change.path === path) ? changes : [...changes, { path, before, now }];
}
