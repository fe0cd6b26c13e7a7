import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CheckpointError } from "../errors.js";
import { float32, int32, type NamedArrays, type NdArray } from "../runtime/array.js";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";

const bool = (data: number[], shape = [data.length]): NdArray<"bool"> => ({
  dtype: "bool",
  shape,
  data: Uint8Array.from(data),
});

const refused = (pattern: RegExp) => (error: unknown) =>
  error instanceof CheckpointError && (pattern.test(error.message) || assert.fail(error));

/** A file with any header and data; `length` is what the first 8 bytes say. */
function file(header: string | Uint8Array, data: Uint8Array = new Uint8Array(), length?: bigint): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  return Uint8Array.from([...size, ...text, ...data]);
}

/** A file with one float32 tensor "a" of two elements, parts of its header replaced. */
function fileWith(change: Record<string, unknown>, data = new Uint8Array(8)): Uint8Array {
  return file(JSON.stringify({ a: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...change } }), data);
}

test("a small file has the bytes of the format", () => {
  // Written by hand from the format's description: 8 bytes of little-endian header length, the JSON header, the data.
  // Ours to choose: names sorted, no white space but the spaces that bring the data to a multiple of 64.
  const header =
    '{"__metadata__":{"a":"1","z":"é"},' +
    '"b.10":{"dtype":"I32","shape":[2],"data_offsets":[0,8]},' +
    '"b.9":{"dtype":"BOOL","shape":[1,3],"data_offsets":[8,11]},' +
    '"c":{"dtype":"F32","shape":[],"data_offsets":[11,15]}}';
  const text = new TextEncoder().encode(header);
  assert.equal(text.length, 204);
  const expected = [
    ...[248, 0, 0, 0, 0, 0, 0, 0], // 8 + 248 = 256
    ...text,
    ...new Array(44).fill(0x20),
    ...[1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff], // 1, -2
    ...[1, 0, 1],
    ...[0, 0, 0xc0, 0x3f], // 1.5 = 0x3fc00000
  ];
  const tensors = { c: float32([1.5], []), "b.9": bool([1, 0, 1], [1, 3]), "b.10": int32([1, -2]) };
  assert.deepEqual(encodeSafetensors(tensors, { z: "é", a: "1" }), Uint8Array.from(expected));
  assert.deepEqual(decodeSafetensors(Uint8Array.from(expected)), { tensors, metadata: { a: "1", z: "é" } });
});

test("names that look like numbers are sorted as text too", () => {
  const bytes = encodeSafetensors({ 9: int32([9]), 10: int32([10]) });
  assert.match(new TextDecoder().decode(bytes), /\{"10":\{.*\[0,4\]\},"9":/);
});

test("an empty record is a file without data", () => {
  const bytes = encodeSafetensors({});
  assert.equal(bytes.length, 64);
  assert.deepEqual(decodeSafetensors(bytes), { tensors: {}, metadata: {} });
});

test("NaN, infinities and negative zero keep their bits", () => {
  const bits = Uint32Array.of(0x7fc00001, 0xffc00000, 0x7f800000, 0x80000000, 1);
  const { tensors } = decodeSafetensors(encodeSafetensors({ a: float32(new Float32Array(bits.buffer)) }));
  assert.deepEqual(new Uint32Array(tensors.a!.data.slice().buffer), bits);
});

test("decoded tensors are views of the input where a typed array can start, elsewhere copies", () => {
  const bytes = encodeSafetensors({ a: float32([1, 2]), b: bool([1]), c: float32([3]) });
  const { a, b, c } = decodeSafetensors(bytes).tensors;
  assert.deepEqual([a, b, c], [float32([1, 2]), bool([1]), float32([3])]);
  const isInside = ({ data }: NdArray) => data.buffer === bytes.buffer;
  assert.deepEqual(
    [a, b, c].map((tensor) => isInside(tensor!)),
    [true, true, false],
  );
});

test("decoded tensors lie anywhere in the input", () => {
  const bytes = encodeSafetensors({ a: bool([1]), b: float32([1, 2]) });
  const odd = Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(5)]).subarray(3, 3 + bytes.length);
  const { tensors } = decodeSafetensors(odd);
  assert.deepEqual(tensors, { a: bool([1]), b: float32([1, 2]) });
});

