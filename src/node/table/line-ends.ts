/** How the lines of a text end. */

/** Counts of ends, over text that comes in pieces. */
export class LineEnds {
  private numLf = 0;
  private numCrLf = 0;
  private numCr = 0;
  private endsInCr = false;

  add(text: string): void {
    if (this.endsInCr && text.startsWith("\n")) {
      this.numCr--;
      this.numCrLf++;
      this.numLf--;
    }
    this.numLf += countOf(text, "\n");
    this.endsInCr = text.endsWith("\r");
    if (!text.includes("\r")) return;
    const crLf = countOf(text, "\r\n");
    this.numCrLf += crLf;
    this.numLf -= crLf;
    this.numCr += countOf(text, "\r") - crLf;
  }

  get areMixed(): boolean {
    return [this.numLf, this.numCrLf, this.numCr].filter((number) => number > 0).length > 1;
  }

  words(): string {
    return Object.entries({ LF: this.numLf, CRLF: this.numCrLf, CR: this.numCr })
      .filter(([, number]) => number > 0)
      .map(([name, number]) => `${number.toLocaleString("en-US")} in ${name}`)
      .join(", ");
  }
}

function countOf(text: string, part: string): number {
  let number = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) number++;
  return number;
}

/**
 * A function that replaces every line end by LF, over text that comes in pieces. Line ends within quotes are part of a
 * value and stay; `ends` counts those outside of quotes.
 */
export function joinedLines(ends?: LineEnds): (text: string) => string {
  let [inQuotes, before, held] = [false, "\n", ""];
  return (piece) => {
    const text = held + piece;
    // A CR at the end may be the first half of a CRLF.
    held = text.endsWith("\r") ? "\r" : "";
    const whole = held === "" ? text : text.slice(0, -1);
    let out = "";
    let from = 0;
    for (let at = 0; at < whole.length; at++) {
      const character = whole[at] as string;
      if (character === '"') {
        if (inQuotes) inQuotes = false;
        else inQuotes = /[\n\r,;|\t"]/.test(before);
      } else if (character === "\r" && !inQuotes) {
        const isPair = whole[at + 1] === "\n";
        ends?.add(isPair ? "\r\n" : "\r ");
        out += `${whole.slice(from, at)}\n`;
        from = at + (isPair ? 2 : 1);
        if (isPair) at++;
      } else if (character === "\n" && !inQuotes) ends?.add("\n");
      before = character;
    }
    return out + whole.slice(from);
  };
}
