import leven from "leven";

const MAX_LENGTH = 100;

/** The known name that a mistyped one most likely means: the closest, when it is close enough to be a slip. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  // No slip is that long, and comparing takes time by the length.
  if (name.length > MAX_LENGTH) return undefined;
  const distance = (other: string) => leven(name.toLowerCase(), other.toLowerCase());
  const [best] = [...known].sort((a, b) => distance(a) - distance(b));
  const limit = Math.max(name.length > 3 ? 2 : 1, Math.floor(name.length / 3));
  // Of a name of one letter another letter is another name.
  const isSlip = best !== undefined && distance(best) <= limit && distance(best) < Math.max(name.length, best.length);
  return isSlip ? best : undefined;
}
