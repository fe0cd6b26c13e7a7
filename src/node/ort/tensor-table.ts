/** The tensors that outlive a run, each at a fixed place in memory. */
import { ConfigError } from "../../errors.js";
import { sameShape } from "../../graph/shape.js";
import type { NamedArrays, NdArray } from "../../runtime/array.js";
import type { Pointer } from "./c-api.js";
import { missing } from "./plan-engine.js";
import {
  alignedArray,
  alignedCopy,
  copyInto,
  isInSharedMemory,
  type OrtTensor,
  release,
  sharedArray,
  tensorOver,
} from "./values.js";

interface Kept {
  current: OrtTensor;
  /** The buffer for the next value, of a tensor that cannot be updated in place. */
  spare?: OrtTensor;
  whose: Owner;
  /** Whether a run was ended that may have been writing it. */
  isLost?: boolean;
}

/** Lent memory is only read; shared memory is read and written here and by other engines. */
type Owner = "own" | "lent" | "shared";

export interface TensorTable {
  /** Grows when any address changes, so that addresses must be looked up again. */
  readonly version: number;
  /** Grows when a name is new or has another dtype or shape. */
  readonly layout: number;
  /**
   * Copy tensors into the table's memory, which keeps its place as long as dtype and shape stay the same; lent tensors
   * are not copied.
   */
  write(tensors: NamedArrays, isLent: boolean): void;
  read(names: readonly string[]): NamedArrays;
  /** Move into memory that all threads see. */
  share(names: readonly string[]): NamedArrays;
  /** Keep arrays that lie in such memory, without copying them. Throws {@link ConfigError} for other arrays. */
  adopt(shared: NamedArrays): void;
  /** Mark tensors as without a value until they are written. */
  lose(names: readonly string[]): void;
  value(name: string): Pointer;
  /** The value of a tensor, for a run that changes it in place; a lent tensor is copied first. */
  ownValue(name: string): Pointer;
  /** The second buffer of a tensor. */
  spareValue(name: string): Pointer;
  /** Let a tensor and its second buffer trade places; one that is shared stays where it is, and gets the new value. */
  swap(name: string): void;
  clear(): void;
}

export function tensorTable(): TensorTable {
  const all = new Map<string, Kept>();
  let version = 0;
  let layout = 0;

  function kept(name: string): Kept {
    const found = all.get(name);
    if (!found) throw missing(name);
    if (found.isLost) throw lost(name);
    return found;
  }

  function put(name: string, array: NdArray, whose: Owner): void {
    const before = all.get(name);
    const isAlike = before !== undefined && areAlike(before.current.array, array);
    const current = tensorOver(array);
    if (before) release(before.current);
    if (before?.spare && !isAlike) release(before.spare);
    all.set(name, { current, whose, ...(isAlike && before.spare && { spare: before.spare }) });
    version++;
    if (!isAlike) layout++;
  }

  function overwrite(entry: Kept, array: NdArray): void {
    copyInto(entry.current.array, array);
    entry.isLost = false;
  }

  return {
    get version() {
      return version;
    },
    get layout() {
      return layout;
    },
    write(tensors, isLent) {
      for (const [name, array] of Object.entries(tensors)) {
        const before = all.get(name);
        const mayOverwrite = before && before.whose !== "lent" && areAlike(before.current.array, array);
        if (mayOverwrite && (!isLent || before.whose === "shared")) overwrite(before, array);
        else if (isLent) put(name, array, "lent");
        else put(name, alignedCopy(array), "own");
      }
    },
    share(names) {
      const entries = new Map(names.map((name) => [name, kept(name)]));
      for (const [name, { current, whose }] of entries) {
        if (whose === "shared") continue;
        const array = sharedArray(current.array.dtype, current.array.shape);
        copyInto(array, current.array);
        put(name, array, "shared");
      }
      return Object.fromEntries(names.map((name) => [name, kept(name).current.array]));
    },
    adopt(shared) {
      const [other] = Object.keys(shared).filter((name) => !isInSharedMemory(shared[name] as NdArray));
      if (other !== undefined)
        throw new ConfigError(
          `adopt: "${other}" must be an array that share gave, got memory of one thread. Use write.`,
        );
      for (const [name, array] of Object.entries(shared)) put(name, array, "shared");
    },
    lose(names) {
      for (const name of names) kept(name).isLost = true;
      version++;
    },
    read: (names) => Object.fromEntries(names.map((name) => [name, kept(name).current.array])),
    value: (name) => kept(name).current.value,
    ownValue(name) {
      const { current, whose } = kept(name);
      if (whose === "lent") put(name, alignedCopy(current.array), "own");
      return kept(name).current.value;
    },
    spareValue(name) {
      const entry = kept(name);
      entry.spare ??= tensorOver(alignedArray(entry.current.array.dtype, entry.current.array.shape));
      return entry.spare.value;
    },
    swap(name) {
      const entry = kept(name);
      if (!entry.spare) throw new Error(`internal: "${name}" has no second buffer`);
      const { current, whose } = entry;
      // Other engines know the address of the shared memory alone.
      if (whose === "shared") return copyInto(current.array, entry.spare.array);
      entry.current = entry.spare;
      version++;
      entry.whose = "own";
      // Lent memory is never written to, so it cannot be the second buffer.
      if (whose === "lent") {
        release(current);
        delete entry.spare;
      } else entry.spare = current;
    },
    clear() {
      for (const { current, spare } of all.values()) for (const tensor of [current, spare]) if (tensor) release(tensor);
      all.clear();
      version++;
      layout++;
    },
  };
}

function lost(name: string): Error {
  return new Error(
    `internal: "${name}" has no value since a run that was updating it was cancelled; write it before it is used`,
  );
}

function areAlike(a: NdArray, b: NdArray): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}
