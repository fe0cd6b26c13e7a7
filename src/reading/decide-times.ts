/** How a column of times is read: which patterns, and which of two numbers is the day. */
import type { Shape } from "./census.js";
import type { TimeReading } from "./reading.js";
import { editedTime, guardOf, hasClock, hasDate, writtenAs, zoneOf } from "./time-text.js";

/** The part of a date that comes first: the day, or the month. */
export type Order = "day" | "month";

export interface TimeChoice {
  readonly reading: TimeReading | { readonly as: "timeOfDay"; readonly formats: readonly string[] };
  /** The shapes of the values that fit a pattern. */
  readonly fits: readonly Shape[];
  /** A value that may be read in two ways, and how it is; null where the text decides. */
  readonly open: {
    readonly example: string;
    readonly order: Order;
    readonly why: string;
    readonly other: string;
  } | null;
}

const MOST_FORMATS = 8;

/** Shapes of one pattern. */
interface Group {
  readonly format: string;
  readonly isOpen: boolean;
  readonly shapes: readonly Shape[];
}

/** The order that the numbers of open patterns prove; "both" where some prove one and some the other. */
export function provenOrder(shapes: readonly Shape[]): Order | "both" | null {
  const open = groupsOf(shapes).filter(({ isOpen }) => isOpen);
  const orders = new Set(open.map((group) => orderOf(group.shapes)).filter((order) => order !== null));
  if (orders.size > 1 || orders.has("both")) return "both";
  return [...orders][0] ?? null;
}

/**
 * Decide on patterns for the values that are times, the most frequent first. Where the column does not prove which
 * number is the day, the order is what other columns of the source prove (`fileOrder`); else the day first with dots,
 * the month first with AM and PM, and the day first otherwise.
 *
 * Null where no value is a time, or where values of one pattern prove both orders.
 */
export function decideTimes(shapes: readonly Shape[], fileOrder: Order | null): TimeChoice | null {
  const groups = groupsOf(shapes);
  if (groups.length === 0) return null;
  const own = provenOrder(shapes);
  let open: TimeChoice["open"] = null;
  const formats: string[] = [];
  for (const { format, isOpen, shapes: of } of groups.slice(0, MOST_FORMATS)) {
    if (!isOpen) {
      formats.push(format);
      continue;
    }
    const proven = orderOf(of);
    if (proven === "both") return null;
    const [order, why] =
      proven !== null
        ? [proven, null]
        : own === "day" || own === "month"
          ? [own, null]
          : assumedOrder(format, of, fileOrder);
    if (isYearFirst(of) && format.endsWith("%y")) {
      formats.push(format.replace("%y", "%d").replace("%1", "%y").replace("%2", "%m"));
      continue;
    }
    formats.push(ordered(format, order));
    if (why !== null)
      open ??= { example: of[0]?.min ?? "", order, why, other: ordered(format, order === "day" ? "month" : "day") };
  }
  const fits = groups.slice(0, MOST_FORMATS).flatMap(({ shapes: of }) => of);
  return { reading: readingOf(formats, fits), fits, open };
}

/** The reading by the patterns that the user gave; null where no value fits one of them. */
export function givenTimes(shapes: readonly Shape[], formats: readonly string[]): TimeChoice | null {
  const fitsOne = (of: readonly string[]) => (shape: Shape) =>
    of.some((format) => new RegExp(`^(${guardOf(format)})$`).test(editedTime(shape.shape)));
  if (!shapes.some(fitsOne(formats))) return null;
  const fits = shapes.filter(fitsOne([...formats, "iso"]));
  return { reading: readingOf(formats, fits), fits, open: null };
}

function readingOf(formats: readonly string[], shapes: readonly Shape[]): TimeChoice["reading"] {
  if (!formats.some(hasDate)) return { as: "timeOfDay", formats };
  const zones = shapes.map(({ min }) => zoneOf(min)).filter((zone) => zone !== null);
  const hasTime = shapes.some(({ shape }) => shape.includes(":")) || formats.some(hasClock);
  return {
    as: "time",
    formats,
    ...(!hasTime && { days: true as const }),
    ...(zones.length > 0 && { zone: zones.includes("offset") ? ("offset" as const) : ("Z" as const) }),
  };
}

function groupsOf(shapes: readonly Shape[]): Group[] {
  const groups = new Map<string, { isOpen: boolean; shapes: Shape[] }>();
  for (const shape of shapes) {
    const written = writtenAs(shape.shape);
    if (written === null) continue;
    const group = groups.get(written.format) ?? { isOpen: written.isOpen, shapes: [] };
    group.shapes.push(shape);
    groups.set(written.format, group);
  }
  return [...groups].map(([format, group]) => ({ format, ...group })).sort((a, b) => total(b.shapes) - total(a.shapes));
}

/** The order that numbers above 12 prove, since there are 12 months. */
function orderOf(shapes: readonly Shape[]): Order | "both" | null {
  if (isYearFirst(shapes)) return null;
  const isDayFirst = shapes.some(({ first }) => first[1] > 12);
  const isMonthFirst = shapes.some(({ second }) => second[1] > 12);
  if (isDayFirst && isMonthFirst) return "both";
  return isDayFirst ? "day" : isMonthFirst ? "month" : null;
}

/**
 * Whether a year of two digits comes first: the first number is above 31, or it is above 12 and varies less than the
 * third, where the second and the third can be month and day.
 */
function isYearFirst(shapes: readonly Shape[]): boolean {
  const range = (part: "first" | "second" | "third") =>
    [Math.min(...shapes.map((shape) => shape[part][0])), Math.max(...shapes.map((shape) => shape[part][1]))] as const;
  const [first, second, third] = [range("first"), range("second"), range("third")];
  const isShort = shapes.every(({ shape }) => !shape.includes("0000"));
  if (first[1] > 31) return isShort;
  return isShort && first[1] > 12 && second[1] <= 12 && third[1] <= 31 && first[1] - first[0] < third[1] - third[0];
}

function assumedOrder(format: string, shapes: readonly Shape[], fileOrder: Order | null): readonly [Order, string] {
  const spread = (part: "first" | "second") =>
    [Math.min(...shapes.map((shape) => shape[part][0])), Math.max(...shapes.map((shape) => shape[part][1]))] as const;
  const [first, second] = [spread("first"), spread("second")];
  if (second[1] === 1 && first[1] > 1) return ["month", "the second number is 1 throughout, as the first of a month"];
  if (first[1] === 1 && second[1] > 1) return ["day", "the first number is 1 throughout, as the first of a month"];
  if (fileOrder !== null) return [fileOrder, "as in other columns"];
  if (format.startsWith("%1.")) return ["day", "dates with dots begin with the day"];
  if (format.endsWith("%p")) return ["month", "with AM and PM the month is first"];
  return ["day", "nothing in the column says which, and the day is first then"];
}

function ordered(format: string, order: Order): string {
  const [first, second] = order === "day" ? ["%d", "%m"] : ["%m", "%d"];
  return format.replace("%1", first).replace("%2", second);
}

function total(shapes: readonly Shape[]): number {
  return shapes.reduce((sum, { count }) => sum + count, 0);
}