test("names of Object.prototype are names like any other", () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  const record = Object.fromEntries(names.map((name, at) => [name, int32([at])]));
  const metadata = Object.fromEntries(names.map((name) => [name, name]));
  const decoded = decodeSafetensors(encodeSafetensors(record, metadata));
  assert.deepEqual(Object.keys(decoded.tensors).sort(), [...names].sort());
  assert.deepEqual(Object.getOwnPropertyDescriptor(decoded.tensors, "__proto__")?.value, int32([0]));
  assert.equal(Object.getPrototypeOf(decoded.tensors), Object.prototype);
  assert.equal(Object.getPrototypeOf(decoded.metadata), Object.prototype);
  assert.equal(Object.hasOwn(Object.prototype, "polluted"), false);
});

const shape = fc.array(fc.nat(4), { maxLength: 4 });
const array: fc.Arbitrary<NdArray> = shape.chain((axes) => {
  const size = axes.reduce((product, axis) => product * axis, 1);
  const of = <T>(element: fc.Arbitrary<T>) => fc.array(element, { minLength: size, maxLength: size });
  return fc.oneof(
    of(fc.float()).map((data) => float32(data, axes)),
    of(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })).map((data) => int32(data, axes)),
    of(fc.nat(1)).map((data) => bool(data, axes)),
  );
});
const key = fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__");
const record = fc.dictionary(key, array, { maxKeys: 6, noNullPrototype: true });
const texts = fc.dictionary(key, fc.string({ unit: "grapheme" }), { maxKeys: 3, noNullPrototype: true });

test("what is written is read back, and its bytes depend on content only", () => {
  fc.assert(
    fc.property(record, texts, (tensors, metadata) => {
      const bytes = encodeSafetensors(tensors, metadata);
      assert.equal((8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))) % 64, 0);
      const decoded = decodeSafetensors(bytes);
      assert.deepEqual(decoded, { tensors, metadata });
      const backwards = Object.fromEntries(Object.entries(tensors).reverse());
      assert.deepEqual(encodeSafetensors(backwards, decoded.metadata), bytes);
    }),
    { numRuns: 300 },
  );
});

test("what the format cannot hold is not written", () => {
  const encode = (tensors: NamedArrays) => () => encodeSafetensors(tensors);
  const ofStrings = { dtype: "string", shape: [1], data: ["x"] } as unknown as NdArray;
  assert.throws(encode({ a: ofStrings }), refused(/"a": dtype must be one of float32, int32, bool, got string/));
  assert.throws(encode({ a: { ...int32([1, 2]), shape: [3] } }), refused(/"a": shape \[3\] must hold 3.*got 2/));
  assert.throws(encode({ a: { ...int32([1]), shape: [-1, -1] } }), refused(/"a": shape must be a list.*\[-1,-1\]/));
  assert.throws(encode({ a: { ...int32([1]), shape: [0.5, 2] } }), refused(/"a": shape must be a list/));
  assert.throws(encode({ a: bool([0, 2]) }), refused(/"a": a bool must be 0 or 1, got 2 at element 1/));
  assert.throws(encode({ __metadata__: int32([1]) }), refused(/must not be named __metadata__/));
  const long = "x".repeat(100_000_000);
  assert.throws(() => encodeSafetensors({}, { long }), refused(/the header must be at most 100000000 bytes, got 1000/));
});

const entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
const four = new Uint8Array(4);
const two = (first: number[], second: number[]) =>
  file(
    JSON.stringify({
      a: { dtype: "BOOL", shape: [first[1]! - first[0]!], data_offsets: first },
      b: { dtype: "BOOL", shape: [second[1]! - second[0]!], data_offsets: second },
    }),
    new Uint8Array(8),
  );

