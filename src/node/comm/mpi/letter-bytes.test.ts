import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Letter } from "../../../comm/mail.js";
import { WorkerError } from "../../../errors.js";
import { float32, int32, type NdArray, sizeOf } from "../../../runtime/array.js";
import {
  decodeHeader,
  decodeLetter,
  decodeReason,
  encodeHeader,
  encodeLetter,
  encodeReason,
  FRAME_BYTES,
} from "./letter-bytes.js";

const MOST = 1 << 20;
const name = fc.string({ unit: "grapheme" });
const array: fc.Arbitrary<NdArray> = fc.array(fc.nat(4), { maxLength: 3 }).chain((shape) => {
  const of = <T>(element: fc.Arbitrary<T>) => fc.array(element, { minLength: sizeOf(shape), maxLength: sizeOf(shape) });
  return fc.oneof(
    of(fc.float()).map((data) => float32(data, shape)),
    of(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })).map((data) => int32(data, shape)),
  );
});
const letter: fc.Arbitrary<Letter> = fc.record(
  {
    kind: fc.string({ unit: "grapheme" }),
    numbers: fc.dictionary(name, fc.double(), { noNullPrototype: true }),
    arrays: fc.dictionary(
      name.filter((one) => one !== "__metadata__"),
      array,
      { noNullPrototype: true },
    ),
  },
  { noNullPrototype: true },
);

/** What is read of bytes that may be anything: a letter, or null where they are refused as a user's error is. */
function readOf(bytes: Uint8Array): Letter | null {
  try {
    return decodeLetter(bytes);
  } catch (error) {
    assert.ok(error instanceof WorkerError, String(error));
    return null;
  }
}

test("a letter is read back as it was written, to the bit", () => {
  fc.assert(
    fc.property(letter, (one) => {
      assert.deepEqual(decodeLetter(encodeLetter(one, MOST)), one);
    }),
  );
});

test("bytes that were changed, cut off or lengthened are refused, or are another whole letter", () => {
  const change = fc.record({ at: fc.nat(), to: fc.nat(255), cut: fc.nat(80), more: fc.uint8Array({ maxLength: 3 }) });
  fc.assert(
    fc.property(letter, change, fc.boolean(), (one, { at, to, cut, more }, isCut) => {
      const bytes = encodeLetter(one, MOST);
      bytes[at % bytes.length] = to;
      const wrong = Uint8Array.from(isCut ? bytes.subarray(0, Math.max(0, bytes.length - cut)) : [...bytes, ...more]);
      const read = readOf(wrong);
      if (read) assert.deepEqual(decodeLetter(encodeLetter(read, MOST)), read);
    }),
    { numRuns: 500 },
  );
});

test("any bytes are refused, as a letter and as a header", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => assert.equal(readOf(bytes), null)));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: FRAME_BYTES, maxLength: FRAME_BYTES }), (bytes) => {
      assert.throws(() => decodeHeader(bytes, MOST), WorkerError);
    }),
  );
});

test("a header says what comes and how long it is, within bounds", () => {
  for (const header of [
    { kind: "letter", bytes: MOST },
    { kind: "failure", bytes: 4096 },
    { kind: "left", bytes: 0 },
  ] as const)
    assert.deepEqual(decodeHeader(encodeHeader(header), MOST), header);
  for (const [kind, bytes, pattern] of [
    ["letter", MOST + 1, /bytes of "letter" are from 0 to 1048576 here, got 1048577/],
    ["letter", -1, /got -1/],
    ["letter", 0.5, /got 0\.5/],
    ["letter", Number.NaN, /got NaN/],
    ["failure", 4097, /bytes of "failure" are from 0 to 4096 here, got 4097/],
    ["alive", 1, /bytes of "alive" are from 0 to 0 here, got 1/],
  ] as const)
    assert.throws(
      () => decodeHeader(encodeHeader({ kind, bytes }), MOST),
      (error) => error instanceof WorkerError && pattern.test(error.message),
    );
});

test("a letter that is too long is not sent, and what is no letter is refused with what is wrong", () => {
  const long: Letter = { kind: "x", numbers: {}, arrays: { a: float32(new Float32Array(100)) } };
  assert.throws(() => encodeLetter(long, 400), /a letter has at most 400 bytes here, got \d+/);
  const text = (metadata: object) => {
    const header = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata }));
    const bytes = new Uint8Array(8 + header.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    bytes.set(header, 8);
    return bytes;
  };
  for (const [metadata, pattern] of [
    [{ "number.a": "1" }, /it has a kind, and this has none/],
    [{ kind: "x", a: "1" }, /numbers alone, got "a" "1"/],
    [{ kind: "x", "number.a": "0x10" }, /numbers alone, got "number\.a" "0x10"/],
    [{ kind: "x", "number.a": "" }, /numbers alone/],
  ] as const)
    assert.throws(
      () => decodeLetter(text(metadata)),
      (error) => error instanceof WorkerError && pattern.test(error.message),
    );
});

test("a reason of any length is cut to what a reader takes", () => {
  assert.equal(decodeReason(encodeReason("the disk is full")), "the disk is full");
  assert.equal(decodeReason(encodeReason("é".repeat(5000))), "é".repeat(2048));
});
