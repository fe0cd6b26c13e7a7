/** Words as a POSIX shell reads them. */

const PLAIN = /^[\w@%+=:,./-]+$/;

/** A text as one word of a shell line: whatever is in it, the shell passes it on as it is, and runs nothing of it. */
export function quoted(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The words of a command as those of a shell line. The first one would be an assignment if it had an `=`. */
export function quotedWords(words: readonly string[]): string[] {
  return words.map((word, i) => (i === 0 && PLAIN.test(word) && word.includes("=") ? `'${word}'` : quoted(word)));
}

/** A command as a shell line. */
export function shellLine(words: readonly string[]): string {
  return quotedWords(words).join(" ");
}

/** Words that are quoted already as a shell line, folded between options so that it is at most `width` wide, where that can be. */
export function foldedLine(words: readonly string[], indent = "  ", width = 78): string {
  const lines: string[] = [];
  let line = "";
  for (const unit of withValues(words)) {
    if (line === "") line = unit;
    else if (line.length + 1 + unit.length <= width) line += ` ${unit}`;
    else {
      lines.push(line);
      line = indent + unit;
    }
  }
  return [...lines, line].join(" \\\n");
}

/** Words, each option together with its value. */
function withValues(words: readonly string[]): string[] {
  const units: string[] = [];
  for (const [i, word] of words.entries()) {
    const option = words[i - 1] ?? "";
    if (/^--?[a-zA-Z-]+$/.test(option) && !word.startsWith("-")) units.push(`${units.pop()} ${word}`);
    else units.push(word);
  }
  return units;
}
