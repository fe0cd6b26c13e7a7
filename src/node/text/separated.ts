/** Files that hold many documents, with a text between each two. */

/** Some text of a file, and whether it is the last of it. */
interface Part {
  readonly text: string;
  readonly isLast: boolean;
}

/** Documents with more characters than this come in several parts. */
const LONGEST = 1 << 22;

/**
 * The documents between separators, from the parts of one file. The line end of a separator on a line of its own is
 * removed too, and a document of white space alone is left out. `onFound` is called for each separator.
 */
export async function* separated<P extends Part>(
  parts: AsyncIterable<P>,
  separator: string,
  onFound: () => void = () => {},
): AsyncGenerator<P, void, void> {
  let [held, searched, isAfterLine, hasBegun] = ["", 0, false, false];
  let last: P | undefined;
  for await (const part of parts) {
    last = part;
    held += part.text;
    for (;;) {
      if (isAfterLine && held !== "" && (held.length > 1 || part.isLast)) {
        held = held.replace(/^\r?\n/, "");
        isAfterLine = false;
      }
      const at = held.indexOf(separator, searched);
      if (at < 0) break;
      onFound();
      const text = held.slice(0, at);
      if (hasBegun || text.trim() !== "") yield { ...part, text, isLast: true };
      isAfterLine = !separator.endsWith("\n") && (text === "" ? !hasBegun : text.endsWith("\n"));
      [held, searched, hasBegun] = [held.slice(at + separator.length), 0, false];
    }
    // Text that may be the beginning of a separator is held back until the rest of it comes.
    searched = Math.max(0, held.length - separator.length + 1);
    if (held.length < LONGEST + separator.length || part.isLast) continue;
    const cut = held.lastIndexOf("\n", searched - 1) + 1 || searched;
    yield { ...part, text: held.slice(0, cut), isLast: false };
    [held, searched, hasBegun] = [held.slice(cut), Math.max(0, searched - cut), true];
  }
  if (last && (hasBegun || held.trim() !== "")) yield { ...last, text: held, isLast: true };
}
