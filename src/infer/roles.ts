/** The role of a column, by rules over its figures, each with its reason in words. */
import { ConfigError } from "../errors.js";
import type { Wanted } from "../reading/decide.js";
import { columnOfFlag, columnsOfFlag, type NamedColumn } from "../reading/names.js";
import { count, percent, shortened, shortTogether } from "../report/format.js";
import {
  type ColumnDescription,
  type ColumnFigures,
  distinctShare,
  hasFrequent,
  numPresent,
  type Role,
} from "./column.js";

/** A role, and why. */
export type RoleChoice = Pick<ColumnDescription, "role" | "reason" | "isIdentifier">;

/** Roles that the user gave, by the names of columns. */
export interface RoleOverrides {
  readonly numeric?: readonly string[];
  readonly categorical?: readonly string[];
  readonly ignore?: readonly string[];
  /** The column by which the rows are split. */
  readonly time?: string;
}

/** Share of different values from which on a column counts as an identifier. */
const IDENTIFIES = 0.95;
/** Share of the rows that must have a frequent value, in a column of many values. */
const SELDOM = 0.1;
/** Whole numbers of at most so many different values are names. */
const FEW_NUMBERS = 12;
const ROWS_PER_NUMBER = 20;

const CODE_NAME =
  /(^|[_\s.-])(id|uuid|guid|key|code|zip|zip_?code|post_?code|sku|isbn|iban|phone)$|[a-z](Id|ID|Code|Zip|Key)$/i;
const KEY_NAME = /(^|[_\s.-])(id|uuid|guid|key|index|row|rowid|number|no)$|[a-z](Id|ID|Key|Index)$/i;

/** With more columns of few values, each is a quantity: an embedding table for each would take most of a step. */
const MANY_COLUMNS = 256;

/** The roles of columns that the user did not name; very many columns of booleans or few integers are quantities. */
export function rolesOf(columns: readonly ColumnFigures[]): RoleChoice[] {
  const roles = columns.map(roleOf);
  const areFew = columns.map(
    ({ kind, name }, i) =>
      roles[i]?.role === "categorical" && (kind === "boolean" || (kind === "number" && !CODE_NAME.test(name))),
  );
  const many = areFew.filter(Boolean).length;
  if (many <= MANY_COLUMNS) return roles;
  return roles.map((own, i) =>
    areFew[i] ? { role: "numeric", reason: `${own.reason}; a quantity, as ${count(many)} columns are so` } : own,
  );
}

/** The role of one column that the user did not name. */
export function roleOf(figures: ColumnFigures): RoleChoice {
  const { kind, numDistinct, numMissing, example, type } = figures;
  const present = numPresent(figures);
  if (kind === "other") {
    return ignored(`values of type ${type} are neither numbers, names nor times: write an expression of them`);
  }
  if (present === 0) return ignored("no value in any row");
  if (numDistinct <= 1 && numMissing === 0) return ignored(`constant: ${shown(example)} in every row`);
  if (kind === "time" || kind === "timeOfDay") return { role: "time", reason: spanOf(figures) };
  if (kind === "boolean") return { role: "categorical", reason: "true or false" };
  return kind === "number" ? roleOfNumbers(figures) : roleOfText(figures);
}

/** The role of a column that the user named. Throws {@link ConfigError} when its values cannot have it. */
export function givenRole(figures: ColumnFigures, role: Role): RoleChoice {
  const given = { role, reason: `as given with --${role === "ignored" ? "ignore" : role}` };
  if (role === "ignored") return given;
  const { name, kind, type, example } = figures;
  const present = numPresent(figures);
  if (kind === "other" || present === 0) {
    throw new ConfigError(
      `--${role} ${name}: a feature has values that are numbers, names or times, and ${present === 0 ? "it has none at all" : `its type is ${type}`}. Leave it out.`,
    );
  }
  const readable =
    role === "numeric"
      ? (figures.numbers?.count ?? (kind === "boolean" ? present : 0))
      : role === "time"
        ? Math.max(figures.times?.count ?? 0, kind === "timeOfDay" ? present : 0, kind === "number" ? present : 0)
        : present;
  const span = role === "time" ? `, ${spanOf(figures)}` : "";
  if (readable / present < 0.5) {
    throw new ConfigError(
      `--${role} ${name}: most values must read as ${role === "time" ? "points in time" : "numbers"}, and ${percent(readable / present)} do; one is ${shown(example)}. ` +
        `Give it another role, as --categorical ${name} or --ignore ${name}.`,
    );
  }
  return { ...given, reason: `${given.reason}${span}` };
}

/**
 * The roles that overrides give, by column.
 *
 * Throws {@link ConfigError} for a name that is no column, with the nearest one, and for a column with two roles.
 */
