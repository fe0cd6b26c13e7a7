/** What a report says, as data: from it come a page of HTML and a text in Markdown that say the same. */

/** A cell of a table: its text, and the number by which the column sorts where the text is not one. */
export type Cell = string | { readonly text: string; readonly value: number };

/** The first column names the rows. */
export interface TableBlock {
  readonly kind: "table";
  /** What the table shows, in a few words. */
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A point of a line; `low` and `high` are the ends of its whisker, where it has one. */
export interface LinePoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}

/** Lines over a common axis. */
export interface LineChart {
  readonly kind: "lines";
  readonly title: string;
  /** How it is read, in a sentence. */
  readonly note: string;
  /** What is to be seen, in a sentence or two, for those who do not see it. */
  readonly alt: string;
  /** What the axes measure, with units. */
  readonly x: string;
  readonly y: string;
  /** Whether both axes go by factors, for numbers above 0 whose ratios are the point; false by default. */
  readonly isLog?: boolean | undefined;
  /** Names of the places 0, 1, 2, ... of `x`, where it has no numbers; each point then has its whisker. */
  readonly places?: readonly string[] | undefined;
  readonly series: readonly { readonly name: string; readonly points: readonly LinePoint[] }[];
}

/** Values with intervals, one row each, and the single values that they are made of. */
export interface DotChart {
  readonly kind: "dots";
  readonly title: string;
  readonly note: string;
  readonly alt: string;
  readonly x: string;
  /** Where a line stands that values are compared with. */
  readonly reference?: number | undefined;
  readonly rows: readonly {
    readonly name: string;
    readonly value: number;
    /** Of its interval; left out, or NaN, where there is none. */
    readonly low?: number | undefined;
    readonly high?: number | undefined;
    readonly values: readonly number[];
    /** The same in words, as "0.4566 (0.4550 to 0.4582)". */
    readonly shown: string;
  }[];
}

export type ChartBlock = LineChart | DotChart;

export type Block =
  | { readonly kind: "heading"; readonly level: 2 | 3; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "code"; readonly text: string }
  /** What most readers skip: it can be opened. */
  | { readonly kind: "more"; readonly summary: string; readonly blocks: readonly Block[] }
  | TableBlock
  | ChartBlock;

/** A report. */
export interface Page {
  readonly title: string;
  /** When, where and by which version it was made. */
  readonly made: string;
  readonly blocks: readonly Block[];
  /** The names that have a colour of their own, in the order of the colours: the same in every chart of the page. */
  readonly coloured: readonly string[];
}

export const heading = (text: string, level: 2 | 3 = 2): Block => ({ kind: "heading", level, text });
export const text = (words: string): Block => ({ kind: "text", text: words });
export const list = (items: readonly string[]): Block => ({ kind: "list", items });
export const code = (words: string): Block => ({ kind: "code", text: words });

/** The text of a cell. */
export function textOf(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.text;
}
