import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LoggedEvent } from "../log/events.js";
import { table } from "./format.js";
import { printable, printableName, printableRecord } from "./printable.js";
import { advance, noProgress } from "./progress.js";

/** What moves the cursor, paints, renames the window, turns text around or ends a line in another way. */
const UNSAFE = [
  ...Array.from({ length: 32 }, (_, code) => code).filter((code) => code !== 9 && code !== 10),
  ...Array.from({ length: 33 }, (_, i) => 0x7f + i),
  ...[0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2028, 0x2029, 0x2066, 0x2067, 0x2068, 0x2069],
];

describe("printable text", () => {
  test("holds nothing that a terminal obeys, and says what it held", () => {
    for (const code of UNSAFE) {
      const said = `\\u${code.toString(16).padStart(4, "0")}`;
      assert.equal(printable(`a${String.fromCharCode(code)}b`), `a${said}b`);
      assert.equal(printableName(`a${String.fromCharCode(code)}b`), `a${said}b`);
    }
    assert.equal(printable("\u001b[2J\u001b]0;title\u0007"), "\\u001b[2J\\u001b]0;title\\u0007");
  });

  test("keeps all other text, line ends and tabs", () => {
    const text = "straße\tданные 東京 👩‍👩‍👧 é\n\\ ½ عربى";
    assert.equal(printable(text), text);
    assert.equal(printableName("a\nb\tc"), "a\\u000ab\\u0009c");
  });

  test("of JSON is the same JSON", () => {
    const value = { name: `a"\\\n${UNSAFE.map((code) => String.fromCharCode(code)).join("")}` };
    const json = printable(JSON.stringify(value, null, 2));
    assert.deepEqual(JSON.parse(json), value);
    assert.doesNotMatch(json, /[\u007f-\u009f\u202e]/);
  });
});

test("what an event says stands on its own lines, or indented", () => {
  const message = "\u001b[2J\rgone\ngroup 0 finished: test loss 0.0001";
  const event: LoggedEvent = { time: "t", event: "exchange-trouble", group: 1, doing: "fetch", from: 0, message };
  assert.deepEqual(advance(noProgress, printableRecord(event)).notes, [
    "group 1 could not fetch from group 0 and goes on: \\u001b[2J\\u000dgone\n  group 0 finished: test loss 0.0001",
  ]);
});

test("a name in a table takes one line", () => {
  const lines = table([
    ["column", "type"],
    ["a\nb\u001b[1m", "text"],
  ]);
  assert.deepEqual(lines, ["column             type", "a\\u000ab\\u001b[1m  text"]);
});
