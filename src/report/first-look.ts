/** A table at first sight, as lines of text that fit a width. */
import { columnLines, type DescriptionView, hintLines, labelled, onOneLine, sourceFacts } from "./description.js";
import { count, percent, shortTogether } from "./format.js";

/** A column, its contents, and the role that it would have. */
export interface LookedColumn {
  readonly figures: DescriptionView["columns"][number]["figures"] & {
    readonly numRows: number;
    readonly example: string | null;
    readonly kind: string;
    readonly numbers: {
      readonly count: number;
      readonly numWhole: number;
      readonly min: number;
      readonly max: number;
      readonly quantiles: readonly number[];
    } | null;
    readonly times: { readonly min: string; readonly max: string } | null;
  };
  readonly role: string;
  readonly reason: string;
  readonly frequent: readonly { readonly value: string; readonly count: number }[];
}

export interface FirstLookView {
  readonly source: DescriptionView["source"];
  readonly columns: readonly LookedColumn[];
  readonly hints: DescriptionView["hints"];
}

/** The source, the contents of its columns, and the next commands. */
export function firstLookLines({ source, columns, hints }: FirstLookView, width: number): string[] {
  const held = columns.map((column) => ({ ...column, reason: holds(column) }));
  const next =
    "name a column to predict, or an expression over columns, with --label: describe then shows what training would make of it, and train trains; a language model of a column of texts is learned with --field";
  return [
    ...labelled("data", sourceFacts(source, columns.length), width),
    "",
    ...columnLines(held, [], width, "holds"),
    ...hintLines(hints, width),
    "",
    ...labelled("next", next, width),
  ];
}

/** The values of a column, in words; for an ignored column, also why it is ignored. */
function holds({ figures, role, reason, frequent }: LookedColumn): string {
  const why = role === "ignored" ? reason : "";
  return [contents(figures, frequent), why].filter(Boolean).join("; ");
}

function contents(
  { numRows, numMissing, numDistinct, example, kind, numbers, times }: LookedColumn["figures"],
  frequent: LookedColumn["frequent"],
): string {
  if (numMissing === numRows) return "";
  if (frequent.length > 0) {
    const shares = frequent.map((one) => `${onOneLine(one.value, 24)} ${percent(one.count / (numRows - numMissing))}`);
    const others = numDistinct - frequent.length;
    return [...shares, ...(others > 0 ? [`${count(others)} other${others === 1 ? "" : "s"}`] : [])].join(", ");
  }
  if (times) return `${times.min.replace(/ 00:00:00$/, "")} to ${times.max.replace(/ 00:00:00$/, "")}`;
  if (numbers && kind === "number") {
    const { count, numWhole, min, max, quantiles } = numbers;
    const middle = quantiles[Math.floor(quantiles.length / 2)] ?? Number.NaN;
    // With many rows the median is an estimate, which need not be whole.
    const median = numWhole === count ? Math.round(middle) : middle;
    const [least, most, half] = shortTogether([min, max, median]);
    return `${least} to ${most}, median ${half}`;
  }
  return example === null ? "" : `as ${JSON.stringify(onOneLine(example, 40))}`;
}
