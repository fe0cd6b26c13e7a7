/** The tensors that outlive a run, each at a fixed place in memory. */
import { sameShape } from "../../graph/shape.js";
import type { NamedArrays, NdArray } from "../../runtime/array.js";
import type { Pointer } from "./c-api.js";
import { missing } from "./plan-engine.js";
import { alignedArray, alignedCopy, copyInto, type OrtTensor, release, showStrings, tensorOver } from "./values.js";

interface Kept {
  current: OrtTensor;
  /** Where the next value goes, for updates that cannot be in place. */
  spare?: OrtTensor;
  isLent: boolean;
}

export interface KeptTensors {
  /** Grows when any address changes: what was looked up is then to be looked up again. */
  readonly version: number;
  /** Grows when a name is new or has another dtype or shape. */
  readonly layout: number;
  /** Copy into memory of ours, which stays where it is while dtype and shape do; what is lent is kept where it lies. */
  write(tensors: NamedArrays, isLent: boolean): void;
  read(names: readonly string[]): NamedArrays;
  value(name: string): Pointer;
  /** The value that a run may change in place: a lent tensor becomes a copy of ours first. */
  ownValue(name: string): Pointer;
  /** The second buffer of a tensor. */
  spareValue(name: string): Pointer;
  /** Let a tensor and its second buffer trade places. */
  swap(name: string): void;
  clear(): void;
}

export function keptTensors(): KeptTensors {
  const all = new Map<string, Kept>();
  let version = 0;
  let layout = 0;

  function kept(name: string): Kept {
    const found = all.get(name);
    if (!found) throw missing(name);
    return found;
  }

  function put(name: string, array: NdArray, isLent: boolean): void {
    const before = all.get(name);
    const isAlike = before !== undefined && areAlike(before.current.array, array);
    const current = tensorOver(array);
    showStrings(current);
    if (before) release(before.current);
    if (before?.spare && !isAlike) release(before.spare);
    all.set(name, { current, isLent, ...(isAlike && before.spare && { spare: before.spare }) });
    version++;
    if (!isAlike) layout++;
  }

  function overwrite(tensor: OrtTensor, array: NdArray): void {
    copyInto(tensor.array, array);
    showStrings(tensor);
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
        if (isLent) put(name, array, true);
        else if (before && !before.isLent && areAlike(before.current.array, array)) overwrite(before.current, array);
        else put(name, alignedCopy(array), false);
      }
    },
    read: (names) => Object.fromEntries(names.map((name) => [name, kept(name).current.array])),
    value: (name) => kept(name).current.value,
    ownValue(name) {
      const { current, isLent } = kept(name);
      if (isLent) put(name, alignedCopy(current.array), false);
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
      const { current, isLent } = entry;
      entry.current = entry.spare;
      version++;
      entry.isLent = false;
      // Memory that was lent is never written to.
      if (isLent) {
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

function areAlike(a: NdArray, b: NdArray): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}
