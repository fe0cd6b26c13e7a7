import { ForeignFileError, StoreError } from "../errors.js";
import { type Bytes, joined } from "./bytes.js";

/**
 * Where groups exchange snapshots: the only thing that they share.
 *
 * Names are flat strings of `[A-Za-z0-9._-]` parts joined by "/", and mean the same on every store.
 */
export interface Store {
  /**
   * Write a value, replacing an older one. The write is atomic: a reader never sees a part of a value. With `before`,
   * the older value is kept under that name, in place of the value there; `name` is never without a value in between.
   */
  put(name: string, value: Bytes, signal?: AbortSignal, before?: string): Promise<void>;
  /** Write a value only if the name is free; of many callers at one instant exactly one gets `true`. */
  create(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<boolean>;
  /**
   * The value, or null when there is none. One of more than `maxBytes` bytes throws {@link StoreError} before it is read
   * into memory; without a limit it may be of any size.
   */
  get(name: string, signal?: AbortSignal, maxBytes?: number): Promise<Uint8Array | null>;
  /** Names that start with the prefix, sorted. */
  list(prefix: string, signal?: AbortSignal): Promise<string[]>;
  /** Remove a value; nothing happens when there is none. */
  remove(name: string, signal?: AbortSignal): Promise<void>;
}

const MAX_PARTS = 8;
const PART = /^[A-Za-z0-9._-]{1,128}$/;
const TEMPORARY = ".tmp-";

/** The parts of a name. Throws {@link StoreError} when no store could hold it. */
export function checkName(name: string): string[] {
  const parts = name.split("/");
  const problem = problemWith(parts);
  if (problem === undefined) return parts;
  const shown = JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}...` : name);
  throw new StoreError(
    `a store name must be 1 to ${MAX_PARTS} parts of letters, digits, ".", "_" and "-" joined by "/", ` +
      `got ${shown}: ${problem}. Choose another name.`,
  );
}

/** Throws {@link ForeignFileError} when a value is larger than its reader allows. */
export function checkSize(name: string, size: number, maxBytes: number): void {
  if (size <= maxBytes) return;
  throw new ForeignFileError(
    `${name} must hold at most ${maxBytes} bytes to be read, it holds ${size}. ` +
      "Find out what wrote it, and remove it.",
  );
}

/** Whether a store could hold this name. */
export function isName(name: string): boolean {
  return problemWith(name.split("/")) === undefined;
}

function problemWith(parts: readonly string[]): string | undefined {
  if (parts.length > MAX_PARTS) return `it has ${parts.length} parts`;
  for (const part of parts) {
    if (part === "") return "a part is empty";
    if (part.length > 128) return `a part has ${part.length} characters, and 128 is the most`;
    if (!PART.test(part)) return "it holds another character";
    if (part === "." || part === "..") return `"${part}" is a path, not a name`;
    if (part.startsWith(TEMPORARY)) return `parts that start with "${TEMPORARY}" are kept for files being written`;
  }
  return undefined;
}

/** A store in this process, for tests and for groups that share one process. Values are copied in and out. */
export function memoryStore(): Store {
  const values = new Map<string, Uint8Array>();
  // Not slice(): on a Node Buffer that is a view of the same memory.
  const copy = (bytes: Uint8Array) => new Uint8Array(bytes);
  return {
    async put(name, value, signal, before) {
      checkName(name);
      signal?.throwIfAborted();
      const older = values.get(name);
      if (older && before !== undefined) values.set(before, older);
      values.set(name, joined(value));
    },
    async create(name, bytes, signal) {
      checkName(name);
      signal?.throwIfAborted();
      if (values.has(name)) return false;
      values.set(name, copy(bytes));
      return true;
    },
    async get(name, signal, maxBytes = Number.POSITIVE_INFINITY) {
      checkName(name);
      signal?.throwIfAborted();
      const bytes = values.get(name);
      if (bytes) checkSize(name, bytes.length, maxBytes);
      return bytes ? copy(bytes) : null;
    },
    async list(prefix, signal) {
      signal?.throwIfAborted();
      return [...values.keys()].filter((name) => name.startsWith(prefix)).sort();
    },
    async remove(name, signal) {
      checkName(name);
      signal?.throwIfAborted();
      values.delete(name);
    },
  };
}
