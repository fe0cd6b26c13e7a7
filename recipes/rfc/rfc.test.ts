import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { rfcsIn } from "./package.js";
import { paragraphs } from "./prose.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-rfc-"));
after(() => rmSync(folder, { recursive: true }));

test("paragraphs are prose: pages, contents, grammars and drawings are left out, indentation stays", () => {
  const text = [
    "\uFEFF\nTable of Contents\n",
    "   1. Introduction ..................... 1",
    "   2. Messages . . . . . . . . . . . .  12\n",
    "1.  Introduction\n",
    "   Hosts send messages\n   to one another.\n",
    "Doe                  Informational              [Page 1]",
    "\f",
    "RFC 9999            Messages of Hosts         May 2021\n",
    "   message ::= head body\n",
    "   +---+\n   | A |\n   +---+\n",
    "   They wait. . . for answers.\r\n",
  ].join("\n");
  assert.deepEqual(paragraphs(text), [
    "Table of Contents",
    "1.  Introduction",
    "   Hosts send messages\n   to one another.",
    "   They wait. . . for answers.",
  ]);
});

test("texts that are there are read, packed or not, in the order of their numbers", () => {
  writeFileSync(join(folder, "rfc20.txt"), "twenty");
  writeFileSync(join(folder, "rfc3.txt.gz"), gzipSync("three"));
  writeFileSync(join(folder, "rfc4.html"), "no text");
  assert.deepEqual(rfcsIn(folder), [
    { number: 3, text: "three" },
    { number: 20, text: "twenty" },
  ]);
});

test("without Debian's tools it is said how to put the texts there by hand", () => {
  const path = process.env.PATH;
  process.env.PATH = folder;
  try {
    const says = /doc-rfc-informational, and it could not be had: [\s\S]*put the texts of RFCs, as rfc<number>\.txt/;
    assert.throws(() => rfcsIn(join(folder, "none")), says);
  } finally {
    process.env.PATH = path;
  }
});
