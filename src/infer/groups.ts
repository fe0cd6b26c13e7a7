/** Columns that name what several rows are of: a customer, a patient. Their rows should be in one split. */
import { argument } from "../reading/names.js";
import { count } from "../report/format.js";
import { type ColumnFigures, distinctShare, type Hint, numPresent } from "./column.js";

/** The name of a column that tells whose rows these are. */
const OWNER =
  /(^|[_\s.-])(customer|client|user|patient|subject|person|account|household|member|student|driver|device|session)([_\s.-]?(id|uuid|guid|key|no|number))?$/i;
const IDENTIFIER = /(^|[_\s.-])(id|uuid|guid|ID|UUID|GUID)$|[a-z](Id|ID)$/;

/** The fewest different values that are owners and not kinds. */
const FEWEST_VALUES = 20;
/** The share of different values up to which most have several rows. */
const MOST_DIFFERENT = 0.5;

/** That rows have an owner, for tables whose rows are split one by one. */
export function groupAdvice(columns: readonly ColumnFigures[]): Hint[] {
  const owners = columns.filter(
    (column) =>
      column.kind !== "time" &&
      (OWNER.test(column.name) || IDENTIFIER.test(column.name)) &&
      column.numDistinct >= FEWEST_VALUES &&
      distinctShare(column) <= MOST_DIFFERENT,
  );
  // The one with the most values is the finest.
  const [finest] = owners.sort((a, b) => b.numDistinct - a.numDistinct);
  if (finest === undefined) return [];
  const rows = count(Math.round(numPresent(finest) / finest.numDistinct));
  const text = `${finest.name} has about ${rows} rows a value: to be scored on values that training never saw, as those of new customers, add --group-by ${argument(finest.name)}`;
  return [{ kind: "groups", text }];
}
