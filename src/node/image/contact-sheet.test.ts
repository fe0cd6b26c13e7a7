/** The sheet of worst errors: what is written below its images, read back from its pixels. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import sharp from "sharp";
import { DataError } from "../../errors.js";
import { type SheetImage, writeContactSheet } from "./contact-sheet.js";
import { drawText, fitted, isDrawable, LINE_HEIGHT, textWidth } from "./pixel-text.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-sheet-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const ASCII = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
const LETTER = textWidth("x");

/** The dots of a character as a text of 0 and 1, by a picture of it alone or by a place in another picture. */
function inkAt(data: Uint8Array, width: number, x: number, y: number): string {
  return Array.from({ length: LETTER * LINE_HEIGHT }, (_, i) => {
    const at = 3 * ((y + Math.floor(i / LETTER)) * width + x + (i % LETTER));
    return Math.min(...data.subarray(at, at + 3)) < 200 ? 1 : 0;
  }).join("");
}

function inkOf(character: string): string {
  const data = new Uint8Array(3 * LETTER * LINE_HEIGHT).fill(255);
  drawText({ width: LETTER, height: LINE_HEIGHT, data }, character, 0, 0, [0, 0, 0]);
  return inkAt(data, LETTER, 0, 0);
}

const known = new Map(ASCII.map((character) => [inkOf(character), character]));

test("each printable character of ASCII has a letter of its own", () => {
  assert.equal(known.size, 95);
});

const [SIDE, GAP] = [192, 16];

/** What is written below each image of a sheet, and the sheet. */
async function captions(images: readonly SheetImage[], classes: readonly string[]) {
  const path = join(folder, "sheet.png");
  await writeContactSheet(path, images, { shape: { height: 4, width: 2, channels: 1 }, classes });
  const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
  const lines = images.map((_, i) => {
    const [x, y] = [GAP + (i % 6) * (SIDE + GAP), GAP + Math.floor(i / 6) * (SIDE + GAP + 3 * LINE_HEIGHT + 4)];
    return [0, 1, 2].map((line) => {
      const letters = Array.from({ length: Math.floor(SIDE / LETTER) }, (_, k) =>
        known.get(inkAt(data, info.width, x + k * LETTER, y + SIDE + 4 + line * LINE_HEIGHT)),
      );
      return letters
        .map((letter) => letter ?? "<no letter>")
        .join("")
        .trimEnd();
    });
  });
  return { lines, info, data };
}

const pixels = Uint8Array.of(255, 0, 255, 0, 255, 0, 255, 0);

test("a caption has number, class, decision, probability and file; long names keep what tells them apart", async () => {
  const classes = [
    "cat",
    "Größe",
    "写真",
    "a long name of a class of birds",
    "a long name of a class of bears",
    "x\u001b[2J\n",
  ];
  const [cat = "", size = "", chinese = "", birds = "", bears = "", hostile = ""] = classes;
  const { lines, info } = await captions(
    [
      { pixels, label: cat, decided: size, probability: 0.654, name: "photos/cat/rubber_duck.jpeg" },
      { pixels, label: chinese, decided: cat, probability: 1, name: "写真/名前.png" },
      { pixels, label: birds, decided: bears, probability: 0.051, name: `photos/${"stamps-".repeat(30)}heron.png` },
      { pixels, label: hostile, decided: hostile, probability: 0.5, name: "photos/new\nline\u001b[31m.png" },
      { pixels, label: "100%", decided: "C:\\a", probability: 0.001, name: "train-images-idx3-ubyte.gz, image 17" },
      { pixels, label: "", decided: "", probability: 0, name: "" },
      { pixels, label: cat, decided: cat, probability: 0.999, name: "a.v2.gif" },
    ],
    classes,
  );
  assert.deepEqual(lines, [
    ["1 cat", "> Grosse 65%", "rubber_duck"],
    ["2 class 2", "> cat 100%", "??"],
    ["3 a long.. birds", "> a lon..ears 5%", "..s-stamps-heron"],
    ["4 class 5", "> class 5 50%", "new?line?[31m"],
    ["5 100%", "> C:\\a 0%", "..e.gz, image 17"],
    ["6", ">  0%", ""],
    ["7 cat", "> cat 100%", "a.v2"],
  ]);
  assert.deepEqual([info.width, info.height], [6 * (SIDE + GAP) + GAP, 2 * (SIDE + GAP + 3 * LINE_HEIGHT + 4) + GAP]);
});

test("an image that is not square keeps its shape, and a sheet that cannot be written says so", async () => {
  const image = { pixels, label: "a", decided: "b", probability: 0.5, name: "a.png" };
  const { data, info } = await captions([image], ["a", "b"]);
  const rowOf = (y: number) =>
    Array.from({ length: SIDE }, (_, x) => data[3 * ((GAP + y) * info.width + GAP + x)] ?? -1);
  // Two columns of 48 pixels in the middle of 192, of white and of black, and paper beside them.
  assert.deepEqual(rowOf(0), rowOf(SIDE - 1));
  assert.deepEqual(
    [0, 47, 48, 95, 96, 143, 144, 191].map((x) => rowOf(10)[x]),
    [250, 250, 255, 255, 0, 0, 250, 250],
  );
  await assert.rejects(
    writeContactSheet(join(folder, "none", "sheet.png"), [image], {
      shape: { height: 4, width: 2, channels: 1 },
      classes: ["a", "b"],
    }),
    (error) => error instanceof DataError && /the sheet \S+ cannot be written/.test(error.message),
  );
});

test("a text that does not fit is cut to the pixels, whatever they are", () => {
  for (const text of ["", "a", "word", "a name that is long", "é".repeat(300)]) {
    for (let room = 0; room < 20; room++) {
      for (const kept of ["ends", "end"] as const) {
        const shown = fitted(text, room * LETTER, kept);
        assert.ok(shown.length <= Math.max(2, room), `${shown} in ${room}`);
        if ([...text.normalize("NFC")].length <= room) assert.equal(shown, text.replaceAll("é", "e"));
      }
    }
  }
  assert.equal(isDrawable("what?"), true);
  assert.equal(isDrawable("naïve Ærø"), true);
  assert.equal(isDrawable("Кошка"), false);
});
