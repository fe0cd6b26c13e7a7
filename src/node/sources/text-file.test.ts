import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { deflateRawSync, gzipSync } from "node:zlib";
import { ConfigError, DataError } from "../../errors.js";
import { textOf } from "./text-file.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-text-file-"));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);

async function read(name: string, content: string | Uint8Array, encoding?: string): Promise<string> {
  writeFileSync(path(name), content);
  let all = "";
  for await (const { text } of textOf(path(name), { encoding })) all += text;
  return all;
}

const words = "naïve — Äpfel 😀 中文\r\n";
const utf16 = (text: string, isBig = false) => {
  const bytes = Buffer.from(text, "utf16le");
  return isBig ? bytes.swap16() : bytes;
};
const latin = (text: string) => Buffer.from(text, "latin1");

describe("the text of a file is", () => {
  test("as it is written, without a byte order mark, whichever mark it is, packed or not", async () => {
    assert.equal(await read("plain.txt", words), words);
    assert.equal(await read("mark.txt", `\uFEFF${words}`), words);
    assert.equal(await read("inside.txt", `a\uFEFF${words}`), `a\uFEFF${words}`, "a mark inside is text");
    assert.equal(await read("little.txt", utf16(`\uFEFF${words}`)), words);
    assert.equal(await read("big.txt", utf16(`\uFEFF${words}`, true)), words);
    assert.equal(await read("packed.md.gz", gzipSync(utf16(`\uFEFF${words}`))), words);
    assert.equal(await read("packed.md", gzipSync(words)), words, "whatever its name");
    for (const mark of [[], [0xef, 0xbb, 0xbf], [0xff, 0xfe]])
      assert.equal(await read("nothing.txt", Uint8Array.from(mark)), "", String(mark));
  });

  test("of the encoding that is named, where no mark says another", async () => {
    assert.equal(await read("old.txt", latin("na\xefve \x93caf\xe9\x94"), "windows-1252"), "naïve “café”");
    assert.equal(await read("sjis.txt", Uint8Array.of(0x93, 0xfa, 0x96, 0x7b), "shift_jis"), "日本");
    assert.equal(await read("bare.txt", utf16(words), "utf-16le"), words);
    assert.equal(await read("marked.txt", `\uFEFF${words}`, "windows-1252"), words);
    await assert.rejects(
      read("any.txt", "x", "latin-17"),
      (error) =>
        error instanceof ConfigError && /is the name of an encoding, as utf-8.*got latin-17/.test(error.message),
    );
  });

  test("whole where characters lie across the pieces that are read", async () => {
    const text = `x${"é中😀".repeat(400_000)}`;
    assert.equal(await read("long.txt", text), text);
    assert.equal(await read("long.txt", utf16(`\uFEFF${text}`)), text);
  });
});

describe("refused with what it is and where is", () => {
  const long = `x${"é中😀\n".repeat(200_000)}`;
  const zip = Buffer.concat([latin("PK\x03\x04"), deflateRawSync("x")]);
  const tar = Buffer.concat([Buffer.from("a.txt".padEnd(257, "\0")), Buffer.from("ustar\x0000")]);
  const cases: Readonly<Record<string, readonly [string | Uint8Array, RegExp, string?]>> = {
    "Latin-1": [latin("one\nB\xe4r"), /first at byte 6, in line 2 \(0xe4\)\. .* --encoding windows-1252/],
    "Latin-1 far in": [
      Buffer.concat([Buffer.from(long), latin("B\xe4r")]),
      new RegExp(`first at byte ${(Buffer.byteLength(long) + 2).toLocaleString("en")}, in line 200,001 \\(0xe4\\)`),
    ],
    "a character that is cut off by another": [Uint8Array.of(0x61, 0xe4, 0xb8, 0x62), /first at byte 2, .*\(0xe4\)/],
    "a surrogate in UTF-8": [Uint8Array.of(0x61, 0xed, 0xa0, 0x80), /first at byte 2, .*\(0xed\)/],
    "a file that ends within a character": [
      Buffer.from("aé").subarray(0, 2),
      /first at byte 2, in line 1 \(the file ends within/,
    ],
    "UTF-16 without a mark": [utf16("plain words"), /looks like UTF-16 without a mark.*--encoding utf-16le/],
    "UTF-16 the other way round": [utf16("plain words", true), /--encoding utf-16be/],
    "UTF-16 that is cut": [utf16("\uFEFFwords").subarray(0, 7), /must be utf-16le \(its mark says so\), and is not/],
    "UTF-32": [Uint8Array.of(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0), /UTF-32 by its mark.*iconv/],
    "bytes 0": ["one\ntwo\0three", /no bytes 0, and .* in line 2.*tr -d/],
    "another encoding than was named": [
      Uint8Array.of(0x61, 0x81, 0xff),
      /must be shift_jis \(as data\.encoding/,
      "sjis",
    ],
    "UTF-8 where another encoding is named": [
      "naïve “café”",
      /data\.encoding says windows-1252, and .* is UTF-8/,
      "windows-1252",
    ],
    "an archive": [zip, /is a zip archive, as docx.*Unpack it/],
    "an archive of tape": [tar, /is a tar archive/],
    PDF: ["%PDF-1.7\n%âãÏÓ", /is PDF, and no text.*pdftotext/],
    "an image": [latin("\x89PNG\r\n\x1a\n"), /is a PNG image/],
    "Parquet under another name": ["PAR1\x15\x04", /is Parquet, and no text.*\.parquet/],
  };
  for (const [name, [content, pattern, encoding]] of Object.entries(cases)) {
    test(name, async () => {
      await assert.rejects(read("bad.txt", content, encoding), (error) => {
        assert.ok(error instanceof DataError && error.message.includes("bad.txt"), String(error));
        assert.match(error.message, pattern);
        return true;
      });
    });
  }
});
