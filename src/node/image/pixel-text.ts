/** Text drawn into pixels by letters of 3 x 5 dots, as a machine need not have any font. */

/** Pixels as [height, width, 3]. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Pixels of a dot. */
const DOT = 2;
const [WIDTH, ROWS] = [4 * DOT, 5];
/** From one line to the next, in pixels. */
export const LINE_HEIGHT = 8 * DOT;

/** Of each character its five rows from the top, each as the sum of 4, 2 and 1 for its dots from the left. */
const ROWS_OF: Readonly<Record<string, string>> = {
  A: "25755",
  B: "65656",
  C: "34443",
  D: "65556",
  E: "74647",
  F: "74644",
  G: "34553",
  H: "55755",
  I: "72227",
  J: "11152",
  K: "55655",
  L: "44447",
  M: "57755",
  N: "65555",
  O: "25552",
  P: "65644",
  Q: "25563",
  R: "65655",
  S: "34216",
  T: "72222",
  U: "55557",
  V: "55552",
  W: "55775",
  X: "55255",
  Y: "55222",
  Z: "71247",
  0: "75557",
  1: "26227",
  2: "71747",
  3: "71317",
  4: "55711",
  5: "74717",
  6: "74757",
  7: "71222",
  8: "75757",
  9: "75717",
  " ": "00000",
  ".": "00002",
  "-": "00700",
  _: "00007",
  ">": "42124",
  "%": "51245",
  "/": "11244",
  ":": "02020",
  "?": "71202",
};

/** The width of a text in pixels. */
export function textWidth(text: string): number {
  return [...text].length * WIDTH;
}

/**
 * Draw a text with its upper left corner at (x, y): letters as capitals, without accents, and "?" for what has no letter
 * here. What is outside of the picture is left out.
 */
export function drawText(
  { width, height, data }: Picture,
  text: string,
  x: number,
  y: number,
  colour: readonly [number, number, number],
): void {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").toUpperCase();
  for (const [i, character] of [...plain].entries()) {
    const rows = ROWS_OF[character] ?? (ROWS_OF["?"] as string);
    for (let dot = 0; dot < 3 * ROWS * DOT * DOT; dot++) {
      const [down, right] = [Math.floor(dot / (3 * DOT)), dot % (3 * DOT)];
      const bits = Number(rows[Math.floor(down / DOT)]);
      if (((bits >> (2 - Math.floor(right / DOT))) & 1) === 0) continue;
      const [px, py] = [x + i * WIDTH + right, y + down];
      if (px >= 0 && py >= 0 && px < width && py < height) data.set(colour, (py * width + px) * 3);
    }
  }
}
