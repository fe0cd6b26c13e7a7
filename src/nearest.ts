import leven from "leven";

/** The known name that a mistyped one most likely means: the closest, when it is close enough to be a slip. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const distance = (other: string) => leven(name.toLowerCase(), other.toLowerCase());
  const [best] = [...known].sort((a, b) => distance(a) - distance(b));
  const limit = Math.max(name.length > 3 ? 2 : 1, Math.floor(name.length / 3));
  return best !== undefined && distance(best) <= limit ? best : undefined;
}
