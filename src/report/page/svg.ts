/** Parts of drawings as SVG: elements, axes, and the scales behind them. */

/** Text in which nothing is markup, for elements and for attributes between double quotes. */
export function escapeMarkup(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (mark) => entities[mark] as string);
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element with attributes, which are escaped, and content, which is markup already. */
export function element(name: string, attributes: Attributes, content = ""): string {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined);
  const inside = given.map(([key, value]) => ` ${key}="${escapeMarkup(String(value))}"`).join("");
  return `<${name}${inside}>${content}</${name}>`;
}

/** A text in a drawing. */
export function label(words: string, x: number, y: number, attributes: Attributes = {}): string {
  return element("text", { x: round(x), y: round(y), ...attributes }, escapeMarkup(words));
}

export function line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes): string {
  return element("line", { x1: round(x1), y1: round(y1), x2: round(x2), y2: round(y2), ...attributes });
}

/** To a tenth of a pixel. */
export function round(pixels: number): number {
  return Math.round(10 * pixels) / 10;
}

/** An axis from numbers to pixels, with numbers that are easy to read on it. */
export interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
  readonly show: (tick: number) => string;
}

/** Steps between ticks, times a power of ten. */
const STEPS = [1, 2, 5, 10];

/**
 * A linear scale of the values between two numbers on the pixels between two others. `around` widens it to whole ticks.
 */
export function scaleOf(
  [least, most]: readonly [number, number],
  [from, to]: readonly [number, number],
  { about, around = false }: { readonly about: number; readonly around?: boolean },
): Scale {
  const [low, high] =
    least < most ? [least, most] : [least - (Math.abs(least) || 1) / 2, most + (Math.abs(most) || 1) / 2];
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = (STEPS.find((one) => one * power >= rough * (1 - 1e-9)) ?? 10) * power;
  const [start, end] = around
    ? [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step]
    : [low, high];
  const first = Math.ceil(start / step - 1e-9);
  const last = Math.floor(end / step + 1e-9);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return {
    at: (value) => from + ((value - start) / (end - start)) * (to - from),
    ticks: Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step),
    show: (tick) =>
      (Math.abs(tick) < step / 2 ? 0 : tick).toLocaleString("en-US", {
        minimumFractionDigits: Math.min(digits, 12),
        maximumFractionDigits: Math.min(digits, 12),
      }),
  };
}

/** From how many powers of ten on ticks are at these alone, and from how few values it takes halves and fifths between them. */
const MANY_DECADES = 4;
const OUTSIDE = 10;

/** A scale on which equal factors are equally far apart, of values above 0. `base` 2 has ticks at the doublings of `least`. */
export function logScaleOf(
  [least, most]: readonly [number, number],
  [from, to]: readonly [number, number],
  { base }: { readonly base: 2 | 10 },
): Scale {
  const [low, high] = least < most ? [least, most] : [least / 2, most * 2];
  // An interval may reach to 0 or below, which is infinitely far down: its end is outside of the drawing.
  const at = (value: number) =>
    from + (Math.log(Math.max(value, low / OUTSIDE) / low) / Math.log(high / low)) * (to - from);
  const show = (tick: number) => tick.toLocaleString("en-US", { maximumSignificantDigits: 3 });
  if (base === 2) {
    const doublings = Math.floor(Math.log2(high / low) + 1e-9);
    return { at, show, ticks: Array.from({ length: doublings + 1 }, (_, i) => low * 2 ** i) };
  }
  const decades = Math.log10(high / low);
  const parts = decades > MANY_DECADES ? [1] : decades > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8];
  const first = Math.floor(Math.log10(low));
  const all = Array.from({ length: Math.ceil(decades) + 2 }, (_, i) => parts.map((part) => part * 10 ** (first + i)));
  return { at, show, ticks: all.flat().filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) };
}

/** The shapes of points, so that colour is not all that tells them apart. */
const shapes: readonly ((x: number, y: number, r: number) => string)[] = [
  (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`,
  (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`,
  (x, y, r) => `M${x} ${y - r * 1.3}L${x + r * 1.2} ${y + r}L${x - r * 1.2} ${y + r}Z`,
  (x, y, r) => `M${x} ${y - r * 1.4}L${x + r * 1.4} ${y}L${x} ${y + r * 1.4}L${x - r * 1.4} ${y}Z`,
  (x, y, r) => `M${x} ${y + r * 1.3}L${x + r * 1.2} ${y - r}L${x - r * 1.2} ${y - r}Z`,
];

/** The dashes of lines, for the same reason; as many as there are colours. */
const dashes = ["", "7 3", "2 3", "9 3 2 3", "12 4", "4 3", "1 4", "6 2 2 2 2 2"];

/** How many names have a colour of their own. */
export const NUM_COLOURS = dashes.length;

/** The look of the name at a place of the page's list: a class, of which the style sheet knows the colour, a dash and a shape. */
export interface Look {
  readonly colour: string;
  readonly dash: string | undefined;
  readonly marker: (x: number, y: number, r?: number, more?: Attributes) => string;
}

/** Names beyond the colours begin again with another dash and shape. */
export function lookOf(place: number): Look {
  const at = Math.max(0, place);
  const dash = dashes[(at + Math.floor(at / NUM_COLOURS)) % dashes.length];
  const shape = shapes[at % shapes.length] as (typeof shapes)[number];
  const colour = `c${at % NUM_COLOURS}`;
  return {
    colour,
    dash: dash === "" ? undefined : dash,
    marker: (x, y, r = 4, more = {}) =>
      element("path", { class: `${colour} point`, d: shape(round(x), round(y), r), ...more }),
  };
}
