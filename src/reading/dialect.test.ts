import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dialectOf } from "./dialect.js";

/** Delimiter, records above the first row, and the header. */
const of = (text: string, known: Parameters<typeof dialectOf>[2] = {}) => {
  const { delimiter, skip, header, notes } = dialectOf(text, true, known);
  return { delimiter, skip, header: header && [...header], notes: notes.join("; ") };
};

describe("a file is taken apart", () => {
  const cases: Readonly<
    Record<string, readonly [text: string, delimiter: string, skip: number, header: string[] | null]>
  > = {
    commas: ["a,b\n1,2\n3,4\n", ",", 1, ["a", "b"]],
    "a byte order mark and CRLF": ["\uFEFFa,b\r\n1,2\r\n", ",", 1, ["a", "b"]],
    "CR alone": ["a,b\r1,2\r3,4\r", ",", 1, ["a", "b"]],
    "semicolons with decimal commas": ["a;b;c\n18,20;0,121;0\n31,46;0,485;1\n", ";", 1, ["a", "b", "c"]],
    "commas within quotes": ['a;b\n"1, 2";3\n"4, 5";6\n', ";", 1, ["a", "b"]],
    tabs: ["a\tb\n1\t2\n", "\t", 1, ["a", "b"]],
    bars: ["a|b\n1|2\n", "|", 1, ["a", "b"]],
    carets: ["a^b\nx^2\ny^3\n", "^", 1, ["a", "b"]],
    "sep= of Excel": ["sep=;\na;b\n1,5;2\n", ";", 2, ["a", "b"]],
    "lines above the table": ["Report of 2024\n\na,b,c\n1,2,3\n4,5,6\n7,8,9\n", ",", 3, ["a", "b", "c"]],
    "a quote across lines": ['"a\nx",b\n1,2\n3,4\n', ",", 1, ["a\nx", "b"]],
    "no header": ["1,x,2\n3,y,4\n", ",", 0, null],
    "no header, words alone": ["m,red\nf,red\nm,blue\n", ",", 0, null],
    "a header of words alone": ["sex,color\nf,red\nm,blue\n", ",", 1, ["sex", "color"]],
    "a header alone": ["a,b,late\n", ",", 1, ["a", "b", "late"]],
    "a first column without a name": ["a,b\nr1,1,2\nr2,3,4\n", ",", 1, ["", "a", "b"]],
    "a delimiter at the end of rows": ["a,b\n1,2,\n3,4,\n", ",", 1, ["a", "b", ""]],
    "a second header": ["name,size\n(text),(cm)\nx,1\ny,2\nz,3\n", ",", 2, ["name", "size"]],
    "one column": ["a\n1\n2\n", ",", 1, ["a"]],
    "a line that is cut off": ["a,b,c\n1,2,3\n4,5\n6,7,8\n", ",", 1, ["a", "b", "c"]],
  };
  for (const [name, [text, delimiter, skip, header]] of Object.entries(cases)) {
    test(name, () => {
      const { notes: _, ...found } = of(text);
      assert.deepEqual(found, { delimiter, skip, header });
    });
  }

  test("with quotes of other kinds where there are some", () => {
    assert.equal(dialectOf("'a','b'\n'1','x, y'\n'2','z'\n", true, {}).quote, "'");
    assert.equal(dialectOf('a,b\n1,"x \\"y\\", z"\n2,"w"\n', true, {}).escapeMark, "\\");
    assert.equal(dialectOf('a,b\n1,"x\n2,y\n3,z\n', true, {}).quote, '"', "one that is never closed is no other kind");
  });

  test("and says what was left out", () => {
    assert.match(of("x\na,b\n1,2\n3,4\n5,6\n").notes, /begins with 1 line above the table/);
    assert.match(of("name,size\n(text),(cm)\nx,1\ny,2\nz,3\n").notes, /second header in line 2 \(\(text\), \(cm\)\)/);
  });

  test("as is known beforehand", () => {
    assert.equal(of("a b\n1 2\n", { delimiter: " " }).delimiter, " ");
    assert.equal(of("a,b\n1,2\n", { header: false }).header, null);
    assert.deepEqual(of("1,2\n3,4\n", { header: true }).header, ["1", "2"]);
    assert.equal(of("x,1\ny,2\n", { header: ["kind"] }).header, null);
    assert.deepEqual(of("Kind,size\ny,2\n", { header: ["kind"] }).header, ["Kind", "size"]);
  });
});