const hostile: Record<string, [bytes: Uint8Array, message: RegExp]> = {
  "no bytes": [new Uint8Array(), /at least 8 bytes, got 0/],
  "7 bytes": [new Uint8Array(7), /at least 8 bytes, got 7/],
  "header over 100 MB": [file("{}", four, 100_000_001n), /at most 100000000 bytes, got 100000001/],
  "header of 2^64 - 1 bytes": [file("{}", four, 2n ** 64n - 1n), /at most 100000000 bytes, got 18446744073709551615/],
  "header past the end": [file("{}", four, 7n), /end inside the file of 14 bytes, got 15/],
  "no header": [file(""), /start with "\{", got no header/],
  "space before the header": [file(" {}"), /start with "\{", got byte 32/],
  "byte order mark": [file("\ufeff{}"), /start with "\{", got byte 239/],
  "header is a list": [file("[]"), /start with "\{"/],
  "header is not UTF-8": [file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), /must be UTF-8/],
  "header is not JSON": [file("{a}"), /must be JSON, got "\{a\}"/],
  "header ends early": [file('{"a":'), /must be JSON/],
  "two headers": [file("{}{}"), /must be JSON/],
  "zeros after the header": [file("{}\0\0"), /must be JSON/],
  "deep nesting": [file(`{"a":${"[".repeat(1_000_000)}`), /nest at most 3 deep, got 1000001/],
  "a million empty lists": [file(`{"a":[${"[],".repeat(1_000_000)}[]]}`), /at most 1000000 brackets, .*got 3000007/],
  "tensor given twice": [file(`{"a":${entry},"a":${entry}}`, four), /given once, got 8 names and 4 different/],
  "tensor given twice, escaped": [file(`{"a":${entry},"\\u0061":${entry}}`, four), /must be given once/],
  "field given twice": [file(`{"a":{"dtype":"I32",${entry.slice(1)}}`, four), /must be given once/],
  "metadata given twice": [file('{"__metadata__":{"a:":"\\":"},"__metadata__":{}}'), /got 3 names and 1 different/],
  "unknown field": [fileWith({ strides: [1] }), /"a" must have dtype, shape and data_offsets only.*strides/],
  "tensor is null": [file('{"a":null}'), /tensor "a" must be an object, got null/],
  "tensor is a list": [file('{"a":[]}'), /tensor "a" must be an object, got \[\]/],
  "unknown dtype": [fileWith({ dtype: "F64" }), /"a": dtype must be one of F32, I32, BOOL, got "F64"/],
  "no dtype": [fileWith({ dtype: undefined }), /dtype must be one of F32, I32, BOOL, got nothing/],
  "dtype of Object.prototype": [fileWith({ dtype: "constructor" }), /got "constructor"/],
  "dtype is a list": [fileWith({ dtype: ["F32"] }), /dtype must be one of/],
  "no shape": [fileWith({ shape: undefined }), /"a": shape must be a list of integers.*nothing/],
  "negative shape": [fileWith({ shape: [-1, -2] }), /shape must be a list.*\[-1,-2\]/],
  "negative zero in a shape": [file('{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}'), /shape must be a list/],
  "broken shape": [fileWith({ shape: [0.5, 4] }), /shape must be a list.*\[0.5,4\]/],
  "text in a shape": [fileWith({ shape: ["2"] }), /shape must be a list.*\["2"\]/],
  "shape over 2^53": [fileWith({ shape: [2 ** 53] }), /shape must be a list/],
  "shape product over 2^53": [fileWith({ shape: [2 ** 27, 2 ** 27] }), /at most 2\^53 - 1 elements/],
  "shape product wraps to 2 in 64 bits": [fileWith({ shape: [2 ** 33, 2 ** 32, 2] }), /at most 2\^53 - 1 elements/],
  "no offsets": [fileWith({ data_offsets: undefined }), /data_offsets must be two integers/],
  "one offset": [fileWith({ data_offsets: [8] }), /data_offsets must be two integers.*\[8\]/],
  "three offsets": [fileWith({ data_offsets: [0, 8, 8] }), /data_offsets must be two integers/],
  "broken offsets": [fileWith({ data_offsets: [0, 7.5] }), /data_offsets must be two integers.*7.5/],
  "negative offsets": [fileWith({ data_offsets: [-8, 0] }), /data_offsets must be two integers/],
  "offsets are text": [fileWith({ data_offsets: ["0", "8"] }), /data_offsets must be two integers/],
  "offsets go back": [fileWith({ data_offsets: [8, 0] }), /data_offsets must not go back, got \[8,0\]/],
  "offsets past the end": [fileWith({}, new Uint8Array(7)), /end where the file ends, at byte 7 of the data, got 8/],
  "bytes after the last tensor": [fileWith({}, new Uint8Array(9)), /at byte 9 of the data, got 8/],
  "bytes and no tensor": [file("{}", four), /at byte 4 of the data, got 0/],
  "data starts with a hole": [fileWith({ data_offsets: [1, 9] }, new Uint8Array(9)), /start at byte 0.*got 1, a hole/],
  "hole between tensors": [two([0, 3], [4, 8]), /"b" must start at byte 3.*got 4, a hole/],
  "overlapping tensors": [two([0, 5], [4, 8]), /"b" must start at byte 5.*got 4, an overlap/],
  "one tensor inside another": [two([0, 8], [2, 4]), /an overlap/],
  "two tensors on the same bytes": [two([0, 8], [0, 8]), /an overlap/],
  "empty tensor inside another": [two([0, 8], [4, 4]), /an overlap/],
  "too few bytes for the shape": [fileWith({ shape: [3] }), /F32 of shape \[3\] must take 12 bytes, got 8/],
  "too many bytes for the shape": [fileWith({ shape: [] }), /F32 of shape \[\] must take 4 bytes, got 8/],
  "bool over 1": [file('{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}', Uint8Array.of(2)), /must be 0 or 1/],
  "metadata is text": [file('{"__metadata__":"x"}'), /__metadata__ must be an object, got "x"/],
  "number in the metadata": [file('{"__metadata__":{"step":3}}'), /__metadata__ "step" must be a string, got 3/],
  "null in the metadata": [file('{"__metadata__":{"step":null}}'), /must be a string, got null/],
};

