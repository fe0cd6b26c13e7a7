/** What of an RFC is prose: no heads and feet of pages, no tables of contents, no grammars, no drawings. */

const FOOT = /\[Page \d+\]\s*$/;
const HEAD = /^RFC \d+ .*\d{4}\s*$/;
/** "3.1. Goals . . . . . . 7" */
const CONTENTS = /(?:\. ?){4,}\s*\d*\s*$/;
const NO_PROSE = /::=|[{}|]/;

/** The paragraphs of prose in a document, lines and indentation as they are. */
export function paragraphs(text: string): string[] {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .filter((line) => !FOOT.test(line) && !HEAD.test(line) && !CONTENTS.test(line))
    .map((line) => line.replace(/\f/g, "").trimEnd());
  return lines
    .join("\n")
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.replace(/^\n+|\n+$/g, ""))
    .filter((paragraph) => paragraph !== "" && !NO_PROSE.test(paragraph));
}
