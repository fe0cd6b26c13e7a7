/** The safetensors file format: a JSON header of names, dtypes, shapes and offsets, then the raw data. */
import { CheckpointError } from "../errors.js";
import { bytesOf, type ComputedDType, type DType, type NamedArrays, type NdArray, sizeOf } from "../runtime/array.js";
import { joined } from "./bytes.js";
import { marksOf, show } from "./json.js";

/** What a file holds. */
export interface Safetensors {
  readonly tensors: NamedArrays;
  readonly metadata: Record<string, string>;
}

const MAX_HEADER_BYTES = 100_000_000;
/** One object for the file, one for each tensor, and its lists. */
const MAX_DEPTH = 3;
/** Enough for 60,000 tensors. */
const MAX_MARKS = 1_000_000;
const LENGTH_BYTES = 8;
const DATA_ALIGNMENT = 64;
const METADATA = "__metadata__";
const FIELDS = "dtype, shape and data_offsets";

/** Weights in 8 bits are made anew of those in float32, and never saved; nor are pixels, which are inputs. */
type FileDType = ComputedDType;

const codes = { float32: "F32", int32: "I32", bool: "BOOL" } as const satisfies Record<FileDType, string>;
const widths = { float32: 4, int32: 4, bool: 1 } as const satisfies Record<FileDType, number>;
const dtypes = new Map<unknown, FileDType>(Object.entries(codes).map(([dtype, code]) => [code, dtype as FileDType]));
const isFileDType = (dtype: DType): dtype is FileDType => Object.hasOwn(codes, dtype);

/** A tensor as the header describes it; `begin` and `end` are bytes from the start of the data. */
interface Entry {
  readonly name: string;
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Write arrays and metadata as one file. Equal input gives equal bytes, whatever the order of the records.
 *
 * Throws {@link CheckpointError} for what the format cannot hold: data that does not fill its shape, a tensor
 * named `__metadata__`, a header over 100 MB or of more than about 60,000 tensors.
 */
export function encodeSafetensors(tensors: NamedArrays, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  return joined(safetensorsParts(tensors, metadata));
}

/**
 * The same file in parts: its header, then the data of each array in the order of the file, not copied.
 *
 * Throws what {@link encodeSafetensors} throws.
 */
export function safetensorsParts(
  tensors: NamedArrays,
  metadata: Readonly<Record<string, string>> = {},
): readonly Uint8Array[] {
  const arrays = sorted(tensors);
  const members: string[] = [];
  if (Object.keys(metadata).length > 0) {
    const texts = sorted(metadata).map(([name, text]) => member(name, JSON.stringify(text)));
    members.push(member(METADATA, `{${texts.join(",")}}`));
  }
  let dataBytes = 0;
  for (const [name, array] of arrays) {
    const [dtype, bytes] = fileType(name, array);
    const data_offsets = [dataBytes, dataBytes + bytes];
    members.push(member(name, JSON.stringify({ dtype, shape: array.shape, data_offsets })));
    dataBytes += bytes;
  }
  // Joined by hand: an object would put names that look like numbers first.
  const text = `{${members.join(",")}}`;
  countNames(text);
  const header = new TextEncoder().encode(text);
  const start = Math.ceil((LENGTH_BYTES + header.length) / DATA_ALIGNMENT) * DATA_ALIGNMENT;
  const length = start - LENGTH_BYTES;
  if (length > MAX_HEADER_BYTES) fail(`the header must be at most ${MAX_HEADER_BYTES} bytes`, length);

  const bytes = new Uint8Array(start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(header, LENGTH_BYTES);
  bytes.fill(0x20, LENGTH_BYTES + header.length, start);
  return [bytes, ...arrays.map(([, { data }]) => bytesOf(data))];
}

/**
 * Read a whole file. The tensors are views of `bytes`, which must not change afterwards; a tensor that is not aligned
 * for its dtype is a copy.
 *
 * Throws {@link CheckpointError}, and nothing else, for bytes that are not a whole and plain file: docs/checkpoint.md
 * lists the checks.
 */
export function decodeSafetensors(bytes: Uint8Array): Safetensors {
  const { header, start } = readHeader(bytes);
  const { entries, metadata } = readEntries(header);
  checkLayout(entries, bytes.length - start);
  const tensors = entries.map((entry) => [entry.name, readTensor(entry, bytes, start)] as const);
  // Object.fromEntries defines its keys, so that a tensor named "__proto__" is a key like any other.
  return { tensors: Object.fromEntries(tensors), metadata: Object.fromEntries(metadata) };
}

function readHeader(bytes: Uint8Array): { header: string; start: number } {
  if (bytes.length < LENGTH_BYTES) fail(`a file must have at least ${LENGTH_BYTES} bytes`, bytes.length);
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) fail(`the header must be at most ${MAX_HEADER_BYTES} bytes`, length);
  const start = LENGTH_BYTES + Number(length);
  if (start > bytes.length) fail(`the header must end inside the file of ${bytes.length} bytes`, start);
  const text = bytes.subarray(LENGTH_BYTES, start);
  if (text[0] !== 0x7b) fail('the header must start with "{"', text.length > 0 ? `byte ${text[0]}` : "no header");
  try {
    return { header: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text), start };
  } catch (cause) {
    return fail("the header must be UTF-8", "other bytes", cause);
  }
}