for (const [name, [bytes, message]] of Object.entries(hostile)) {
  test(`refused: ${name}`, () => assert.throws(() => decodeSafetensors(bytes), refused(message)));
}

test("a long value is cut in the message", () => {
  const bytes = fileWith({ shape: new Array(100_000).fill(-1) });
  assert.throws(
    () => decodeSafetensors(bytes),
    (error) => error instanceof CheckpointError && error.message.length < 300,
  );
});

test("a header that is longer as JSON than any string may be is refused like any other", () => {
  const bytes = new Uint8Array(8 + 90_000_000).fill(1); // of each byte, JSON makes six: \u0001
  new DataView(bytes.buffer).setBigUint64(0, 90_000_000n, true);
  bytes[8] = 0x7b;
  assert.throws(() => decodeSafetensors(bytes), refused(/the header must be JSON, got "\{\\u0001/));
});

/** Decoding gives a file that can be written again, or a CheckpointError. */
function decodesOrRefuses(bytes: Uint8Array): boolean {
  try {
    const { tensors, metadata } = decodeSafetensors(bytes);
    assert.deepEqual(decodeSafetensors(encodeSafetensors(tensors, metadata)), { tensors, metadata });
    return true;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return false;
  }
}

const valid = encodeSafetensors(
  { "a.weight": float32([1, 2, 3, 4], [2, 2]), b: bool([1, 0, 1]), c: int32([], [0, 3]) },
  { step: "7" },
);

test("every truncation is refused", () => {
  for (let size = 0; size < valid.length; size++) assert.equal(decodesOrRefuses(valid.subarray(0, size)), false);
});

test("every single flipped bit is decoded or refused", () => {
  for (let bit = 0; bit < valid.length * 8; bit++) {
    const bytes = valid.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    decodesOrRefuses(bytes);
  }
});

test("10,000 files with random damage are decoded or refused", () => {
  const damage = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(damage, fc.nat(valid.length), fc.boolean(), (changes, size, isCut) => {
      const bytes = valid.slice(0, isCut ? size : undefined);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      decodesOrRefuses(bytes);
    }),
    { numRuns: 10_000 },
  );
});

test("10,000 files with random headers are decoded or refused", () => {
  const small = fc.oneof(fc.nat(4), fc.integer(), fc.double(), fc.constant(2 ** 53), fc.constant(-0));
  const wild = fc.oneof(fc.jsonValue(), fc.constantFrom("F32", "I32", "BOOL", "F16", "__proto__"));
  const field = <T>(usual: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: wild });
  const offsets = fc.oneof(fc.tuple(fc.constant(0), fc.constantFrom(0, 1, 4)), fc.array(small, { maxLength: 3 }));
  const info = fc.record({
    dtype: field(fc.constantFrom("F32", "I32", "BOOL")),
    shape: field(fc.array(fc.oneof(fc.constant(1), small), { maxLength: 3 })),
    data_offsets: field(offsets),
  });
  const name = fc.constantFrom("a", "b", "__proto__", "__metadata__", "constructor", "");
  const header = fc.array(fc.tuple(name, fc.oneof({ weight: 6, arbitrary: info }, wild)), { maxLength: 3 });
  let decoded = 0;
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 8 }), (members, data) => {
      const text = members.map(([each, value]) => `${JSON.stringify(each)}:${JSON.stringify(value)}`).join(",");
      if (decodesOrRefuses(file(`{${text}}`, data))) decoded++;
    }),
    { numRuns: 10_000 },
  );
  assert.ok(decoded > 100, `only ${decoded} of the random headers were good ones`);
});
