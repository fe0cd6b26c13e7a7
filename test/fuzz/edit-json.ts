/** One change somewhere in a JSON value, as text: so names can be given twice, and numbers be what no value is. */
import type { Draw } from "./draw.js";

const wild = [
  ..."null true false 0 -0 1 2 -1 1.5 1e999 -1e999 1e-400 9007199254740991 9007199254740993 18446744073709551616".split(
    " ",
  ),
  ...["NaN", "Infinity", "01", "", "[]", "{}", "[0]", "[[]]", "[0,0]", "[1,null]", '""', '"1"', '"x"', '"\\ud800"'],
  ...['"__proto__"', '{"__proto__":{"polluted":1}}', '{"toString":1,"valueOf":1}', '{"toJSON":1}', '"F32"', '"F64"'],
  "[".repeat(5000) + "]".repeat(5000),
  `"${"x".repeat(2000)}"`,
];
const names = ["__proto__", "constructor", "prototype", "toString", "toJSON", "", "x", "version", "__metadata__", "é"];
const kinds = ["replace", "remove", "before", "after", "extra", "rename", "nudge"] as const;

/** The JSON text of an object or list with one of its members, at any depth, changed. */
export function editJson(value: unknown, draw: Draw): string {
  const target = draw.int(countMembers(value));
  const kind = draw.pick(kinds);
  let at = 0;

  function render(value: unknown): string {
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    if (Array.isArray(value)) return `[${value.flatMap((item) => member(undefined, item)).join(",")}]`;
    return `{${Object.entries(value)
      .flatMap(([name, item]) => member(name, item))
      .join(",")}}`;
  }
  function member(name: string | undefined, item: unknown): string[] {
    const isTarget = at++ === target;
    const as = (text: string, other = name) => (name === undefined ? text : `${JSON.stringify(other)}:${text}`);
    const text = render(item);
    if (!isTarget) return [as(text)];
    if (kind === "replace") return [as(draw.pick(wild))];
    if (kind === "remove") return [];
    if (kind === "before") return [as(draw.pick(wild)), as(text)];
    if (kind === "after") return [as(text), as(draw.pick(wild))];
    if (kind === "extra") return [as(text), as(draw.pick(wild), draw.pick(names))];
    if (kind === "rename") return [as(text, draw.pick(names))];
    return [as(typeof item === "number" ? String(nudged(item, draw)) : JSON.stringify(text))];
  }
  return render(value);
}

function nudged(value: number, draw: Draw): number {
  return draw.pick([value + 1, value - 1, -value, value * 2 ** 32, value + 0.5, value * 2, value + 4, value - 4]);
}

function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, item) => sum + 1 + countMembers(item), 0);
}
