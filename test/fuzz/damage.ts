/** What may have happened to a safetensors file on its way. */
import type { Draw } from "./draw.js";
import { editJson } from "./edit-json.js";

/** Makes a damaged file of valid ones. */
export type Damage = (files: readonly Uint8Array[], draw: Draw) => Uint8Array;

type Header = Record<string, Record<string, unknown>>;

/** A file from a header and data, whole in its first 8 bytes at least. */
export function fileOf(header: string, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

/** The header and the data of a file that is known to be whole. */
export function partsOf(file: Uint8Array): { header: Header; data: Uint8Array; start: number } {
  const start = 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  return { header: JSON.parse(new TextDecoder().decode(file.subarray(8, start))), data: file.subarray(start), start };
}

/** A damage to the header, given as a change of its value or as its new text. */
function toHeader(change: (header: Header, draw: Draw) => string | undefined): Damage {
  return (files, draw) => {
    const { header, data } = partsOf(draw.pick(files));
    return fileOf(change(header, draw) ?? JSON.stringify(header), data);
  };
}

const tensorNames = (header: Header) => Object.keys(header).filter((name) => name !== "__metadata__");

const cut: Damage = (files, draw) => {
  const file = draw.pick(files);
  return file.slice(0, draw.int(file.length));
};

const flip: Damage = (files, draw) => {
  const bytes = draw.pick(files).slice();
  for (let left = draw.int(4); left >= 0; left--) bytes[draw.int(bytes.length)]! ^= 1 << draw.int(8);
  return bytes;
};

const flipData: Damage = (files, draw) => {
  const bytes = draw.pick(files).slice();
  const { start } = partsOf(bytes);
  for (let left = draw.int(4); left >= 0; left--) bytes[start + draw.int(bytes.length - start)]! ^= 1 << draw.int(8);
  return bytes;
};

const splice: Damage = (files, draw) => {
  const [one, other] = [draw.pick(files), draw.pick(files)];
  const at = draw.int(one.length + 1);
  const from = draw.int(2) === 0 ? at : draw.int(other.length + 1);
  return Uint8Array.of(...one.subarray(0, at), ...other.subarray(from));
};

const swap: Damage = (files, draw) => {
  const [one, other] = [draw.pick(files), draw.pick(files)];
  const bytes = one.slice();
  const from = draw.int(Math.min(one.length, other.length));
  bytes.set(other.subarray(from, from + 1 + draw.int(32)).subarray(0, bytes.length - from), from);
  return bytes;
};

const otherData: Damage = (files, draw) =>
  fileOf(JSON.stringify(partsOf(draw.pick(files)).header), partsOf(draw.pick(files)).data);

const headerLength: Damage = (files, draw) => {
  const bytes = draw.pick(files).slice();
  const view = new DataView(bytes.buffer);
  const length = view.getBigUint64(0, true);
  const near = length + BigInt(1 + draw.int(64)) * (draw.int(2) === 0 ? 1n : -1n);
  const huge = [2n ** 64n - 1n, 2n ** 63n, 2n ** 53n, 2n ** 32n, 100_000_001n, 100_000_000n, 99_999_999n, 0n];
  view.setBigUint64(0, draw.int(2) === 0 ? near : draw.pick(huge), true);
  return bytes;
};

const overlap = toHeader((header, draw) => {
  const names = tensorNames(header);
  const [one, other] = [header[draw.pick(names)], header[draw.pick(names)]];
  const by = draw.pick([0, 1, 4, -4, 8, 2 ** 31, 2 ** 53]);
  if (one) one.data_offsets = (other?.data_offsets as number[] | undefined)?.map((offset) => offset + by);
  return undefined;
});

const dtype = toHeader((header, draw) => {
  const entry = header[draw.pick(tensorNames(header))];
  if (entry)
    entry.dtype = draw.pick(["F16", "BF16", "F64", "I64", "I32", "BOOL", "U8", "f32", "F32 ", "constructor", ""]);
  return undefined;
});

const shape = toHeader((header, draw) => {
  const entry = header[draw.pick(tensorNames(header))];
  const axis = () => draw.pick([0, 1, 2, 3, 4, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 52, 2 ** 53, 65_536, 4_294_967_297]);
  if (entry) entry.shape = Array.from({ length: draw.int(5) }, axis);
  return undefined;
});

/** Damages that leave metadata and meaning alone, or do not care. */
export const damages: Readonly<Record<string, Damage>> = {
  truncated: cut,
  "flipped bits": flip,
  "flipped bits of the data": flipData,
  "spliced from two": splice,
  "bytes of another": swap,
  "data of another": otherData,
  "length of the header": headerLength,
  "offsets of another tensor": overlap,
  "another dtype": dtype,
  "another shape": shape,
  "edited header": toHeader((header, draw) => editJson(header, draw)),
};