function readEntries(header: string): { entries: Entry[]; metadata: [string, string][] } {
  const numNames = countNames(header);
  const root = Object.entries(asRecord(parse(header), "the header"));
  const entries: Entry[] = [];
  let metadata: [string, string][] = [];
  for (const [name, value] of root) {
    if (name === METADATA) metadata = readMetadata(value);
    else entries.push(readEntry(name, value));
  }
  const numDifferent = root.length + 3 * entries.length + metadata.length;
  if (numNames !== numDifferent) {
    fail("every name in the header must be given once", `${numNames} names and ${numDifferent} different ones`);
  }
  return { entries, metadata };
}

function readMetadata(value: unknown): [string, string][] {
  return Object.entries(asRecord(value, METADATA)).map(([name, text]) => {
    if (typeof text !== "string") return fail(`${METADATA} ${show(name)} must be a string`, show(text));
    return [name, text];
  });
}

function readEntry(name: string, value: unknown): Entry {
  const tensor = `tensor ${show(name)}`;
  const record = asRecord(value, tensor);
  const { dtype: code, shape, data_offsets: offsets } = record;
  const dtype = dtypes.get(code);
  if (!dtype) return fail(`${tensor}: dtype must be one of ${[...dtypes.keys()].join(", ")}`, show(code));
  if (!isCounts(shape)) return fail(`${tensor}: shape must be a list of integers from 0 to 2^53 - 1`, show(shape));
  if (!isCounts(offsets) || offsets.length !== 2) {
    return fail(`${tensor}: data_offsets must be two integers from 0 to 2^53 - 1`, show(offsets));
  }
  if (Object.keys(record).length !== 3) fail(`${tensor} must have ${FIELDS} only`, show(Object.keys(record)));
  const [begin = 0, end = 0] = offsets;
  if (end < begin) fail(`${tensor}: data_offsets must not go back`, show(offsets));
  let size = 1;
  for (const axis of shape) {
    size *= axis;
    if (!Number.isSafeInteger(size)) fail(`${tensor}: shape must hold at most 2^53 - 1 elements`, show(shape));
  }
  if (size * widths[dtype] !== end - begin) {
    fail(`${tensor}: ${code} of shape ${show(shape)} must take ${size * widths[dtype]} bytes`, end - begin);
  }
  return { name, dtype, shape, begin, end };
}

/** The tensors must fill the data without holes, overlaps or a rest: no byte hides, and none is read twice. */
function checkLayout(entries: readonly Entry[], dataBytes: number): void {
  let at = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) {
      const wrong = begin > at ? "a hole" : "an overlap";
      fail(
        `tensor ${show(name)} must start at byte ${at} of the data, where the one before ends`,
        `${begin}, ${wrong}`,
      );
    }
    at = end;
  }
  if (at !== dataBytes) fail(`the tensors must end where the file ends, at byte ${dataBytes} of the data`, at);
}

function readTensor({ name, dtype, shape, begin, end }: Entry, bytes: Uint8Array, start: number): NdArray {
  // Typed arrays are little-endian, like the format, on every processor that this runs on.
  const inside = new Uint8Array(bytes.buffer, bytes.byteOffset + start + begin, end - begin);
  const data = inside.byteOffset % widths[dtype] === 0 ? inside : new Uint8Array(inside);
  const length = data.length / widths[dtype];
  if (dtype === "float32") return { dtype, shape, data: new Float32Array(data.buffer, data.byteOffset, length) };
  if (dtype === "int32") return { dtype, shape, data: new Int32Array(data.buffer, data.byteOffset, length) };
  checkBools(name, data);
  return { dtype, shape, data };
}

/** The file dtype and the bytes of an array. */
function fileType(name: string, { dtype, shape, data }: NdArray): [code: string, bytes: number] {
  const tensor = `tensor ${show(name)}`;
  if (name === METADATA) fail(`a tensor must not be named ${METADATA}`, name);
  if (!isFileDType(dtype)) return fail(`${tensor}: dtype must be one of ${Object.keys(codes).join(", ")}`, dtype);
  if (!isCounts(shape)) return fail(`${tensor}: shape must be a list of integers from 0 to 2^53 - 1`, show(shape));
  const size = sizeOf(shape);
  if (size !== data.length) fail(`${tensor}: shape ${show(shape)} must hold ${size} elements`, data.length);
  if (dtype === "bool") checkBools(name, data as Uint8Array);
  return [codes[dtype], size * widths[dtype]];
}

function checkBools(name: string, data: Uint8Array): void {
  const at = data.findIndex((byte) => byte > 1);
  if (at >= 0) fail(`tensor ${show(name)}: a bool must be 0 or 1`, `${data[at]} at element ${at}`);
}

/** The number of names in a header, repeated ones included, of which JSON.parse would silently keep the last. */
function countNames(header: string): number {
  const { names, all, depth } = marksOf(header);
  if (depth > MAX_DEPTH) fail(`the header must nest at most ${MAX_DEPTH} deep`, depth);
  if (all > MAX_MARKS) fail(`the header must have at most ${MAX_MARKS} brackets, colons and commas`, all);
  return names;
}

function parse(header: string): unknown {
  try {
    return JSON.parse(header);
  } catch (cause) {
    return fail("the header must be JSON", show(header), cause);
  }
}

function asRecord(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  return fail(`${what} must be an object`, show(value));
}

function isCounts(value: unknown): value is readonly number[] {
  const isCount = (item: unknown) => Number.isSafeInteger(item) && (item as number) >= 0 && !Object.is(item, -0);
  return Array.isArray(value) && value.every(isCount);
}

const member = (name: string, json: string) => `${JSON.stringify(name)}:${json}`;

/** In the order of UTF-16 code units: the same in every locale. */
function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}

function fail(rule: string, got: unknown, cause?: unknown): never {
  throw new CheckpointError(`safetensors: ${rule}, got ${got}`, cause === undefined ? undefined : { cause });
}
