/** Text drawn into pixels by letters of 5 x 9 dots, as a machine need not have any font. */

/** Pixels as [height, width, 3]. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Pixels of a dot. */
const DOT = 2;
const [COLUMNS, ROWS] = [5, 9];
/** From one letter to the next, in pixels. */
const WIDTH = (COLUMNS + 1) * DOT;
/** From one line to the next, in pixels. */
export const LINE_HEIGHT = (ROWS + 1) * DOT;

/**
 * Of each character from the space to "~" its nine rows from the top, each a digit of base 32: the sum of 16, 8, 4, 2 and 1
 * for its dots from the left. Capitals have seven rows; the last two are below the line.
 */
const LETTERS = `
000000000 444440400 aaa000000 aavavaa00 4fke5u400 pp248jj00 cik8lid00 444000000 248884200 842224800
04lel4000 044v44000 000004480 000e00000 000000400 11248gg00 ehjlphe00 4c4444e00 eh168gv00 u11e11u00
26aiv2200 vgu11he00 68guhhe00 v12488800 ehhehhe00 ehhf12c00 004000400 004004480 248g84200 00v0v0000
842124800 eh1640400 ehnlnge00 ehhvhhh00 uhhuhhu00 ehggghe00 uhhhhhu00 vgguggv00 vgguggg00 ehgnhhe00
hhhvhhh00 e44444e00 72222ic00 hikokih00 ggggggv00 hrllhhh00 hppljjh00 ehhhhhe00 uhhuggg00 ehhhlid00
uhhukih00 fgge11u00 v44444400 hhhhhhe00 hhhhaa400 hhhllrh00 hha4ahh00 hha444400 v1248gv00 e88888e00
gg8421100 e22222e00 4ah000000 0000000v0 840000000 00e1fhf00 gguhhhu00 00fgggf00 11fhhhf00 00ehvge00
68u888800 00fhhhf1e gguhhhh00 40c444e00 2062222ic ggikoki00 c44444e00 00qllll00 00uhhhh00 00ehhhe00
00uhhhugg 00fhhhf11 00moggg00 00fge1u00 88u888600 00hhhhf00 00hhha400 00hllla00 00ha4ah00 00hhhhf1e
00v248v00 644844600 444444400 c44244c00 0009m0000`
  .trim()
  .split(/\s+/);

const FIRST = " ".charCodeAt(0);

/** Letters that are no others with an accent, and marks of writing, by what is drawn for them. */
const DRAWN_AS: Readonly<Record<string, string>> = {
  ...{ ß: "ss", æ: "ae", Æ: "AE", œ: "oe", Œ: "OE", ø: "o", Ø: "O", ł: "l", Ł: "L", đ: "d", Đ: "D", ı: "i" },
  ...{ "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-" },
};

/** The characters of a text as they are drawn: without accents, and "?" for what has no letter here. */
function drawn(text: string): string[] {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "");
  return [...plain].flatMap((one) => [...(DRAWN_AS[one] ?? one)]).map((one) => (hasLetter(one) ? one : "?"));
}

const hasLetter = (character: string) => character >= " " && character <= "~";

/** Whether every character of a text has a letter here, so that one who sees it knows the text. */
export function isDrawable(text: string): boolean {
  const isUnknown = (one: string) => one === "?";
  return drawn(text).filter(isUnknown).length === [...text].filter(isUnknown).length;
}

/** A text as it is drawn, in so many pixels: of a longer one ".." stands for its middle, or for all before its end. */
export function fitted(text: string, pixels: number, kept: "ends" | "end" = "ends"): string {
  const letters = drawn(text);
  const room = Math.floor((pixels + DOT) / WIDTH);
  if (letters.length <= room) return letters.join("");
  const numKept = Math.max(0, room - 2);
  const numFirst = kept === "end" ? 0 : Math.ceil(numKept / 2);
  const last = letters.slice(letters.length - (numKept - numFirst));
  return `${letters.slice(0, numFirst).join("")}..${last.join("")}`;
}

/** The width of a text in pixels, with the space after it. */
export function textWidth(text: string): number {
  return drawn(text).length * WIDTH;
}

/** Draw a text with its upper left corner at (x, y). What is outside of the picture is left out. */
export function drawText(
  { width, height, data }: Picture,
  text: string,
  x: number,
  y: number,
  colour: readonly [number, number, number],
): void {
  for (const [i, character] of drawn(text).entries()) {
    const rows = LETTERS[character.charCodeAt(0) - FIRST] ?? "";
    for (let pixel = 0; pixel < COLUMNS * ROWS * DOT * DOT; pixel++) {
      const [down, right] = [Math.floor(pixel / (COLUMNS * DOT)), pixel % (COLUMNS * DOT)];
      const dots = Number.parseInt(rows[Math.floor(down / DOT)] ?? "0", 32);
      if (((dots >> (COLUMNS - 1 - Math.floor(right / DOT))) & 1) === 0) continue;
      const [px, py] = [x + i * WIDTH + right, y + down];
      if (px >= 0 && py >= 0 && px < width && py < height) data.set(colour, (py * width + px) * 3);
    }
  }
}
