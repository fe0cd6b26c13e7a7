/** Whether arrays from elsewhere (snapshots, checkpoints, files of weights) fit a model: one rule for all readers. */
import { CheckpointError } from "../errors.js";
import { type NamedArrays, notFinite } from "../runtime/array.js";
import { type Weighted, weightSpecs } from "./model.js";

type Shapes = Readonly<Record<string, { readonly shape: readonly number[] }>>;

/** The cure for arrays that a run of another configuration saved. */
export const SAME_CONFIGURATION = "Use the configuration it was saved with.";

/** The most differences that one message names. */
const MOST_NAMED = 3;

/**
 * Throws {@link CheckpointError} unless arrays have exactly the expected names, are float32 and have the expected shapes.
 * `what` names the arrays, `cure` is a sentence that says what to do.
 */
export function checkFit(what: string, arrays: NamedArrays, expected: Shapes, cure?: string): void {
  const problems = misfits(arrays, expected);
  if (problems.length === 0) return;
  const more = problems.length > MOST_NAMED ? ` (and ${problems.length - MOST_NAMED} more)` : "";
  const rest = cure === undefined ? "" : `. ${cure}`;
  throw new CheckpointError(
    `${what} does not fit the model: ${problems.slice(0, MOST_NAMED).join("; ")}${more}${rest}`,
  );
}

/** Throws {@link CheckpointError} unless these are the params (and buffers) of the model, and all values are finite. */
export function checkWeights(what: string, weights: NamedArrays, model: Weighted): void {
  checkFit(what, weights, weightSpecs(model));
  const [wild] = wildOnes(weights);
  if (wild !== undefined) throw new CheckpointError(`${what} is refused: ${wild}`);
}

/** Weights that a model takes from elsewhere, and the names of those that it could not. */
export interface Transferred {
  readonly weights: NamedArrays;
  readonly missed: readonly string[];
}

/** The given arrays of the names and shapes of a model's own weights, and its own where there is none such. */
export function transferred(given: NamedArrays, own: NamedArrays): Transferred {
  const fits = (name: string, { shape }: NamedArrays[string]) =>
    given[name]?.dtype === "float32" && given[name].shape.join() === shape.join();
  const entries = Object.entries(own);
  return {
    weights: Object.fromEntries(
      entries.map(([name, array]) => [name, fits(name, array) ? (given[name] as typeof array) : array]),
    ),
    missed: entries.filter(([name, array]) => !fits(name, array)).map(([name]) => name),
  };
}

/** Why arrays are not a model's params (and buffers): a sentence for each that differs, else for each not finite. */
export function weightProblems(weights: NamedArrays, model: Weighted): string[] {
  const unfit = misfits(weights, weightSpecs(model));
  return unfit.length > 0 ? unfit : wildOnes(weights);
}

function wildOnes(weights: NamedArrays): string[] {
  return notFinite(weights).map((name) => `${name} holds values that are not finite`);
}

/** Why arrays do not have exactly these names and shapes and float32: a sentence for each that differs. */
export function misfits(arrays: NamedArrays, expected: Shapes): string[] {
  const wrong = Object.entries(expected).flatMap(([name, { shape }]) => {
    const array = arrays[name];
    if (array?.dtype === "float32" && array.shape.join() === shape.join()) return [];
    const got = array ? `${array.dtype}[${array.shape.join(", ")}]` : "nothing";
    return [`${name} must be float32[${shape.join(", ")}], got ${got}`];
  });
  const foreign = Object.keys(arrays).filter((name) => !Object.hasOwn(expected, name));
  return [...wrong, ...foreign.map((name) => `${name} is not part of the model`)];
}
