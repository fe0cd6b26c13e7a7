/** Columns that tell much of the same, by the information that they share. */

/** The most ranges of ordered values. */
const MOST_RANGES = 16;

/** The share of its information that a column must share with another one to be of its group. */
const MUCH = 0.5;

/** A column whose information is shared by chance up to this share has too many values for its rows to tell. */
const MOST_BY_CHANCE = 0.9;

/** The ranges that ordered values are in, 0 being the lowest: at most 16, of about equally many values. */
export function rangesOf(values: Float64Array): Uint32Array {
  const order = Uint32Array.from(values, (_, i) => i).sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranges = new Uint32Array(values.length);
  let range = 0;
  order.forEach((row, rank) => {
    const isEqual = rank > 0 && values[order[rank - 1] as number] === values[row];
    if (!isEqual) range = Math.floor((rank * MOST_RANGES) / values.length);
    ranges[row] = range;
  });
  return ranges;
}

/** The values of a column as whole numbers below 2^16, equal ones for equal values: as they are, and at other rows. */
export interface Measured {
  readonly values: Uint32Array;
  readonly moved: Uint32Array;
  /** Of both. */
  readonly entropy: number;
}

/**
 * What is compared of a column.
 *
 * @param givers - the row from which each row has its moved value, as `donors` has them: [n]
 */
export function measured(values: Uint32Array, givers: Uint32Array): Measured {
  return { values, moved: givers.map((giver) => values[giver] as number), entropy: entropy(values) };
}

/**
 * The information that two columns share, as a share of what the one with less information has:
 *
 *     (I(a; b) - I(a; b')) / (min(H(a), H(b)) - I(a; b'))
 *
 * where b' is b with its values at other rows, which shares information by chance alone (the adjusted mutual information
 * of Vinh, Epps and Bailey 2010, its expectation drawn), and I(a; b) = H(a) + H(b) - H(a, b). It is 1 where one column
 * follows from the other, and about 0 where they are independent, or have too many values for so few rows.
 */
export function sharedInformation(a: Measured, b: Measured): number {
  const least = Math.min(a.entropy, b.entropy);
  const information = (values: Uint32Array) => a.entropy + b.entropy - jointEntropy(a.values, values);
  const byChance = information(b.moved);
  if (!(byChance < MOST_BY_CHANCE * least)) return 0;
  return (information(b.values) - byChance) / (least - byChance);
}

/** Groups of two or more columns, by index, in which each shares half of its information with another, or more. */
export function alike(columns: readonly Uint32Array[], givers: Uint32Array): number[][] {
  let groups: number[][] = [];
  const all = columns.map((column) => measured(column, givers));
  all.forEach((column, i) => {
    const isLinked = (group: readonly number[]) =>
      group.some((other) => sharedInformation(all[other] as Measured, column) >= MUCH);
    const linked = groups.filter(isLinked);
    groups = [...groups.filter((group) => !linked.includes(group)), [...linked.flat(), i]];
  });
  return groups.filter((group) => group.length > 1).map((group) => group.sort((a, b) => a - b));
}

/** The entropy of pairs of values. */
function jointEntropy(a: Uint32Array, b: Uint32Array): number {
  const width = 1 + b.reduce((most, value) => Math.max(most, value), 0);
  return entropy(a.map((value, i) => value * width + (b[i] as number)));
}

/** - sum of p ln p over the values, by their shares p. */
function entropy(values: Uint32Array): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let sum = 0;
  for (const count of counts.values()) sum -= (count / values.length) * Math.log(count / values.length);
  return sum;
}
