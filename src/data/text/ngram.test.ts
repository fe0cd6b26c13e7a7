import assert from "node:assert/strict";
import { test } from "node:test";
import { Ngram } from "./ngram.js";

const utf8 = (text: string) => Buffer.from(text);

test("the chances of all bytes come to 1 at every order, whatever was counted", () => {
  const model = new Ngram(3, 1000);
  for (const document of ["the cat sat on the mat", "that hat", ""]) model.add(utf8(document));
  for (const context of ["the ", "zq", "at", ""]) {
    const before = new Float64Array(4);
    model.addBits(utf8(context), before);
    const sums = new Float64Array(4);
    for (let byte = 0; byte < 256; byte++) {
      const bits = new Float64Array(4);
      model.addBits(Buffer.concat([utf8(context), Buffer.of(byte)]), bits);
      bits.forEach((all, k) => {
        sums[k] = (sums[k] as number) + 2 ** ((before[k] as number) - all);
      });
    }
    for (const sum of sums) assert.ok(Math.abs(sum - 1) < 1e-9, `${context}: ${sums}`);
  }
});

test("a byte's chance is Witten and Bell's", () => {
  const model = new Ngram(1, 1000);
  model.add(utf8("abac"));
  const bits = new Float64Array(2);
  model.addBits(utf8("ab"), bits);
  // Alone: a comes twice of 4, b once, 3 kinds. After a: b once of 2, 2 kinds.
  const [a, b] = [(2 + 3 / 256) / 7, (1 + 3 / 256) / 7];
  const afterA = (1 + 2 * b) / 4;
  assert.ok(Math.abs((bits[0] as number) + Math.log2(a * b)) < 1e-12);
  assert.ok(Math.abs((bits[1] as number) + Math.log2(a * afterA)) < 1e-12);
});
