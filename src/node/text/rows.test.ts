import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DataError } from "../../errors.js";
import type { FileText } from "../sources/text-file.js";
import { csvRows } from "./csv-rows.js";
import { jsonRows } from "./json-rows.js";

/** A text in pieces of so many characters. */
async function* inPieces(text: string, size: number): AsyncGenerator<FileText> {
  for (let at = 0; at < text.length; at += size)
    yield { text: text.slice(at, at + size), encoding: "utf-8", bytesRead: at };
}

async function json(text: string, size = 1000): Promise<[unknown, number][]> {
  const found: [unknown, number][] = [];
  for await (const { value, line } of jsonRows("rows.json", inPieces(text, size))) found.push([value, line]);
  return found;
}

async function csv(text: string, size = 1000, delimiters = [",", ";", "\t", "|"]): Promise<[string[], number][]> {
  const found: [string[], number][] = [];
  for await (const { fields, line } of csvRows("rows.csv", inPieces(text, size), "text", delimiters))
    found.push([[...fields], line]);
  return found;
}

const refused = (work: Promise<unknown>, pattern: RegExp) =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof DataError, String(error));
    assert.match(error.message, pattern);
    return true;
  });

test("JSON is one value after the other, in lines or not, or a list", async () => {
  const rows = [{ text: 'a "b" \\ {[', n: [1, { x: "]" }] }, { text: "é\n" }, 12, "word", null, [1], true];
  const expected = rows.map((row) => JSON.stringify(row));
  for (const size of [1, 2, 7, 1000]) {
    const lines = expected.join("\n");
    assert.deepEqual(
      await json(lines, size),
      rows.map((row, i) => [row, i + 1]),
    );
    assert.deepEqual(
      (await json(`\r\n${expected.join("\r\n\r\n")}\r\n`, size)).map(([value]) => value),
      rows,
    );
    for (const list of [JSON.stringify(rows), JSON.stringify(rows, null, 2), `[\n${expected.join(",\n")}\n]\n`])
      assert.deepEqual(
        (await json(list, size)).map(([value]) => value),
        rows,
        `${size}: ${list}`,
      );
    assert.deepEqual(await json('{"a":1}{"a":2}\n  {\n"a":3}', size), [
      [{ a: 1 }, 1],
      [{ a: 2 }, 1],
      [{ a: 3 }, 2],
    ]);
  }
  assert.deepEqual([await json(""), await json("\n \n"), await json("[]")], [[], [], []]);
});

test("what is no JSON is told of by its line", async () => {
  await refused(json('{"a":1}\n{"a": "x\n{"a":2}'), /rows\.json must be JSON lines.*its line 2 is not/);
  await refused(json('{"a":1}\n\n{"a": '), /its line 3 is not/);
  await refused(json('{"a":1}\nwords'), /its line 2 is not/);
  await refused(json('{"a":1},\n{"a":2}'), /its line 1 is not/);
  await refused(json('[{"a":1},\n{"a":2}'), /the file ends before its list does/);
  await refused(json('[{"a":1}]\n[{"a":2}]'), /its line 2 is not: something follows the list/);
  await refused(json("{'a': 1}"), /its line 1 is not/);
  await refused(json('{"a": NaN}'), /its line 1 is not/);
});

test("CSV is fields as they are written, with what is in quotes, and the line of each row", async () => {
  const text = 'id,text\r\n1,"with ""quotes"", and\nlines"\r\n\r\n2, 1.50 \r\n3,""\n4,it"s "so"\n"5","last"';
  for (const size of [20, 23, 1000])
    assert.deepEqual(await csv(text, size), [
      [["id", "text"], 1],
      [["1", 'with "quotes", and\nlines'], 2],
      [["2", " 1.50 "], 5],
      [["3", ""], 6],
      [["4", 'it"s "so"'], 7],
      [["5", "last"], 8],
    ]);
  assert.deepEqual(await csv("text\rone\rtwo"), [
    [["text"], 1],
    [["one"], 2],
    [["two"], 3],
  ]);
  const cell = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", ";", " ", "é") });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 }), async (rows) => {
      const quoted = [["n", "text"], ...rows].map((row) =>
        row.map((one) => `"${one.replaceAll('"', '""')}"`).join(","),
      );
      assert.deepEqual(
        (await csv(quoted.join("\n"))).slice(1).map(([fields]) => fields),
        rows,
      );
    }),
    { numRuns: 200 },
  );
});

test("the delimiter is the one by which the first line has the column", async () => {
  const second = async (text: string, delimiters?: string[]) => (await csv(text, 1000, delimiters))[1]?.[0];
  assert.deepEqual(await second("id;text\n1;a, b, c"), ["1", "a, b, c"]);
  assert.deepEqual(await second("id\ttext\n1\ta, b; c"), ["1", "a, b; c"]);
  assert.deepEqual(await second('"text";"a,b"\nx,y;z'), ["x,y", "z"]);
  assert.deepEqual(await second("text\none; two"), ["one; two"]);
  assert.deepEqual(await second("id\ttext\n1\ta", ["\t"]), ["1", "a"]);
});

test("what is no row is told of by its line", async () => {
  await refused(
    csv("id,text\n1,a\n2,b, c"),
    /rows\.csv must be CSV.*row in line 3 is not: it has 3 fields, and the first line has 2/,
  );
  await refused(csv('id,text\n1,"a\n2,b'), /row in line 2 is not: its quotes do not end/);
  await refused(
    csv(`id,text\n1,a\n${"2,b\n".repeat(5000)}3,"c\n`, 97),
    /row in line 5,003 is not: its quotes do not end/,
  );
});
