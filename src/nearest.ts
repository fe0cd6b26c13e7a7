import leven from "leven";

const MAX_LENGTH = 100;
/** Letters of a word that is enough to tell a name by. */
const FEWEST_LETTERS = 4;

/**
 * The known name that another one most likely means: the closest, when it is close enough to be a slip, else the only one that
 * has all of its words, or that has no others ("steps" of "numSteps").
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  // No slip is that long, and comparing takes time by the length.
  if (name.length > MAX_LENGTH) return undefined;
  const distance = (other: string) => leven(name.toLowerCase(), other.toLowerCase());
  const [best] = [...known].sort((a, b) => distance(a) - distance(b));
  const limit = Math.max(name.length > 3 ? 2 : 1, Math.floor(name.length / 3));
  // Of a name of one letter another letter is another name.
  const isSlip = best !== undefined && distance(best) <= limit && distance(best) < Math.max(name.length, best.length);
  return isSlip ? best : onlyOneByWords(name, known);
}

function onlyOneByWords(name: string, known: readonly string[]): string | undefined {
  const [first, ...others] = known.filter(
    (other) => other.length <= MAX_LENGTH && (isPartOf(name, other) || isPartOf(other, name)),
  );
  return others.length === 0 ? first : undefined;
}

/** Whether the words of one name stand in another one, side by side. */
function isPartOf(part: string, whole: string): boolean {
  const [words, text] = [part, whole].map((name) => ` ${wordsOf(name).join(" ")} `) as [string, string];
  return words.trim().length >= FEWEST_LETTERS && text.includes(words);
}

/** The words of a name, as of "numSteps", "num_steps" or "Num steps", in lower case and in the singular. */
function wordsOf(name: string): string[] {
  const words = name.match(/\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})|[\p{Lo}\p{Lm}]+|\p{N}+/gu) ?? [];
  return words.map((word) => word.toLowerCase().replace(/(?<=..)s$/, ""));
}
