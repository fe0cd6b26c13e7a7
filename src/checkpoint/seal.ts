/**
 * A file of ours contains its own SHA-256, under the name `fileSha256`: the digest of all its bytes, with zeros in
 * place of the 64 hexadecimal digits. So the digest needs no second file, and a bit that flipped on a disk is detected
 * when the file is read.
 */
import { DamagedError, messageOf } from "../errors.js";
import type { NamedArrays } from "../runtime/array.js";
import { type Bytes, partsOf } from "./bytes.js";
import { sha256 } from "./digest.js";
import { decodeSafetensors, type Safetensors, safetensorsParts } from "./safetensors.js";

/** The name of the digest in a file's metadata. */
export const SEAL = "fileSha256";

/** The placeholder for the digest in a file that is not sealed yet. */
export const NO_SEAL = "0".repeat(64);

const encoder = new TextEncoder();
const ZEROS = encoder.encode(NO_SEAL);

/** A kind of file, which decides the bytes before the digest. JSON has its metadata first, ONNX has it last. */
export type SealedKind = "json" | "onnx";

/** The bytes right before the digest: in JSON its name, in protobuf the key of its entry and the tag of the value. */
const sealMarks: { readonly [K in SealedKind]: Uint8Array } = {
  json: encoder.encode(`"${SEAL}":"`),
  onnx: encoder.encode(`\n${String.fromCharCode(SEAL.length)}${SEAL}\u0012${String.fromCharCode(ZEROS.length)}`),
};

/** The same bytes with the digest in place of the placeholder; only the first part, which contains it, is copied. */
export async function seal(value: Bytes, kind: SealedKind): Promise<readonly Uint8Array[]> {
  const parts = partsOf(value);
  const [head = new Uint8Array(), ...rest] = parts;
  const at = placeOf(head, kind);
  if (at === null) throw new Error(`internal: a file to be sealed has no ${SEAL}`);
  const sealed = new Uint8Array(head);
  sealed.set(encoder.encode(await sha256(parts)), at);
  return [sealed, ...rest];
}

/**
 * Check the digest of a file. A file of an earlier version has no digest, and passes.
 *
 * Throws {@link DamagedError} when the bytes are not those that were written.
 */
export async function checkSeal(name: string, bytes: Uint8Array, kind: SealedKind): Promise<void> {
  const at = placeOf(bytes, kind);
  if (at === null) return;
  const end = at + ZEROS.length;
  const said = new TextDecoder("latin1").decode(bytes.subarray(at, end));
  const found = await sha256([bytes.subarray(0, at), ZEROS, bytes.subarray(end)]);
  if (said === found) return;
  throw new DamagedError(
    `${name} is damaged: its SHA-256 must be ${show(said)}, as it says itself, and is ${show(found)}`,
  );
}

const show = (digest: string) => `${digest.replace(/[^0-9a-f]/g, "?").slice(0, 16)}...`;

/** Where the digest begins; null when there is none. */
function placeOf(bytes: Uint8Array, kind: SealedKind): number | null {
  const mark = sealMarks[kind];
  const last = bytes.length - mark.length - ZEROS.length;
  const isHere = (at: number) => mark.every((byte, i) => bytes[at + i] === byte);
  if (kind === "onnx") {
    for (let at = last; at >= 0; at--) if (bytes[at] === mark[0] && isHere(at)) return at + mark.length;
    return null;
  }
  for (let at = 0; at <= last; at++) if (bytes[at] === mark[0] && isHere(at)) return at + mark.length;
  return null;
}

/** The parts of a safetensors file with its digest among the metadata. Throws what {@link safetensorsParts} throws. */
export function sealedSafetensors(
  tensors: NamedArrays,
  metadata: Readonly<Record<string, string>>,
): Promise<readonly Uint8Array[]> {
  return seal(safetensorsParts(tensors, { ...metadata, [SEAL]: NO_SEAL }), "json");
}

/** Read a safetensors file of ours. Throws {@link DamagedError} when it is not whole, or not as it was written. */
export async function openSafetensors(name: string, bytes: Uint8Array): Promise<Safetensors> {
  // Decode first: only the header can contain the digest, and tensor data may hold bytes that look like one.
  const file = decoded(name, bytes);
  if (file.metadata[SEAL] !== undefined) await checkSeal(name, bytes, "json");
  return file;
}

function decoded(name: string, bytes: Uint8Array): Safetensors {
  try {
    return decodeSafetensors(bytes);
  } catch (error) {
    throw new DamagedError(`${name} is damaged: ${messageOf(error)}`, { cause: error });
  }
}