export function givenRoles(overrides: RoleOverrides, columns: readonly NamedColumn[]): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  const lists: readonly (readonly [string, Role, readonly NamedColumn[]])[] = [
    ["--numeric", "numeric", columnsOfFlag("--numeric", overrides.numeric ?? [], columns)],
    ["--categorical", "categorical", columnsOfFlag("--categorical", overrides.categorical ?? [], columns)],
    ["--ignore", "ignored", columnsOfFlag("--ignore", overrides.ignore ?? [], columns)],
    ["--time", "time", overrides.time === undefined ? [] : [columnOfFlag("--time", overrides.time, columns)]],
  ];
  for (const [flag, role, named] of lists) {
    for (const { name } of named) {
      const before = roles.get(name);
      if (before !== undefined && before !== role) {
        throw new ConfigError(
          `${flag} ${name}: a column has one role, and it is given as ${before} too. Name it once.`,
        );
      }
      roles.set(name, role);
    }
  }
  return roles;
}

/** How text is to be read for the roles that were given. */
export function wantedReadings(roles: ReadonlyMap<string, Role>): ReadonlyMap<string, Wanted> {
  const kinds = { numeric: "number", categorical: "text", time: "time", ignored: null, label: null } as const;
  return new Map(
    [...roles].flatMap(([name, role]): [string, Wanted][] => {
      const kind = kinds[role];
      return kind === null ? [] : [[name, kind]];
    }),
  );
}

function roleOfNumbers(figures: ColumnFigures): RoleChoice {
  const { name, numDistinct, numbers } = figures;
  const present = numPresent(figures);
  if (numbers === null) return ignored("no finite number in any row");
  const isWhole = numbers.numWhole + numbers.numInfinite === numbers.count;
  if (!isWhole) return numeric(figures);
  const isDense = numbers.max - numbers.min < 1.5 * present;
  if (present > 1 && distinctShare(figures) >= IDENTIFIES && (KEY_NAME.test(name) || (isDense && present >= 20))) {
    return identifier(figures, isDense ? ", as numbers of rows" : "");
  }
  if (CODE_NAME.test(name)) {
    const reason = `a code by its name, ${valuesWords(figures)}`;
    return isSeldomTheSame(figures)
      ? ignored(`${reason}: too seldom the same to learn from`)
      : { role: "categorical", reason };
  }
  if (numDistinct <= FEW_NUMBERS && present >= ROWS_PER_NUMBER * numDistinct) {
    return { role: "categorical", reason: `whole numbers, ${valuesWords(figures)}` };
  }
  return numeric(figures);
}

function roleOfText(figures: ColumnFigures): RoleChoice {
  const { numbers, text, numDistinct } = figures;
  const present = numPresent(figures);
  const share = distinctShare(figures);
  const words = text?.meanWords ?? 1;
  const length = text?.meanLength ?? 0;
  if (share >= 0.2 && numDistinct > FEW_NUMBERS && (words >= 4 || length >= 50)) {
    return ignored(`free text: ${Math.round(length)} characters on average`);
  }
  if (present > 1 && share >= IDENTIFIES) return identifier(figures);
  if (isSeldomTheSame(figures)) return ignored(`${identifierWords(figures)}: too seldom the same to learn from`);
  const mixed = numbers !== null && numbers.other !== null && numbers.count / present >= 0.5;
  const note = mixed ? `; ${percent(numbers.count / present)} read as numbers, others as ${shown(numbers.other)}` : "";
  return { role: "categorical", reason: `${valuesWords(figures)}${note}` };
}

/** Whether few rows have a frequent value, or no value is sure to be frequent among the training rows. */
function isSeldomTheSame(figures: ColumnFigures): boolean {
  const { frequencies } = figures;
  if (frequencies === null) return false;
  return frequencies.numRowsOfFrequent / numPresent(figures) < SELDOM || !hasFrequent(frequencies);
}

function numeric({ numbers }: ColumnFigures): RoleChoice {
  return { role: "numeric", reason: numbers ? shortTogether([numbers.min, numbers.max]).join(" to ") : "" };
}

function ignored(reason: string): RoleChoice {
  return { role: "ignored", reason };
}

function identifier(figures: ColumnFigures, note = ""): RoleChoice {
  return { ...ignored(`${identifierWords(figures)}${note}: an identifier`), isIdentifier: true };
}

function identifierWords(figures: ColumnFigures): string {
  const share = distinctShare(figures);
  return share === 1 ? "a different value in every row" : `a different value in ${percent(share)} of the rows`;
}

function valuesWords({ numDistinct, isExact }: ColumnFigures): string {
  return `${isExact ? "" : "about "}${count(numDistinct)} different value${numDistinct === 1 ? "" : "s"}`;
}

function spanOf({ times, kind }: ColumnFigures): string {
  if (kind === "number") return "a number";
  if (kind === "timeOfDay" || times === null) return "time of day";
  return `${times.min.slice(0, 10)} to ${times.max.slice(0, 10)}`;
}

function shown(example: string | null): string {
  return JSON.stringify(shortened(example ?? "", 30));
}
