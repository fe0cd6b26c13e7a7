/** Spans of time as text: 26:15:00, 90:30, 1h 5m 20s, 2 days 3 hours. */
import type { Shape } from "./census.js";

/** Units of a span as they are written after a number, from the longest on, with their seconds. */
export const SPAN_UNITS = [
  { name: "d|days?", seconds: 86_400 },
  { name: "h|hrs?|hours?", seconds: 3600 },
  { name: "m|mins?|minutes?", seconds: 60 },
  { name: "s|secs?|seconds?", seconds: 1 },
] as const;

/**
 * The regular expression of lower-case text that consists of numbers with units, each unit at most once, from the
 * longest on.
 */
export const SPAN_WORDS = SPAN_UNITS.map(({ name }) => `([0-9]+([.][0-9]+)? ?(${name}) ?,? ?)?`).join("");

const WORDS = new RegExp(`^${SPAN_WORDS}$`);
const SEVERAL = /[a-z].*[0-9].*[a-z]/;

/** The shapes that are spans in words; none unless some have two units, as a single unit may be that of a number. */
export function spansOf(shapes: readonly Shape[]): readonly Shape[] {
  const spans = shapes.filter(({ shape }) => WORDS.test(shape.toLowerCase()));
  return spans.some(({ shape }) => SEVERAL.test(shape.toLowerCase())) ? spans : [];
}
