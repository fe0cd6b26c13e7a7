/** The letters of asynchronous SGD, and how they are read: what a letter lacks or has too much of ends the group, with what it is. */
import type { Letter } from "../comm/mail.js";
import type { Cursor } from "../data/stream.js";
import { WorkerError } from "../errors.js";
import { misfits } from "../nn/fit.js";
import { type Model, weightSpecs } from "../nn/model.js";
import { type NamedArrays, sizeOf } from "../runtime/array.js";
import { mapValues, underPrefix, withPrefix } from "../runtime/named.js";
import { sumSpecs } from "../train/graphs.js";
import type { StepRecord } from "../train/stepper.js";

/** From the leader to a worker: params, and the batch for a gradient by them. */
export interface Params {
  readonly batch: number;
  readonly cursor: Cursor;
  /** How many teachers teach, which came in letters before this one; and the weight of their loss. */
  readonly numTeachers: number;
  readonly distillWeight: number;
  /** Params and buffers, by the names under which an engine keeps them. */
  readonly weights: NamedArrays;
}

/** From the leader to a worker: the teacher of a slot from now on, by the names of the model's weights. */
export interface TeacherLetter {
  readonly slot: number;
  readonly weights: NamedArrays;
}

/** From a worker to the leader. */
export interface Gradient {
  readonly batch: number;
  /** Seconds that it took to compute, and that the worker had waited for the params. */
  readonly compute: number;
  readonly wait: number;
  /** What the gradient's losses and statistics are, and its squared norm. */
  readonly record: StepRecord;
  /** What was added up over the batches of the gradient, as in `sumSpecs`. */
  readonly sums: NamedArrays;
}

const SAID = "said";
const none = { numbers: {}, arrays: {} };

export const pullLetter: Letter = { kind: "pull", ...none };
export const endLetter: Letter = { kind: "end", ...none };

export function paramsLetter({ cursor: { epoch, position }, weights, ...numbers }: Params): Letter {
  return { kind: "params", numbers: { ...numbers, epoch, position }, arrays: weights };
}

export function teacherLetter({ slot, weights }: TeacherLetter): Letter {
  return { kind: "teacher", numbers: { slot }, arrays: weights };
}

export function gradientLetter({ record, sums, ...numbers }: Gradient): Letter {
  return { kind: "gradient", numbers: { ...numbers, ...withPrefix(SAID, Object.fromEntries(record)) }, arrays: sums };
}

type Specs = Readonly<Record<string, { readonly shape: readonly number[] }>>;

/** Throws {@link WorkerError} as all readers of letters do. */
export function readParams({ numbers, arrays }: Letter, specs: Specs): Params {
  const of = (name: string) => countOf(numbers, name);
  return {
    batch: of("batch"),
    cursor: { epoch: of("epoch"), position: of("position") },
    numTeachers: of("numTeachers"),
    distillWeight: numberOf(numbers, "distillWeight"),
    weights: fitting(arrays, specs),
  };
}

export function readTeacher({ numbers, arrays }: Letter, specs: Specs): TeacherLetter {
  return { slot: countOf(numbers, "slot"), weights: fitting(arrays, specs) };
}

export function readGradient({ numbers, arrays }: Letter, specs: Specs): Gradient {
  return {
    batch: countOf(numbers, "batch"),
    compute: numberOf(numbers, "compute"),
    wait: numberOf(numbers, "wait"),
    record: new Map(Object.entries(underPrefix(SAID, numbers))),
    sums: fitting(arrays, specs),
  };
}

/** Bytes that the name of an array takes in a letter, with what else is said of it; and those of all its numbers. */
const [NAME_BYTES, NUMBERS_BYTES] = [1 << 10, 1 << 20];

/** More bytes than any letter takes for this model, where it travels as bytes. */
export function mostLetterBytes(model: Model): number {
  const arrays = Object.values({ ...weightSpecs(model), ...sumSpecs(model) });
  return arrays.reduce((bytes, { shape }) => bytes + 4 * sizeOf(shape) + NAME_BYTES, NUMBERS_BYTES);
}

/** Copies of arrays in memory that all threads see, which are sent without being copied. */
export function inSharedMemory(arrays: NamedArrays): NamedArrays {
  return mapValues(arrays, (array) => {
    // The cast hides that the memory is shared.
    const data = new Float32Array(new SharedArrayBuffer(array.data.byteLength)) as unknown as Float32Array<ArrayBuffer>;
    data.set(array.data as Float32Array);
    return { dtype: "float32", shape: array.shape, data };
  });
}

function numberOf(numbers: Letter["numbers"], name: string): number {
  const value = Object.hasOwn(numbers, name) ? numbers[name] : undefined;
  if (typeof value === "number") return value;
  throw new WorkerError(`a letter between the workers of a group must have a number "${name}", and one has none`);
}

function countOf(numbers: Letter["numbers"], name: string): number {
  const value = numberOf(numbers, name);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new WorkerError(
    `"${name}" of a letter between the workers of a group must be a whole number >= 0, got ${value}`,
  );
}

function fitting(arrays: NamedArrays, specs: Specs): NamedArrays {
  const problems = misfits(arrays, specs);
  if (problems.length === 0) return arrays;
  throw new WorkerError(
    `the arrays of a letter between the workers of a group must be those of the model:\n  ${problems.join("\n  ")}`,
  );
}
