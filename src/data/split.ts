/**
 * Splits of rows by rank: whether a unit (a row, or rows that stay together) is for validation, test or training. The
 * units are taken in the order of a hash, so the split is random, yet the same every time, and the shares are exact to
 * rounding.
 */

/** Shares of all rows, each above 0 and together below 1; the other rows are for training. */
export interface SplitShares {
  readonly validation: number;
  readonly test: number;
}

/** One of the folds into which all rows are dealt, counted from 1. */
export interface Fold {
  readonly number: number;
  readonly of: number;
}

/** A split of rows, as a configuration declares it. */
export interface RowSplit {
  readonly kind: "rows";
  readonly shares: SplitShares;
  /** Another seed gives another split. */
  readonly seed: number;
  /** SQL over a row: rows of one value are in one split; rows without a value are split one by one. */
  readonly groupBy?: string;
  /** Rows that are equal in all features are in one split, unless they are more than {@link mostEqual}. */
  readonly keepEqual: boolean;
  /** Each split has every class in proportion, and one unit at least of a class of {@link UNITS_FOR_ALL} units. */
  readonly stratify: boolean;
  /** Predicate: other rows are in no split. */
  readonly where?: string;
  /** The fold that is the test split, whatever its share. */
  readonly fold?: Fold;
}

/** The fewest units that suffice for one in every split. */
export const UNITS_FOR_ALL = 3;

/** The most rows equal in all features that stay together; a larger number of them is a common case, not copies. */
export function mostEqual(numRows: number): number {
  return Math.max(2, Math.floor(numRows / 100));
}

/** The numbers of rows and of units of one class, or of all rows. */
export interface Stratum {
  readonly rows: number;
  readonly units: number;
  /** Rows of the second smallest unit; 1 where rows are split one by one. */
  readonly second: number;
}

/** The numbers of rows of a stratum for validation and for test; the others are for training. */
export interface Quota {
  readonly validation: number;
  readonly test: number;
}

/**
 * How many rows of each stratum are for validation and for test: together the shares of all rows, to rounding,
 * apportioned by largest remainders. A stratum of at least {@link UNITS_FOR_ALL} units has one in every split, so many
 * rare classes may raise the shares. A smaller stratum is for training; when all strata are smaller, the caller joins
 * them into one. A quota holds at least the second smallest unit.
 */
export function quotasOf(strata: readonly Stratum[], shares: SplitShares): Quota[] {
  const isLarge = ({ units }: Stratum) => units >= UNITS_FOR_ALL;
  const numRows = sumOf(strata.map(({ rows }) => rows));
  const wanted = (share: number) => Math.max(1, Math.round(share * numRows));
  const least = strata.map((one) => Number(isLarge(one)));
  const weights = strata.map((one) => (isLarge(one) ? one.rows : 0));
  // Two rows are left for validation and training, then one for training.
  const test = apportioned(wanted(shares.test), weights, least, (i) => (weights[i] ?? 0) - 2);
  const validation = apportioned(
    wanted(shares.validation),
    weights,
    least,
    (i) => (weights[i] ?? 0) - (test[i] ?? 0) - 1,
  );
  return strata.map((one, i) => {
    const atLeast = (quota = 0) => (isLarge(one) ? Math.max(quota, one.second) : 0);
    return { validation: atLeast(validation[i]), test: atLeast(test[i]) };
  });
}

/** Divide a total into whole parts in proportion to weights, by largest remainders, within bounds. */
function apportioned(
  total: number,
  weights: readonly number[],
  least: readonly number[],
  mostOf: (i: number) => number,
): number[] {
  const all = sumOf(weights);
  const exact = weights.map((weight) => (all === 0 ? 0 : (total * weight) / all));
  const most = weights.map((_, i) => Math.max(least[i] ?? 0, mostOf(i)));
  const parts = exact.map((part, i) => Math.min(most[i] ?? 0, Math.max(least[i] ?? 0, Math.floor(part))));
  const excess = (i: number) => (parts[i] as number) - (exact[i] as number);
  for (let left = total - sumOf(parts); left !== 0; left -= Math.sign(left)) {
    const isShort = left > 0;
    const open = parts.flatMap((part, i) => ((isShort ? part < most[i]! : part > least[i]!) ? [i] : []));
    if (open.length === 0) break;
    const next = open.reduce((best, i) => ((isShort ? excess(i) < excess(best) : excess(i) > excess(best)) ? i : best));
    parts[next]! += Math.sign(left);
  }
  return parts;
}

export const TRAIN = 0;
export const VALIDATION = 1;
export const TEST = 2;

/** Assigns units to splits, one after another in the order of their hash. */
export interface Placing {
  /** The split of a unit. `coin`, in [0, 1) by its hash, decides between test and validation while both have room. */
  place(stratum: number, rows: number, coin: number): typeof TRAIN | typeof VALIDATION | typeof TEST;
  /** Whether test and validation are full, so that all further units are for training. */
  isFull(): boolean;
}

/**
 * Assigns units first fit. When both validation and test have room for all rows of a unit, it goes to the one that is
 * still empty, else by its coin; when neither has room, it is for training. With quotas of {@link quotasOf} a stratum
 * of three units has one in each split.
 */
export function placing(quotas: readonly Quota[]): Placing {
  const states = quotas.map(({ validation, test }) => ({
    left: [0, validation, test] as [number, number, number],
    isEmpty: [true, true, true],
    share: test / (validation + test),
  }));
  let numLeft = sumOf(quotas.map(({ validation, test }) => validation + test));
  return {
    place(stratum, rows, coin) {
      const state = states[stratum];
      if (!state) throw new Error(`internal: no stratum ${stratum}`);
      const { left, isEmpty } = state;
      const fitting = ([TEST, VALIDATION] as const).filter((split) => rows <= left[split]);
      const empty = fitting.filter((split) => isEmpty[split]);
      const [first, second] = empty.length === 1 ? empty : fitting;
      if (first === undefined) return TRAIN;
      const split = second === undefined || coin < state.share ? first : second;
      left[split] -= rows;
      isEmpty[split] = false;
      numLeft -= rows;
      return split;
    },
    isFull: () => numLeft === 0,
  };
}

/**
 * Deals units to folds, one after another: each to the fold with the fewest rows of its stratum, of several such to the one
 * with the fewest rows. So every fold has each class in proportion, and each unit is tested in one fold. Of the units that
 * are in other folds than the tested one, the first validate, up to their quota, and the rest train. A stratum of one unit
 * trains in every fold, as what is tested must have been learned.
 */
export function foldPlacing(strata: readonly Stratum[], quotas: readonly Quota[], { number, of }: Fold): Placing {
  const totals = new Float64Array(of);
  const states = strata.map((_, i) => ({ rows: new Float64Array(of), left: quotas[i]?.validation ?? 0 }));
  return {
    place(stratum, rows) {
      const state = states[stratum];
      if (!state) throw new Error(`internal: no stratum ${stratum}`);
      if ((strata[stratum]?.units ?? 0) < 2) return TRAIN;
      const own = state.rows;
      let fold = 0;
      for (let k = 1; k < of; k++) {
        const difference = own[k]! - own[fold]! || totals[k]! - totals[fold]!;
        if (difference < 0) fold = k;
      }
      own[fold]! += rows;
      totals[fold]! += rows;
      if (fold === number - 1) return TEST;
      if (rows > state.left) return TRAIN;
      state.left -= rows;
      return VALIDATION;
    },
    // The folds of all units before it decide that of a unit.
    isFull: () => false,
  };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
