/**
 * Letters as bytes, for processes that have no memory in common: a safetensors file whose metadata are the kind and the numbers. Before
 * each goes a header of fixed length, which says what comes and how long it is. What arrives is data, and is taken after checks alone.
 */
import { joined } from "../../../checkpoint/bytes.js";
import { decodeSafetensors, safetensorsParts } from "../../../checkpoint/safetensors.js";
import type { Letter } from "../../../comm/mail.js";
import { messageOf, WorkerError } from "../../../errors.js";
import { mapValues, withPrefix } from "../../../runtime/named.js";

/** What may be sent: a letter, why the sender has failed, that it is there, and that it sends no more. */
const KINDS = ["letter", "failure", "alive", "left"] as const;

export interface FrameHeader {
  readonly kind: (typeof KINDS)[number];
  /** How many bytes follow. */
  readonly bytes: number;
}

export const FRAME_BYTES = 16;
const MAGIC = 0x436f4c65;
/** Of the reason for a failure. */
const REASON_BYTES = 4096;
const KIND = "kind";
const NUMBER = "number";

export function encodeHeader({ kind, bytes }: FrameHeader): Uint8Array<ArrayBuffer> {
  const words = new DataView(new ArrayBuffer(FRAME_BYTES));
  words.setUint32(0, MAGIC);
  words.setUint32(4, KINDS.indexOf(kind));
  words.setFloat64(8, bytes);
  return new Uint8Array(words.buffer);
}

/**
 * What comes next, of which a letter has at most `mostBytes`.
 *
 * Throws {@link WorkerError} for anything else.
 */
export function decodeHeader(header: Uint8Array, mostBytes: number): FrameHeader {
  const words = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (header.length !== FRAME_BYTES || words.getUint32(0) !== MAGIC) fail("it begins with bytes of something else");
  const kind = KINDS[words.getUint32(4)];
  if (kind === undefined) return fail(`its kind is one of ${KINDS.length}, got ${words.getUint32(4)}`);
  const bytes = words.getFloat64(8);
  const most = { letter: mostBytes, failure: REASON_BYTES, alive: 0, left: 0 }[kind];
  if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > most)
    fail(`bytes of "${kind}" are from 0 to ${most} here, got ${bytes}`);
  return { kind, bytes };
}

/** Throws {@link WorkerError} for a letter that is longer than `mostBytes`. */
export function encodeLetter({ kind, numbers, arrays }: Letter, mostBytes: number): Uint8Array<ArrayBuffer> {
  const metadata = { [KIND]: kind, ...withPrefix(NUMBER, mapValues(numbers, textOf)) };
  const bytes = joined(safetensorsParts(arrays, metadata));
  if (bytes.length > mostBytes) fail(`a letter has at most ${mostBytes} bytes here, got ${bytes.length}`);
  return bytes;
}

/**
 * The letter, whose arrays are views of the bytes.
 *
 * Throws {@link WorkerError}, and nothing else, for bytes that {@link encodeLetter} does not write.
 */
export function decodeLetter(bytes: Uint8Array): Letter {
  const { tensors: arrays, metadata } = fileOf(bytes);
  const { [KIND]: kind, ...rest } = metadata;
  if (kind === undefined) return fail("it has a kind, and this has none");
  const numbers = Object.entries(rest).map(([name, text]) => {
    const number = Number(text);
    if (!name.startsWith(`${NUMBER}.`) || textOf(number) !== text)
      fail(`beside its kind it has numbers alone, got ${JSON.stringify(name)} ${JSON.stringify(text)}`);
    return [name.slice(NUMBER.length + 1), number] as const;
  });
  return { kind, numbers: Object.fromEntries(numbers), arrays };
}

export function encodeReason(reason: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(REASON_BYTES);
  return bytes.slice(0, new TextEncoder().encodeInto(reason, bytes).written);
}

export function decodeReason(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A number so that all its bits are read back but those of NaN. */
function textOf(number: number): string {
  return Object.is(number, -0) ? "-0" : String(number);
}

function fileOf(bytes: Uint8Array): ReturnType<typeof decodeSafetensors> {
  try {
    return decodeSafetensors(bytes);
  } catch (error) {
    return fail(messageOf(error));
  }
}

function fail(why: string): never {
  throw new WorkerError(`what workers of a group send one another must be whole letters: ${why}`);
}
