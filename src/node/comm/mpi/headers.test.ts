import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeHeaders, encodeHeader, HEADER_BYTES, type Header, missingHeaders } from "./headers.js";

test("headers come back as they were sent, a reason as far as there is room, and those that have not come are known", () => {
  const step: Header = { call: "allReduce", bytes: 2 ** 40, root: 0, reason: "", code: "WORKER" };
  const end: Header = { call: "abort", bytes: 0, root: 1, reason: "ä".repeat(1000), code: "CONFIG" };
  const all = new Uint8Array(new SharedArrayBuffer(3 * HEADER_BYTES));
  assert.deepEqual(missingHeaders(all), [0, 1, 2]);
  all.set(encodeHeader(step));
  assert.deepEqual(missingHeaders(all), [1, 2]);
  all.set(encodeHeader(end), 2 * HEADER_BYTES);
  assert.deepEqual(missingHeaders(all), [1]);
  const [first, , third] = decodeHeaders(all);
  assert.deepEqual(first, step);
  assert.deepEqual({ ...third, reason: "" }, { ...end, reason: "" });
  assert.match(third?.reason ?? "", /^ä{400,500}$/);
});

test("bytes that no header has are those of a worker that gives up", () => {
  const foreign = new Uint8Array(HEADER_BYTES).fill(255);
  assert.equal(decodeHeaders(foreign)[0]?.call, "abort");
});
